// One `Tree=` block of a model file -> RawTree.
//
// After this every index is in range and the nodes form one tree: each inner node and each leaf is
// reached exactly once from node 0.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "lightgbm/text_values.h"
#include "trees/raw_tree.h"

namespace larder::lightgbm {

enum class TreeKey : std::size_t {
  leafCount,
  categorySetCount,
  splitFeature,
  threshold,
  decisionType,
  leftChild,
  rightChild,
  leafValue,
  categoryBounds,
  categoryWords,
  isLinear,
  linearConstant,
  linearTermCount,
  linearFeature,
  linearCoefficient,
  leafCover,
  nodeCover,
};
inline constexpr std::size_t kTreeKeyCount = 17;

// The lines of a block that matter for prediction, by key; others are dropped.
class TreeFields {
 public:
  explicit TreeFields(std::size_t offset) : offset_(offset) {}
  // Throws ParseFailure if the key was there already.
  void add(Field const& field);
  // Throws ParseFailure if the block has no such key.
  Field const& require(TreeKey key) const;
  bool has(TreeKey key) const { return field(key).has_value(); }

 private:
  std::optional<Field> const& field(TreeKey key) const {
    return fields_[static_cast<std::size_t>(key)];
  }

  std::size_t offset_;  // of the `Tree=` line
  std::array<std::optional<Field>, kTreeKeyCount> fields_;
};

// `nodesLeft` bounds the tree's inner nodes and leaves together.
trees::RawTree parseTree(TreeFields const& fields, std::int64_t featureCount,
                         std::int64_t nodesLeft);

}  // namespace larder::lightgbm
