// Lays trees out for the kernel: RawTree -> nodes of a Model (drawn in model.h).
//
// Trusts its input: `parseTree` has checked every index and that the nodes form a tree.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "lightgbm/model.h"
#include "lightgbm/raw_tree.h"

namespace larder::lightgbm {

class ModelLayout {
 public:
  explicit ModelLayout(Model& model) : model_(model) {}
  void add(RawTree const& tree);
  // Call once, after the last tree.
  void finish();

 private:
  void addNodes(RawTree const& tree, Tree& placed);
  Node numericalNode(RawTree const& tree, std::size_t node, std::uint32_t next, bool& isSwapped);
  Node categoricalNode(RawTree const& tree, std::size_t node, std::uint32_t next,
                       std::uint32_t wordBegin);
  void addLinearLeaves(RawTree const& tree);
  std::uint32_t laneOffset(std::int32_t feature, Preparation preparation);

  Model& model_;
  std::unordered_map<std::uint64_t, std::uint32_t> slots_;  // (feature, preparation) -> slot
};

}  // namespace larder::lightgbm
