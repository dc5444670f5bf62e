#include "trees/bitmask_predict.h"

#include <algorithm>
#include <optional>
#include <type_traits>
#include <vector>

#include "trees/operand_values.h"
#include "trees/predict.h"
#include "trees/walk.h"

namespace larder::trees {

namespace {

struct alignas(64) CacheLine {
  unsigned char bytes[64];
};

// The operands of up to kLanesOf<Scalar> rows, [slot][lane]. Lanes beyond the rows hold what they
// held, at first zero.
template <typename Scalar>
class OperandTile {
 public:
  explicit OperandTile(std::size_t slotCount)
      : lines_(std::max<std::size_t>(slotCount, 1) * (kTileBytes / sizeof(CacheLine))) {}

  Scalar const* data() const { return reinterpret_cast<Scalar const*>(lines_.data()); }

  void fill(Model const& model, BitmaskForest const& forest, std::span<Column const> columns,
            std::size_t begin, std::size_t end) {
    Scalar* slot = reinterpret_cast<Scalar*>(lines_.data());
    for (Operand const& operand : forest.operands) {
      loadValues(columns[operand.feature], model.rules, begin, end - begin, slot);
      prepareNumbers(operand.preparation, slot, end - begin);
      slot += kLanesOf<Scalar>;
    }
  }

 private:
  std::vector<CacheLine> lines_;
};

template <typename Scalar>
class Runner {
 public:
  Runner(Model const& model, KernelPlan const& plan, RowRange const& rows, double* output)
      : model_(model),
        plan_(plan),
        rows_(rows),
        output_(output),
        tile_(plan.forest->operands.size()),
        sums_(model.outputCount * kLanesOf<Scalar>) {
    bool const isMixed = plan.bitmaskTreeCount() < model.trees.size();
    if (isMixed) block_.emplace(TileBlock::whole(model, kLanesOf<Scalar>));
  }

  void runRows(std::size_t begin, std::size_t end) {
    tile_.fill(model_, *plan_.forest, rows_.columns, begin, end);
    if (block_) block_->fill(rows_.columns, begin, end);
    for (std::size_t output = 0; output < model_.outputCount; ++output) {
      std::fill_n(sums_.data() + output * kLanesOf<Scalar>, kLanesOf<Scalar>,
                  model_.baseScore(output));
    }
    for (TreeStretch const& stretch : plan_.forest->stretches) {
      if (stretch.isBitmask) {
        runMasks(stretch, end - begin);
      } else {
        runWalk(stretch, end - begin);
      }
    }
    for (std::size_t output = 0; output < model_.outputCount; ++output) {
      double const* const sums = sums_.data() + output * kLanesOf<Scalar>;
      double* to = output_ + begin * model_.outputCount + output;
      for (std::size_t row = begin; row < end; ++row, to += model_.outputCount) {
        *to = sums[row - begin];
      }
    }
  }

 private:
  void runMasks(TreeStretch const& stretch, std::size_t rowCount) {
    BitmaskForest const& forest = *plan_.forest;
    std::size_t const treeCount = stretch.treeEnd - stretch.treeBegin;
    double const* const leaves = forest.leaves.data();
    bool const sumsFloat32 = model_.rules.sumsFloat32;
    if constexpr (std::is_same_v<Scalar, float>) {
      plan_.kernel.runFloat({forest.floatTrees.data() + stretch.maskBegin, treeCount,
                             forest.floatNodes.data(), leaves, tile_.data(), rowCount, sums_.data(),
                             sumsFloat32});
    } else {
      plan_.kernel.runDouble({forest.doubleTrees.data() + stretch.maskBegin, treeCount,
                              forest.doubleNodes.data(), leaves, tile_.data(), rowCount,
                              sums_.data(), sumsFloat32});
    }
  }

  void runWalk(TreeStretch const& stretch, std::size_t rowCount) {
    walkBlock(model_, {stretch.treeBegin, stretch.treeEnd}, *block_, 0, rowCount,
              [&](std::size_t row, std::size_t tree, std::uint32_t position, double const* lane) {
                double& sum = sums_[model_.treeOutputs[tree] * kLanesOf<Scalar> + row];
                addLeaf(model_, tree, position, lane, sum);
              });
  }

  Model const& model_;
  KernelPlan const& plan_;
  RowRange const& rows_;
  double* output_;
  OperandTile<Scalar> tile_;
  std::vector<double> sums_;  // [output][lane]
  std::optional<TileBlock> block_;
};

// Rows that are left over and too few for a vector are walked.
template <typename Scalar>
void runTiles(Model const& model, KernelPlan const& plan, RowRange const& rows, double* output) {
  std::size_t const rowCount = rows.end - rows.begin;
  std::size_t const rest = rowCount % kLanesOf<Scalar>;
  std::size_t const walked = rest <= kWalkRowsMax ? rest : 0;
  std::size_t const tiledEnd = rows.end - walked;
  if (tiledEnd > rows.begin) {
    Runner<Scalar> runner(model, plan, rows, output);
    for (std::size_t begin = rows.begin; begin < tiledEnd; begin += kLanesOf<Scalar>) {
      runner.runRows(begin, std::min(tiledEnd, begin + kLanesOf<Scalar>));
    }
  }
  if (walked > 0) walkScores(model, {rows.columns, tiledEnd, rows.end}, output);
}

bool comparesFloats(Model const& model, KernelPlan const& plan, std::span<Column const> columns) {
  if (model.rules.roundsInputs) return true;
  return std::ranges::all_of(plan.forest->operands, [&](Operand const& operand) {
    return std::holds_alternative<float const*>(columns[operand.feature].values);
  });
}

}  // namespace

void predictBitmask(Model const& model, KernelPlan const& plan, RowRange const& rows,
                    double* output) {
  if (comparesFloats(model, plan, rows.columns)) {
    return runTiles<float>(model, plan, rows, output);
  }
  runTiles<double>(model, plan, rows, output);
}

std::size_t bitmaskStepCount(Model const& model, KernelPlan const& plan) {
  double count = static_cast<double>(plan.forest->operands.size() + plan.bitmaskTreeCount()) +
                 static_cast<double>(plan.forest->doubleNodes.size()) / plan.kernel.nodesPerNs;
  for (TreeStretch const& stretch : plan.forest->stretches) {
    if (stretch.isBitmask) continue;
    for (std::size_t tree = stretch.treeBegin; tree < stretch.treeEnd; ++tree) {
      count += static_cast<double>(model.trees[tree].depth + 1);
    }
  }
  return static_cast<std::size_t>(count) + 1;
}

}  // namespace larder::trees
