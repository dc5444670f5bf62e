#include "trees/bitmask_forest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <utility>

namespace larder::trees {

namespace {

constexpr std::size_t kHalfLeaves = 32;

// A node of one tree, before it is known which masks it goes into.
struct Test {
  double threshold;
  std::uint32_t slot;
  std::size_t leafBegin;  // the leaves of its left subtree
  std::size_t leafEnd;
};

float roundedDown(double threshold) {
  float const rounded = static_cast<float>(threshold);
  bool const isAbove = static_cast<double>(rounded) > threshold;
  return isAbove ? std::nextafterf(rounded, -std::numeric_limits<float>::infinity()) : rounded;
}

// The bits [begin, end) cleared, bit 0 being the highest.
template <typename Word>
Word keepMask(std::size_t begin, std::size_t end) {
  constexpr std::size_t kBits = sizeof(Word) * 8;
  Word const all = ~Word{0};
  Word const fromBegin = begin == kBits ? 0 : all >> begin;
  Word const fromEnd = end == kBits ? 0 : all >> end;
  return ~(fromBegin ^ fromEnd);
}

std::size_t treeEnd(Model const& model, std::size_t tree) {
  return tree + 1 < model.trees.size() ? model.trees[tree + 1].root : model.nodes.size();
}

std::size_t leafCountOf(Model const& model, std::size_t tree) {
  return (treeEnd(model, tree) - model.trees[tree].root + 1) / 2;
}

class Layout {
 public:
  explicit Layout(Model const& model) : model_(model) {}

  BitmaskForest take() && {
    for (std::size_t tree = 0; tree < model_.trees.size(); ++tree) {
      bool const isBitmask = fitsBitmask(model_, tree);
      if (forest_.stretches.empty() || forest_.stretches.back().isBitmask != isBitmask) {
        forest_.stretches.push_back({isBitmask, tree, tree, forest_.floatTrees.size()});
      }
      forest_.stretches.back().treeEnd = tree + 1;
      if (isBitmask) add(tree);
    }
    return std::move(forest_);
  }

 private:
  void add(std::size_t tree) {
    tests_.clear();
    std::size_t const leafBegin = forest_.leaves.size();
    addSubtree(model_.trees[tree].root);
    std::size_t const leafCount = forest_.leaves.size() - leafBegin;
    std::size_t const padded = leafCount <= 16 ? 16 : leafCount <= 32 ? 32 : 64;
    forest_.leaves.resize(leafBegin + padded);
    MaskTree placed{};
    placed.leafBegin = static_cast<std::uint32_t>(leafBegin);
    placed.leafCount = static_cast<std::uint32_t>(leafCount);
    placed.output = model_.treeOutputs[tree];
    addFloats(placed);
    addDoubles(placed);
  }

  // At most 64 leaves deep. Leaves get their numbers from left to right.
  void addSubtree(std::uint32_t position) {
    Node const& node = model_.nodes[position];
    if (node.isLeaf()) {
      forest_.leaves.push_back(node.threshold());
      return;
    }
    std::size_t const test = tests_.size();
    tests_.push_back({node.threshold(), slotOf(node.laneOffset()), forest_.leaves.size(), 0});
    addSubtree(node.next);
    tests_[test].leafEnd = forest_.leaves.size();
    addSubtree(node.next + 1);
  }

  std::uint32_t slotOf(std::uint32_t laneOffset) {
    std::uint32_t const operand = laneOffset / static_cast<std::uint32_t>(kLanes) - 1;
    std::uint32_t const nextSlot = static_cast<std::uint32_t>(forest_.operands.size());
    auto const [place, isNew] = slots_.try_emplace(operand, nextSlot);
    if (isNew) forest_.operands.push_back(model_.operands[operand]);
    return place->second;
  }

  void addFloats(MaskTree placed) {
    placed.begin = static_cast<std::uint32_t>(forest_.floatNodes.size());
    addHalf(placed, 0);
    placed.middle = static_cast<std::uint32_t>(forest_.floatNodes.size());
    addHalf(placed, kHalfLeaves);
    placed.end = static_cast<std::uint32_t>(forest_.floatNodes.size());
    forest_.floatTrees.push_back(placed);
  }

  // The nodes that clear leaves [firstLeaf, firstLeaf + 32).
  void addHalf(MaskTree const& placed, std::size_t firstLeaf) {
    auto const within = [&](std::size_t leaf) {
      std::size_t const first = placed.leafBegin + firstLeaf;
      return leaf <= first ? 0 : std::min(leaf - first, kHalfLeaves);
    };
    for (Test const& test : tests_) {
      std::size_t const begin = within(test.leafBegin);
      std::size_t const end = within(test.leafEnd);
      if (begin == end) continue;
      std::uint32_t const offset = test.slot * static_cast<std::uint32_t>(kLanesOf<float>);
      forest_.floatNodes.push_back(
          {roundedDown(test.threshold), offset, keepMask<std::uint32_t>(begin, end)});
    }
  }

  void addDoubles(MaskTree placed) {
    placed.begin = static_cast<std::uint32_t>(forest_.doubleNodes.size());
    for (Test const& test : tests_) {
      std::uint64_t const keep = keepMask<std::uint64_t>(test.leafBegin - placed.leafBegin,
                                                         test.leafEnd - placed.leafBegin);
      forest_.doubleNodes.push_back({test.threshold, test.slot * kLanesOf<double>, keep});
    }
    placed.end = static_cast<std::uint32_t>(forest_.doubleNodes.size());
    placed.middle = placed.end;
    forest_.doubleTrees.push_back(placed);
  }

  Model const& model_;
  BitmaskForest forest_;
  std::vector<Test> tests_;
  std::unordered_map<std::uint32_t, std::uint32_t> slots_;  // the model's operand -> slot
};

template <typename Item>
std::size_t bytesOf(std::vector<Item> const& items) {
  return items.capacity() * sizeof(Item);
}

}  // namespace

bool fitsBitmask(Model const& model, std::size_t tree) {
  Tree const& placed = model.trees[tree];
  return !placed.hasCategories && !placed.isLinear && leafCountOf(model, tree) <= kMaskLeavesMax;
}

BitmaskForest layOutBitmaskForest(Model const& model) { return Layout(model).take(); }

std::size_t BitmaskForest::bytes() const {
  return bytesOf(floatTrees) + bytesOf(doubleTrees) + bytesOf(floatNodes) + bytesOf(doubleNodes) +
         bytesOf(leaves) + bytesOf(operands) + bytesOf(stretches);
}

}  // namespace larder::trees
