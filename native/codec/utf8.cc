#include "codec/utf8.h"

namespace larder::codec {

namespace {

// What may follow a lead byte: the range of the second byte, and how many more come after it.
struct Sequence {
  std::uint8_t secondMin;
  std::uint8_t secondMax;
  std::size_t moreCount;
};

constexpr Sequence kNone = {1, 0, 0};

Sequence sequenceOf(std::uint8_t lead) {
  if (lead < 0xc2 || lead > 0xf4) return kNone;
  if (lead < 0xe0) return {0x80, 0xbf, 0};
  if (lead == 0xe0) return {0xa0, 0xbf, 1};
  if (lead == 0xed) return {0x80, 0x9f, 1};
  if (lead < 0xf0) return {0x80, 0xbf, 1};
  if (lead == 0xf0) return {0x90, 0xbf, 2};
  if (lead == 0xf4) return {0x80, 0x8f, 2};
  return {0x80, 0xbf, 2};
}

// Bytes of the character at `offset`, which is not ASCII; 0 where there is none.
std::size_t characterBytes(Bytes text, std::size_t offset) {
  Sequence const sequence = sequenceOf(text[offset]);
  std::size_t const byteCount = 2 + sequence.moreCount;
  if (byteCount > text.size() - offset) return 0;
  std::uint8_t const second = text[offset + 1];
  if (second < sequence.secondMin || second > sequence.secondMax) return 0;
  for (std::size_t index = 2; index < byteCount; index++) {
    if ((text[offset + index] & 0xc0) != 0x80) return 0;
  }
  return byteCount;
}

}  // namespace

std::optional<std::size_t> firstBadUtf8(Bytes text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080u;
  std::size_t offset = 0;
  while (offset < text.size()) {
    bool const hasWord = text.size() - offset >= 8;
    if (hasWord && (loadLittle<std::uint64_t>(&text[offset]) & kHighBits) == 0) {
      offset += 8;
      continue;
    }
    if (text[offset] < 0x80) {
      offset++;
      continue;
    }
    std::size_t const byteCount = characterBytes(text, offset);
    if (byteCount == 0) return offset;
    offset += byteCount;
  }
  return std::nullopt;
}

}  // namespace larder::codec
