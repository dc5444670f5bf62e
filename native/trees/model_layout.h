// Lays trees out for the kernel: RawTree -> nodes of a Model (drawn in model.h).
//
// Trusts its input: the parsers have checked every index and that the nodes form a tree.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "trees/model.h"
#include "trees/raw_tree.h"

namespace larder::trees {

class ModelLayout {
 public:
  explicit ModelLayout(Model& model) : model_(model) {}
  // `output`: the one that the tree adds to.
  void add(RawTree const& tree, std::size_t output);
  // Call once, after the last tree.
  void finish();

 private:
  void addNodes(RawTree const& tree, Tree& placed);
  Node numericalNode(RawTree const& tree, std::size_t node, std::uint32_t next, bool& isSwapped);
  void addCovers(RawTree const& tree, std::int32_t child);
  Node categoricalNode(RawTree const& tree, std::size_t node, std::uint32_t next,
                       std::uint32_t wordBegin);
  void addLinearLeaves(RawTree const& tree);
  std::uint32_t laneOffset(std::int32_t feature, Preparation preparation);

  Model& model_;
  bool hasCovers_ = true;
  std::unordered_map<std::uint64_t, std::uint32_t> slots_;  // (feature, preparation) -> slot
};

}  // namespace larder::trees
