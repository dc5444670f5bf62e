// Which side of a node a prepared value goes to: the one place that says so for every walk that
// is not a kernel of its own.
#pragma once

#include <bit>
#include <cstdint>

#include "trees/model.h"

namespace larder::trees {

// Both kinds of test are computed and one is chosen, so that mixed trees take no branch. `x` is the
// tile's value at the node's lane offset.
inline bool goesLeft(Model const& model, Node const& node, double x) {
  bool const isCategorical = node.isCategorical();
  std::uint32_t const begin = isCategorical ? node.bitsetBegin() : 0;
  std::uint32_t const bitCount = isCategorical ? node.bitCount() : 0;
  std::uint32_t const category = static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(x));
  bool const isInRange = category < bitCount;
  std::uint32_t const word = model.categoryWords[begin + (isInRange ? category / 32 : 0)];
  bool const isMember = isInRange && ((word >> (category % 32)) & 1) != 0;
  return isCategorical ? isMember : x <= node.threshold();
}

}  // namespace larder::trees
