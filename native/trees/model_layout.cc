#include "trees/model_layout.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>

namespace larder::trees {

namespace {

// Words of a set that has every category there is, an int32 from 0.
constexpr std::uint32_t kCategoryWordsMax = (std::uint32_t{1} << 31) / 32;

// `next + 1` is what a leaf of value NaN steps to; see model.h.
Node leafNode(double value, std::uint32_t position) {
  std::uint32_t const next = std::isnan(value) ? position - 1 : position;
  return {std::bit_cast<std::uint64_t>(value), 0, next};
}

Preparation preparationOf(Missing missing, bool isDefaultLeft) {
  switch (missing) {
    case Missing::zero:
      return isDefaultLeft ? Preparation::lowForZeroAndNan : Preparation::nanForZeroAndNan;
    case Missing::nan:
      return isDefaultLeft ? Preparation::lowForNan : Preparation::nanForNan;
    case Missing::none:
      break;
  }
  return Preparation::zeroForNan;
}

// The same side of a split, with missing values sent right.
Preparation withDefaultRight(Preparation preparation) {
  if (preparation == Preparation::lowForZeroAndNan) return Preparation::nanForZeroAndNan;
  if (preparation == Preparation::lowForNan) return Preparation::nanForNan;
  return preparation;
}

// A child waiting for its place: breadth-first order is the order of places.
struct Waiting {
  std::int32_t child;  // as in the file: >= 0 a node, else ~leaf
  std::uint32_t depth;
};

}  // namespace

void ModelLayout::add(RawTree const& tree, std::size_t output) {
  Tree placed{};
  placed.root = static_cast<std::uint32_t>(model_.nodes.size());
  placed.isLinear = tree.isLinear;
  placed.linearBegin = static_cast<std::uint32_t>(model_.linearLeaves.size());
  addNodes(tree, placed);
  if (tree.isLinear) addLinearLeaves(tree);
  model_.trees.push_back(placed);
  model_.treeOutputs.push_back(static_cast<std::uint32_t>(output));
}

void ModelLayout::addNodes(RawTree const& tree, Tree& placed) {
  std::uint32_t const wordBegin = static_cast<std::uint32_t>(model_.categoryWords.size());
  model_.categoryWords.insert(model_.categoryWords.end(), tree.categoryWords.begin(),
                              tree.categoryWords.end());
  std::vector<Waiting> order;
  order.reserve(tree.nodeCount() + tree.leafCount());
  order.push_back({tree.nodeCount() == 0 ? ~0 : 0, 0});
  for (std::size_t i = 0; i < order.size(); ++i) {
    Waiting const current = order[i];
    std::uint32_t const position = placed.root + static_cast<std::uint32_t>(i);
    placed.depth = current.depth;  // never decreases in breadth-first order
    addCovers(tree, current.child);
    if (current.child < 0) {
      std::int32_t const leaf = ~current.child;
      model_.nodes.push_back(leafNode(tree.leafValue[static_cast<std::size_t>(leaf)], position));
      model_.leafIds.push_back(tree.leafNumber(leaf));
      continue;
    }
    std::size_t const node = static_cast<std::size_t>(current.child);
    std::uint32_t const next = placed.root + static_cast<std::uint32_t>(order.size());
    bool isSwapped = false;
    if (tree.isCategorical(node)) {
      placed.hasCategories = true;
      model_.nodes.push_back(categoricalNode(tree, node, next, wordBegin));
    } else {
      model_.nodes.push_back(numericalNode(tree, node, next, isSwapped));
    }
    model_.leafIds.push_back(-1);
    Waiting const left{tree.leftChild[node], current.depth + 1};
    Waiting const right{tree.rightChild[node], current.depth + 1};
    order.push_back(isSwapped ? right : left);
    order.push_back(isSwapped ? left : right);
  }
}

void ModelLayout::addCovers(RawTree const& tree, std::int32_t child) {
  if (!hasCovers_) return;
  if (tree.nodeCount() == 0) return model_.covers.push_back(1);
  if (tree.leafCover.empty()) {
    hasCovers_ = false;
    model_.coverProblem =
        "tree " + std::to_string(model_.trees.size()) + ": " +
        (tree.coverProblem.empty() ? "the covers of its nodes are unknown" : tree.coverProblem);
    return;
  }
  bool const isNode = child >= 0;
  std::size_t const index = static_cast<std::size_t>(isNode ? child : ~child);
  model_.covers.push_back(isNode ? tree.nodeCover[index] : tree.leafCover[index]);
}

Node ModelLayout::numericalNode(RawTree const& tree, std::size_t node, std::uint32_t next,
                                bool& isSwapped) {
  double threshold = tree.threshold[node];
  Preparation preparation = preparationOf(tree.missing(node), tree.isDefaultLeft(node));
  // No value is <= NaN, so that all values go right and only missing ones may go left: with the
  // children swapped and missing values as NaN, that is a plain comparison with +inf.
  if (std::isnan(threshold) && withDefaultRight(preparation) != preparation) {
    isSwapped = true;
    threshold = std::numeric_limits<double>::infinity();
    preparation = withDefaultRight(preparation);
  }
  return {std::bit_cast<std::uint64_t>(threshold), laneOffset(tree.splitFeature[node], preparation),
          next};
}

Node ModelLayout::categoricalNode(RawTree const& tree, std::size_t node, std::uint32_t next,
                                  std::uint32_t wordBegin) {
  std::size_t const set = static_cast<std::size_t>(tree.threshold[node]);
  std::uint32_t const begin = static_cast<std::uint32_t>(tree.categoryBounds[set]);
  std::uint32_t const end = static_cast<std::uint32_t>(tree.categoryBounds[set + 1]);
  // Bits beyond the greatest category are never asked for, and their number may not fit.
  std::uint64_t const bitCount = std::uint64_t{std::min(end - begin, kCategoryWordsMax)} * 32;
  Preparation const preparation =
      tree.hasMissingBit ? Preparation::categoryFromOne : Preparation::category;
  std::uint32_t const offset = laneOffset(tree.splitFeature[node], preparation);
  model_.isFeatureCategorical[static_cast<std::size_t>(tree.splitFeature[node])] = true;
  return {bitCount << 32 | (wordBegin + begin), offset | Node::kCategorical, next};
}

void ModelLayout::addLinearLeaves(RawTree const& tree) {
  std::size_t term = 0;
  for (std::size_t leaf = 0; leaf < tree.leafCount(); ++leaf) {
    std::uint32_t const termCount = static_cast<std::uint32_t>(tree.linearTermCount[leaf]);
    model_.linearLeaves.push_back({tree.linearConstant[leaf],
                                   static_cast<std::uint32_t>(model_.linearTerms.size()),
                                   termCount});
    for (std::uint32_t i = 0; i < termCount; ++i, ++term) {
      model_.linearTerms.push_back({tree.linearCoefficient[term],
                                    laneOffset(tree.linearFeature[term], Preparation::nanForNan)});
    }
  }
}

std::uint32_t ModelLayout::laneOffset(std::int32_t feature, Preparation preparation) {
  std::uint32_t const index = static_cast<std::uint32_t>(feature);
  std::uint64_t const key = std::uint64_t{index} << 8 | static_cast<std::uint64_t>(preparation);
  std::uint32_t const nextSlot = static_cast<std::uint32_t>(model_.operands.size()) + 1;
  auto const [place, isNew] = slots_.try_emplace(key, nextSlot);
  if (isNew) {
    model_.operands.push_back({index, preparation});
    model_.isFeatureUsed[index] = true;
  }
  return place->second * static_cast<std::uint32_t>(kLanes);
}

void ModelLayout::finish() {
  model_.categoryWords.push_back(0);
  if (!hasCovers_) model_.covers = {};
}

}  // namespace larder::trees
