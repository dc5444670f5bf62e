#include "trees/predict.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "trees/node_decision.h"

namespace larder::trees {

namespace {

// Trees are walked for as many steps as their deepest leaf needs; deep, lopsided ones stop early
// when all lanes rest. Asking costs about as much as a step.
constexpr std::uint32_t kStepsPerCheck = 8;

using Positions = std::array<std::uint32_t, kLanes>;

inline std::uint32_t stepNumerical(Node const* nodes, std::uint32_t position, double const* lane) {
  Node const& node = nodes[position];
  return node.next + static_cast<std::uint32_t>(!(lane[node.operand] <= node.threshold()));
}

inline std::uint32_t stepMixed(Model const& model, std::uint32_t position, double const* lane) {
  Node const& node = model.nodes[position];
  return node.next + static_cast<std::uint32_t>(!goesLeft(model, node, lane[node.laneOffset()]));
}

// Takes kLanes walks to their leaves. Lane i reads its operands at lanes[i * kLaneStride]: stride 1
// walks kLanes rows through one tree, stride 0 one row through kLanes trees.
template <bool kHasCategories, std::size_t kLaneStride>
void walk(Model const& model, std::uint32_t depth, double const* lanes, Positions& result) {
  Node const* const nodes = model.nodes.data();
  Positions positions = result;
  for (std::uint32_t level = 0; level < depth;) {
    std::uint32_t const stop = std::min(depth, level + kStepsPerCheck);
    for (; level < stop; ++level) {
      for (std::size_t i = 0; i < kLanes; ++i) {
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

template <std::size_t kLaneStride>
void walk(Model const& model, bool hasCategories, std::uint32_t depth, double const* lanes,
          Positions& positions) {
  if (hasCategories) return walk<true, kLaneStride>(model, depth, lanes, positions);
  walk<false, kLaneStride>(model, depth, lanes, positions);
}

// A whole tile through one tree.
template <typename Emit>
void walkTile(Model const& model, std::size_t treeIndex, double const* tile, std::size_t firstRow,
              Emit emit) {
  Tree const& tree = model.trees[treeIndex];
  Positions positions;
  positions.fill(tree.root);
  walk<1>(model, tree.hasCategories, tree.depth, tile, positions);
  for (std::size_t i = 0; i < kLanes; ++i) {
    emit(firstRow + i, treeIndex, positions[i], tile + i);
  }
}

// One row through all trees, kLanes trees at a time: what is left of a block that does not fill a
// tile, so that a single row costs an eighth of a tile.
template <typename Emit>
void walkRow(Model const& model, double const* lane, std::size_t row, Emit emit) {
  for (std::size_t first = 0; first < model.trees.size(); first += kLanes) {
    std::size_t const count = std::min(kLanes, model.trees.size() - first);
    Positions positions;
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
// row meets the trees in their order.
template <typename Emit>
void walkBlock(Model const& model, TileBlock const& block, std::size_t begin, std::size_t end,
               Emit emit) {
  std::size_t const tileCount = (end - begin) / kLanes;
  for (std::size_t tree = 0; tree < model.trees.size(); ++tree) {
    for (std::size_t tile = 0; tile < tileCount; ++tile) {
      walkTile(model, tree, block.tile(tile), begin + tile * kLanes, emit);
    }
  }
  for (std::size_t row = begin + tileCount * kLanes; row < end; ++row) {
    walkRow(model, block.tile(tileCount) + (row - begin) % kLanes, row, emit);
  }
}

// A linear leaf falls back to its plain value when any operand is NaN.
double linearOutput(Model const& model, LinearLeaf const& leaf, double plain, double const* lane) {
  double output = leaf.constant;
  for (std::uint32_t i = 0; i < leaf.termCount; ++i) {
    LinearTerm const& term = model.linearTerms[leaf.termBegin + i];
    double const x = lane[term.laneOffset];
    if (std::isnan(x)) return plain;
    output += term.coefficient * x;
  }
  return output;
}

double leafOutput(Model const& model, Tree const& tree, std::uint32_t position,
                  double const* lane) {
  double const plain = model.nodes[position].threshold();
  if (!tree.isLinear) return plain;
  std::size_t const leaf = static_cast<std::size_t>(model.leafIds[position]);
  return linearOutput(model, model.linearLeaves[tree.linearBegin + leaf], plain, lane);
}

void transformScores(Model const& model, std::size_t begin, std::size_t end, double* output) {
  std::size_t const outputCount = model.outputCount;
  double const iterations = static_cast<double>(model.iterationCount());
  for (std::size_t row = begin; row < end; ++row) {
    double* const scores = output + row * outputCount;
    if (model.averageOutput) {
      for (std::size_t i = 0; i < outputCount; ++i) scores[i] /= iterations;
    }
    if (model.objective.transform != nullptr) {
      model.objective.transform(scores, outputCount, model.objective.parameter);
    }
  }
}

}  // namespace

void predictScores(Model const& model, RowRange const& rows, Score score, double* output) {
  std::size_t const outputCount = model.outputCount;
  for (std::size_t row = rows.begin; row < rows.end; ++row) {
    for (std::size_t i = 0; i < outputCount; ++i)
      output[row * outputCount + i] = model.baseScore(i);
  }
  TileBlock block(model, rows.end - rows.begin);
  for (std::size_t begin = rows.begin; begin < rows.end; begin += block.blockRows()) {
    std::size_t const end = std::min(rows.end, begin + block.blockRows());
    block.fill(rows.columns, begin, end);
    walkBlock(model, block, begin, end,
              [&](std::size_t row, std::size_t tree, std::uint32_t position, double const* lane) {
                double& sum = output[row * outputCount + model.treeOutputs[tree]];
                sum += leafOutput(model, model.trees[tree], position, lane);
                if (model.rules.sumsFloat32) sum = static_cast<double>(static_cast<float>(sum));
              });
  }
  if (score == Score::transformed) transformScores(model, rows.begin, rows.end, output);
}

void predictLeaves(Model const& model, RowRange const& rows, std::int32_t* output) {
  std::size_t const treeCount = model.trees.size();
  TileBlock block(model, rows.end - rows.begin);
  for (std::size_t begin = rows.begin; begin < rows.end; begin += block.blockRows()) {
    std::size_t const end = std::min(rows.end, begin + block.blockRows());
    block.fill(rows.columns, begin, end);
    walkBlock(model, block, begin, end,
              [&](std::size_t row, std::size_t tree, std::uint32_t position, double const*) {
                output[row * treeCount + tree] = model.leafIds[position];
              });
  }
}

}  // namespace larder::trees
