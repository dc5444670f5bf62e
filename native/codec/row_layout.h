// A row layout, plain profile: which features stand in a row, in which order.
//
//   layout id   varint, 1 to 5 bytes
//   event time  8 bytes, big-endian, int64 microseconds with the sign bit flipped
//   sequence    8 bytes, big-endian
//   presence    one bit per feature in ceil(features / 8) bytes, the lowest bit first; 1 = set
//   values      of the set features, in layout order
//
// docs/formats/row-v1.md draws it. Layout ids 0 and 1 are rows without presence and values: a
// tombstone and a fence.
#pragma once

#include <cstdint>
#include <vector>

#include "codec/bytes.h"
#include "codec/feature_type.h"

namespace larder::codec {

inline constexpr std::uint32_t kTombstoneLayoutId = 0;
inline constexpr std::uint32_t kFenceLayoutId = 1;
inline constexpr std::size_t kVersionBytes = 16;

struct LayoutFeature {
  std::uint32_t id;
  FeatureType type;
};

struct RowLayout {
  std::uint32_t id;
  std::vector<LayoutFeature> features;

  std::size_t presenceBytes() const { return (features.size() + 7) / 8; }
  std::size_t presenceOffset() const { return varintBytes(id) + kVersionBytes; }
};

}  // namespace larder::codec
