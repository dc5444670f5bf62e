#include "codec/lz4_block.h"

#include <lz4.h>

namespace larder::codec {

namespace {

// A count of 15 goes on in bytes of up to 255. False where the block ends before it does.
bool takeCount(Bytes block, std::size_t& at, std::size_t& count) {
  if (count < 15) return true;
  std::uint8_t more = 255;
  while (more == 255) {
    if (at == block.size()) return false;
    more = block[at++];
    count += more;
  }
  return true;
}

// The format's rules that LZ4's own decoder is lax about, which of its versions how much varies: a
// match is from at least 1 byte back, begins at least 12 before the end, and 5 literals or more end
// it all.
bool keepsRules(Bytes block, std::size_t valueBytes) {
  constexpr std::size_t kMatchToEndMin = 12;
  constexpr std::size_t kLastLiteralsMin = 5;
  std::size_t at = 0;
  std::size_t written = 0;
  for (bool hasMatch = false; at < block.size(); hasMatch = true) {
    std::uint8_t const token = block[at++];
    std::size_t literals = token >> 4;
    if (!takeCount(block, at, literals) || literals > block.size() - at) return false;
    at += literals;
    written += literals;
    if (at == block.size()) return !hasMatch || literals >= kLastLiteralsMin;
    if (block.size() - at < 2 || (block[at] | block[at + 1]) == 0) return false;
    at += 2;
    std::size_t matched = token & 15;
    if (written + kMatchToEndMin > valueBytes || !takeCount(block, at, matched)) return false;
    written += 4 + matched;
  }
  return false;
}

}  // namespace

void compressLz4(Bytes value, std::vector<std::uint8_t>& block) {
  block.resize(value.size());
  if (value.empty() || value.size() > LZ4_MAX_INPUT_SIZE) return block.clear();
  // 0 where the block does not fit.
  int const blockBytes = LZ4_compress_default(
      reinterpret_cast<char const*>(value.data()), reinterpret_cast<char*>(block.data()),
      static_cast<int>(value.size()), static_cast<int>(value.size() - 1));
  block.resize(static_cast<std::size_t>(blockBytes));
}

bool decompressLz4(Bytes block, std::uint8_t* to, std::size_t valueBytes) {
  if (block.size() > LZ4_MAX_INPUT_SIZE || valueBytes > LZ4_MAX_INPUT_SIZE) return false;
  if (!keepsRules(block, valueBytes)) return false;
  auto const expectedBytes = static_cast<int>(valueBytes);
  return LZ4_decompress_safe(reinterpret_cast<char const*>(block.data()),
                             reinterpret_cast<char*>(to), static_cast<int>(block.size()),
                             expectedBytes) == expectedBytes;
}

}  // namespace larder::codec
