// A row layout: which features stand in a row, in which order, and how they and the version are
// written.
//
//   layout id   varint, 1 to 5 bytes
//   version     full: event time, 8 bytes, big-endian, int64 microseconds with the sign bit
//   flipped,
//               then sequence, 8 bytes, big-endian
//               compact: n, `eventBytes` bytes, big-endian: event time = base + unit * n
//   body        plain: a presence bit per feature in ceil(features / 8) bytes, the lowest bit
//   first,
//               1 = set; then the values of the set features, in layout order
//               learned: a bit stream, see `feature_coding.h`
//
// docs/formats/row-v1.md draws it. Layout ids 0 and 1 are rows without body: a tombstone and a
// fence.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "codec/bytes.h"
#include "codec/feature_coding.h"
#include "codec/feature_type.h"

namespace larder::codec {

inline constexpr std::uint32_t kTombstoneLayoutId = 0;
inline constexpr std::uint32_t kFenceLayoutId = 1;
inline constexpr std::size_t kFullVersionBytes = 16;
inline constexpr unsigned kEventBytesMax = 6;

struct LayoutFeature {
  std::uint32_t id;
  FeatureType type;
};

// What the versions of one load's rows have in common. No event time of it passes 2^53 in
// magnitude.
struct CompactVersion {
  std::int64_t eventBaseUs;
  std::int64_t eventUnitUs;
  unsigned eventBytes;
  std::uint64_t sequence;

  // How far the event time is above the base, in units; nothing where it cannot be written so.
  std::optional<std::uint64_t> unitsOf(std::int64_t eventTimeUs) const {
    std::int64_t aboveUs;
    if (__builtin_sub_overflow(eventTimeUs, eventBaseUs, &aboveUs)) return std::nullopt;
    if (aboveUs < 0 || aboveUs % eventUnitUs != 0) return std::nullopt;
    std::int64_t const units = aboveUs / eventUnitUs;
    return units >> (8 * eventBytes) == 0 ? std::optional<std::uint64_t>(units) : std::nullopt;
  }
};

struct RowLayout {
  std::uint32_t id;
  std::vector<LayoutFeature> features;
  std::optional<CompactVersion> compactVersion;  // else versions are full
  // One per feature, shared by the layouts of a profile; null where rows are plain.
  std::shared_ptr<std::vector<FeatureCoding> const> codings;

  std::size_t presenceBytes() const { return (features.size() + 7) / 8; }
  std::size_t versionBytes() const {
    return compactVersion ? compactVersion->eventBytes : kFullVersionBytes;
  }
  std::size_t headerBytes() const { return varintBytes(id) + versionBytes(); }
};

// Why no row can have such a version, in words.
std::optional<std::string> versionProblem(CompactVersion const& version);

}  // namespace larder::codec
