#include "trees/predict.h"

#include <algorithm>

#include "trees/bitmask_predict.h"
#include "trees/walk.h"

namespace larder::trees {

namespace {

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

TreeRange allTrees(Model const& model) { return {0, model.trees.size()}; }

}  // namespace

void walkScores(Model const& model, RowRange const& rows, double* output) {
  std::size_t const outputCount = model.outputCount;
  for (std::size_t row = rows.begin; row < rows.end; ++row) {
    for (std::size_t i = 0; i < outputCount; ++i)
      output[row * outputCount + i] = model.baseScore(i);
  }
  TileBlock block(model, rows.end - rows.begin);
  for (std::size_t begin = rows.begin; begin < rows.end; begin += block.blockRows()) {
    std::size_t const end = std::min(rows.end, begin + block.blockRows());
    block.fill(rows.columns, begin, end);
    walkBlock(model, allTrees(model), block, begin, end,
              [&](std::size_t row, std::size_t tree, std::uint32_t position, double const* lane) {
                double& sum = output[row * outputCount + model.treeOutputs[tree]];
                addLeaf(model, tree, position, lane, sum);
              });
  }
}

void predictScores(Model const& model, RowRange const& rows, Score score, double* output) {
  if (model.plan) {
    predictBitmask(model, *model.plan, rows, output);
  } else {
    walkScores(model, rows, output);
  }
  if (score == Score::transformed) transformScores(model, rows.begin, rows.end, output);
}

void predictLeaves(Model const& model, RowRange const& rows, std::int32_t* output) {
  std::size_t const treeCount = model.trees.size();
  TileBlock block(model, rows.end - rows.begin);
  for (std::size_t begin = rows.begin; begin < rows.end; begin += block.blockRows()) {
    std::size_t const end = std::min(rows.end, begin + block.blockRows());
    block.fill(rows.columns, begin, end);
    walkBlock(model, allTrees(model), block, begin, end,
              [&](std::size_t row, std::size_t tree, std::uint32_t position, double const*) {
                output[row * treeCount + tree] = model.leafIds[position];
              });
  }
}

}  // namespace larder::trees
