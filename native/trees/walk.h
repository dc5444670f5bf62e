// Kernel `walk`: takes every kind of tree, on every machine.
//
// The idea: eight independent walks from the root to a leaf, side by side and without a branch,
// hide each other's latency. They are eight rows in one tree, or one row in eight trees.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "trees/columns.h"
#include "trees/model.h"
#include "trees/node_decision.h"

namespace larder::trees {

struct TreeRange {
  std::size_t begin;
  std::size_t end;
};

// Trees are walked for as many steps as their deepest leaf needs; deep, lopsided ones stop early
// when all lanes rest. Asking costs about as much as a step.
inline constexpr std::uint32_t kStepsPerCheck = 8;

// Trees that one row walks side by side: more than rows in one tree, whose nodes are nearer.
// Measured by `npm run bench -- gbdt`.
inline constexpr std::size_t kTreesAtOnce = 16;

template <std::size_t kWalks>
using Positions = std::array<std::uint32_t, kWalks>;

inline std::uint32_t stepNumerical(Node const* nodes, std::uint32_t position, double const* lane) {
  Node const& node = nodes[position];
  return node.next + static_cast<std::uint32_t>(!(lane[node.operand] <= node.threshold()));
}

inline std::uint32_t stepMixed(Model const& model, std::uint32_t position, double const* lane) {
  Node const& node = model.nodes[position];
  return node.next + static_cast<std::uint32_t>(!goesLeft(model, node, lane[node.laneOffset()]));
}

// Takes kWalks walks to their leaves. Walk i reads its operands at lanes[i * kLaneStride]: stride 1
// walks rows through one tree, stride 0 one row through many trees.
template <bool kHasCategories, std::size_t kLaneStride, std::size_t kWalks>
void walk(Model const& model, std::uint32_t depth, double const* lanes, Positions<kWalks>& result) {
  Node const* const nodes = model.nodes.data();
  Positions<kWalks> positions = result;
  for (std::uint32_t level = 0; level < depth;) {
    std::uint32_t const stop = std::min(depth, level + kStepsPerCheck);
    for (; level < stop; ++level) {
      for (std::size_t i = 0; i < kWalks; ++i) {
        if constexpr (kHasCategories) {
          positions[i] = stepMixed(model, positions[i], lanes + i * kLaneStride);
        } else {
          positions[i] = stepNumerical(nodes, positions[i], lanes + i * kLaneStride);
        }
      }
    }
    bool const isAtRest = std::all_of(positions.begin(), positions.end(),
                                      [&](std::uint32_t i) { return nodes[i].isLeaf(); });
    if (isAtRest) break;
  }
  result = positions;
}

template <std::size_t kLaneStride, std::size_t kWalks>
void walk(Model const& model, bool hasCategories, std::uint32_t depth, double const* lanes,
          Positions<kWalks>& positions) {
  if (hasCategories) return walk<true, kLaneStride>(model, depth, lanes, positions);
  walk<false, kLaneStride>(model, depth, lanes, positions);
}

// A whole tile through one tree.
template <typename Emit>
void walkTile(Model const& model, std::size_t treeIndex, double const* tile, std::size_t firstRow,
              Emit emit) {
  Tree const& tree = model.trees[treeIndex];
  Positions<kLanes> positions;
  positions.fill(tree.root);
  walk<1>(model, tree.hasCategories, tree.depth, tile, positions);
  for (std::size_t i = 0; i < kLanes; ++i) {
    emit(firstRow + i, treeIndex, positions[i], tile + i);
  }
}

// One row through the trees, kTreesAtOnce at a time: what is left of a block that does not fill a
// tile, so that a single row does not cost a tile.
template <typename Emit>
void walkRow(Model const& model, TreeRange trees, double const* lane, std::size_t row, Emit emit) {
  for (std::size_t first = trees.begin; first < trees.end; first += kTreesAtOnce) {
    std::size_t const count = std::min(kTreesAtOnce, trees.end - first);
    Positions<kTreesAtOnce> positions;
    positions.fill(model.trees[first].root);
    std::uint32_t depth = 0;
    bool hasCategories = false;
    for (std::size_t i = 0; i < count; ++i) {
      Tree const& tree = model.trees[first + i];
      positions[i] = tree.root;
      depth = std::max(depth, tree.depth);
      hasCategories |= tree.hasCategories;
    }
    walk<0>(model, hasCategories, depth, lane, positions);
    for (std::size_t i = 0; i < count; ++i) emit(row, first + i, positions[i], lane);
  }
}

// Trees outermost within a block, so that a tree's nodes stay in the cache for all its rows. Each
// row meets the trees in their order. `block` holds rows [begin, end).
template <typename Emit>
void walkBlock(Model const& model, TreeRange trees, TileBlock const& block, std::size_t begin,
               std::size_t end, Emit emit) {
  std::size_t const tileCount = (end - begin) / kLanes;
  for (std::size_t tree = trees.begin; tree < trees.end; ++tree) {
    for (std::size_t tile = 0; tile < tileCount; ++tile) {
      walkTile(model, tree, block.tile(tile), begin + tile * kLanes, emit);
    }
  }
  for (std::size_t row = begin + tileCount * kLanes; row < end; ++row) {
    walkRow(model, trees, block.tile(tileCount) + (row - begin) % kLanes, row, emit);
  }
}

// A linear leaf falls back to its plain value when any operand is NaN.
inline double linearOutput(Model const& model, LinearLeaf const& leaf, double plain,
                           double const* lane) {
  double output = leaf.constant;
  for (std::uint32_t i = 0; i < leaf.termCount; ++i) {
    LinearTerm const& term = model.linearTerms[leaf.termBegin + i];
    double const x = lane[term.laneOffset];
    if (std::isnan(x)) return plain;
    output += term.coefficient * x;
  }
  return output;
}

inline double leafOutput(Model const& model, Tree const& tree, std::uint32_t position,
                         double const* lane) {
  double const plain = model.nodes[position].threshold();
  if (!tree.isLinear) return plain;
  std::size_t const leaf = static_cast<std::size_t>(model.leafIds[position]);
  return linearOutput(model, model.linearLeaves[tree.linearBegin + leaf], plain, lane);
}

// Adds what a row gets from a tree to the row's sum, under the model's rules.
inline void addLeaf(Model const& model, std::size_t tree, std::uint32_t position,
                    double const* lane, double& sum) {
  sum += leafOutput(model, model.trees[tree], position, lane);
  if (model.rules.sumsFloat32) sum = static_cast<double>(static_cast<float>(sum));
}

}  // namespace larder::trees
