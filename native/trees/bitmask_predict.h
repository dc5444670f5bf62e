// Runs a model whose trees the bitmask kernel takes as far as they fit; the others are walked.
//
// A tile of rows at a time goes through all trees in their order, whichever kernel runs them, so
// that every row's sum is taken as kernel `walk` takes it.
#pragma once

#include <cstddef>
#include <memory>

#include "trees/bitmask_forest.h"
#include "trees/bitmask_kernels.h"
#include "trees/columns.h"
#include "trees/model.h"

namespace larder::trees {

struct KernelPlan {
  BitmaskKernel kernel;
  std::shared_ptr<BitmaskForest const> forest;

  std::size_t bitmaskTreeCount() const { return forest->floatTrees.size(); }
};

// Writes the plain sums of the rows, as `walkScores`. Compares in float32 where every column that
// the bitmask trees read is one of floats, or the model's rules make it so; else in float64.
void predictBitmask(Model const& model, KernelPlan const& plan, RowRange const& rows,
                    double* output);

// `Model::stepCount` with this plan, for columns of doubles: the dearer ones.
std::size_t bitmaskStepCount(Model const& model, KernelPlan const& plan);

}  // namespace larder::trees
