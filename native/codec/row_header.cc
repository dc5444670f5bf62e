#include "codec/row_header.h"

namespace larder::codec {

namespace {

constexpr std::size_t kVarintBytesMax = 5;

}  // namespace

std::optional<std::uint32_t> readVarint(Bytes bytes, std::size_t& offset) {
  std::uint64_t value = 0;
  for (std::size_t index = 0; index < kVarintBytesMax; index++) {
    if (offset >= bytes.size()) return std::nullopt;
    std::uint8_t const byte = bytes[offset++];
    value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * index);
    if ((byte & 0x80) != 0) continue;
    bool const isMinimal = byte != 0 || index == 0;
    if (!isMinimal || value > 0xffffffff) return std::nullopt;
    return static_cast<std::uint32_t>(value);
  }
  return std::nullopt;
}

std::optional<RowHeader> readHeader(Bytes row, Corruption& corruption) {
  std::size_t offset = 0;
  auto const layoutId = readVarint(row, offset);
  if (layoutId) return RowHeader{*layoutId, offset};
  bool const isTruncated =
      offset == row.size() && offset < kVarintBytesMax && (row.empty() || (row.back() & 0x80) != 0);
  corruption = isTruncated ? Corruption::truncatedHeader : Corruption::badLayoutId;
  return std::nullopt;
}

Corruption checkVersionOnlyRow(Bytes row, RowHeader const& header) {
  std::size_t const expectedBytes = header.versionOffset + kFullVersionBytes;
  if (row.size() < expectedBytes) return Corruption::truncatedHeader;
  return row.size() > expectedBytes ? Corruption::trailingBytes : Corruption::none;
}

std::int64_t eventTimeOf(Bytes row, RowHeader const& header, RowLayout const& layout) {
  std::uint8_t const* const version = row.data() + header.versionOffset;
  if (!layout.compactVersion) return unflipSign(loadBig64(version));
  CompactVersion const& compact = *layout.compactVersion;
  std::int64_t units = 0;
  for (unsigned at = 0; at < compact.eventBytes; at++) units = units << 8 | version[at];
  return compact.eventBaseUs + compact.eventUnitUs * units;
}

std::uint8_t* writeHeader(RowLayout const& layout, std::int64_t eventTimeUs, std::uint64_t sequence,
                          std::uint8_t* to) {
  to = storeVarint(to, layout.id);
  if (layout.compactVersion) {
    auto const units = layout.compactVersion->unitsOf(eventTimeUs);
    return storeBig(to, *units, layout.compactVersion->eventBytes);
  }
  to = storeBig(to, flipSign(eventTimeUs), 8);
  return storeBig(to, sequence, 8);
}

}  // namespace larder::codec
