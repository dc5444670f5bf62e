// The trees of a model that fit the bitmask kernel, laid out for it.
#pragma once

#include <cstdint>
#include <vector>

#include "trees/bitmask_kernel.h"
#include "trees/model.h"

namespace larder::trees {

inline constexpr std::size_t kMaskLeavesMax = 64;

// A stretch of a model's trees that one kernel runs: [treeBegin, treeEnd), in tree order.
struct TreeStretch {
  bool isBitmask;
  std::size_t treeBegin;
  std::size_t treeEnd;
  std::size_t maskBegin;  // where its trees begin in BitmaskForest, if isBitmask
};

struct BitmaskForest {
  std::vector<MaskTree> floatTrees;
  std::vector<MaskTree> doubleTrees;  // the same trees: floats and doubles have nodes of their own
  std::vector<MaskNode<float>> floatNodes;
  std::vector<MaskNode<double>> doubleNodes;
  std::vector<double> leaves;
  std::vector<Operand> operands;       // operands[i] fills slot i of a tile
  std::vector<TreeStretch> stretches;  // together all trees of the model

  std::size_t bytes() const;
};

// Numerical nodes and constant leaves only, and few enough of them.
bool fitsBitmask(Model const& model, std::size_t tree);

BitmaskForest layOutBitmaskForest(Model const& model);

}  // namespace larder::trees
