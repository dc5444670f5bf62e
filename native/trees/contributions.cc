#include "trees/contributions.h"

#include <algorithm>
#include <array>

#include "trees/node_decision.h"

namespace larder::trees {

namespace {

// Fewer rows than this left over are walked one by one: a whole tile costs about as much as three.
constexpr std::size_t kTileRowsMin = 4;

// Where a walk of kRows rows writes: row i's values of the tree's output.
template <std::size_t kRows>
struct Targets {
  std::array<double*, kRows> rows;
  std::size_t count;  // the first so many of them
};

// One tree's walk for kRows rows side by side. Level 0 is the root; level n > 0 stands for the edge
// from level n - 1, with all edges of the same feature above it folded in.
template <std::size_t kRows>
class PathWalk {
 public:
  using Lanes = std::array<double, kRows>;

  PathWalk(Model const& model, ContributionPlan const& plan)
      : model_(model),
        plan_(plan),
        levels_(plan.depth + 1),
        levelOf_(model.featureNames.size()),
        pointCountMax_(plan.rules.empty() ? 0 : plan.rules.size() - 1),
        products_(levels_.size() * pointCountMax_),
        sums_(products_.size()),
        inverses_(products_.size()) {
    levels_[0] = {};
    levels_[0].passes.fill(1);
    std::fill_n(inverses_.begin(), pointCountMax_, 1.0);
    for (std::size_t point = 0; point < pointCountMax_; ++point) products_[point].fill(1);
  }

  // `tile` points at the first row's lane.
  void add(std::size_t tree, double const* tile, Targets<kRows> const& targets) {
    rule_ = plan_.rules[plan_.pointCounts[tree]];
    tile_ = tile;
    targets_ = targets;
    visit(model_.trees[tree].root, 0);
  }

 private:
  struct Level {
    double zero = 1;        // share of the cover that the feature's edges let through
    Lanes passes{};         // 1 where the row takes every edge of the feature so far
    Lanes leaves{};         // 1 where it took all of them but the last
    std::size_t above = 0;  // level of the feature's edge before, else 0
  };

  // Never deeper than kContributionDepthMax: the plan has seen to it.
  void visit(std::uint32_t position, std::size_t level) {
    Node const& node = model_.nodes[position];
    Lanes* const sums = sums_.data() + level * pointCountMax_;
    if (node.isLeaf()) {
      Lanes const* const products = products_.data() + level * pointCountMax_;
      double const value = node.threshold();
      for (std::size_t point = 0; point < rule_.size(); ++point) {
        for (std::size_t i = 0; i < kRows; ++i) sums[point][i] = products[point][i] * value;
      }
      return;
    }
    Lanes isLeft;
    for (std::size_t i = 0; i < kRows; ++i) {
      isLeft[i] = goesLeft(model_, node, tile_[node.laneOffset() + i]) ? 1 : 0;
    }
    std::fill_n(sums, rule_.size(), Lanes{});
    std::size_t const feature = model_.featureOf(node);
    std::size_t const above = levelOf_[feature];
    levelOf_[feature] = level + 1;
    for (std::uint32_t const side : {0u, 1u}) {
      std::uint32_t const child = node.next + side;
      enter(level + 1, above, model_.covers[child] / model_.covers[position], isLeft, side == 0);
      visit(child, level + 1);
      leave(level + 1, feature);
    }
    levelOf_[feature] = above;
  }

  // The products at a child: those of its parent, with the feature's factor replaced.
  void enter(std::size_t index, std::size_t above, double share, Lanes const& isLeft, bool left) {
    Level& level = levels_[index];
    Level const& before = levels_[above];
    level.above = above;
    level.zero = before.zero * share;
    Lanes shares;  // the factor of rows that left the path by this feature before
    for (std::size_t i = 0; i < kRows; ++i) {
      double const takes = left ? isLeft[i] : 1 - isLeft[i];
      level.passes[i] = before.passes[i] * takes;
      level.leaves[i] = before.passes[i] - level.passes[i];
      shares[i] = (1 - before.passes[i]) * share;
    }
    Lanes const passes = level.passes;
    Lanes const leaves = level.leaves;
    Lanes const* const from = products_.data() + (index - 1) * pointCountMax_;
    Lanes* const to = products_.data() + index * pointCountMax_;
    double const* const inversesAbove = inverses_.data() + above * pointCountMax_;
    double* const inverses = inverses_.data() + index * pointCountMax_;
    for (std::size_t point = 0; point < rule_.size(); ++point) {
      QuadraturePoint const& at = rule_[point];
      double const zeroPart = at.rest * level.zero;
      double const onePart = at.t + zeroPart;
      inverses[point] = 1 / onePart;
      double const passing = onePart * inversesAbove[point];
      double const leaving = zeroPart * inversesAbove[point];
      for (std::size_t i = 0; i < kRows; ++i) {
        to[point][i] = from[point][i] * (passes[i] * passing + leaves[i] * leaving + shares[i]);
      }
    }
  }

  // Hands the sum of the leaves below to the parent and to the feature, whose edge above has
  // counted, or will count, these leaves as its own: what it says of them is taken back here.
  void leave(std::size_t index, std::size_t feature) {
    Level const& level = levels_[index];
    double const zeroStep = levels_[level.above].zero - level.zero;
    Lanes const passes = level.passes;
    Lanes const leaves = level.leaves;
    Lanes const* const sums = sums_.data() + index * pointCountMax_;
    Lanes* const parentSums = sums_.data() + (index - 1) * pointCountMax_;
    double const* const inversesAbove = inverses_.data() + level.above * pointCountMax_;
    double const* const inverses = inverses_.data() + index * pointCountMax_;
    Lanes total{};
    for (std::size_t point = 0; point < rule_.size(); ++point) {
      QuadraturePoint const& at = rule_[point];
      double const passing = at.weight * zeroStep * inverses[point] * inversesAbove[point];
      double const leaving = at.restWeight * inversesAbove[point];
      for (std::size_t i = 0; i < kRows; ++i) {
        total[i] += sums[point][i] * (passes[i] * passing - leaves[i] * leaving);
        parentSums[point][i] += sums[point][i];
      }
    }
    for (std::size_t i = 0; i < targets_.count; ++i) targets_.rows[i][feature] += total[i];
  }

  Model const& model_;
  ContributionPlan const& plan_;
  std::vector<Level> levels_;
  std::vector<std::size_t> levelOf_;  // per feature: level of its last edge on the path, else 0
  std::size_t pointCountMax_;
  // [level][point]: of the factors down to a level, of the leaves below it, and 1 / (t + zero (1 -
  // t)).
  std::vector<Lanes> products_;
  std::vector<Lanes> sums_;
  std::vector<double> inverses_;
  std::span<QuadraturePoint const> rule_;
  double const* tile_ = nullptr;
  Targets<kRows> targets_{};
};

// The output as rows of features, and how far apart they are.
struct Output {
  double* values;
  std::size_t rowCells;
  std::size_t outputCells;

  double* at(std::size_t row, std::size_t output) const {
    return values + row * rowCells + output * outputCells;
  }
};

template <std::size_t kRows>
void addTrees(Model const& model, ContributionPlan const& plan, PathWalk<kRows>& walk,
              double const* tile, std::size_t firstRow, std::size_t rowCount, Output output) {
  for (std::size_t tree = 0; tree < model.trees.size(); ++tree) {
    if (plan.pointCounts[tree] == 0) continue;
    Targets<kRows> targets{{}, rowCount};
    for (std::size_t i = 0; i < rowCount; ++i) {
      targets.rows[i] = output.at(firstRow + i, model.treeOutputs[tree]);
    }
    walk.add(tree, tile, targets);
  }
}

}  // namespace

void predictContributions(Model const& model, ContributionPlan const& plan, RowRange const& rows,
                          double* values) {
  std::size_t const outputCells = model.featureNames.size() + 1;
  Output const output{values, model.outputCount * outputCells, outputCells};
  for (std::size_t row = rows.begin; row < rows.end; ++row) {
    std::fill_n(output.at(row, 0), output.rowCells, 0.0);
    for (std::size_t i = 0; i < model.outputCount; ++i) {
      output.at(row, i)[outputCells - 1] = plan.expected[i];
    }
  }
  PathWalk<kLanes> tileWalk(model, plan);
  PathWalk<1> rowWalk(model, plan);
  TileBlock block(model, rows.end - rows.begin);
  for (std::size_t begin = rows.begin; begin < rows.end; begin += block.blockRows()) {
    std::size_t const end = std::min(rows.end, begin + block.blockRows());
    block.fill(rows.columns, begin, end);
    for (std::size_t first = begin; first < end; first += kLanes) {
      std::size_t const count = std::min(kLanes, end - first);
      double const* const tile = block.tile((first - begin) / kLanes);
      if (count >= kTileRowsMin) {
        addTrees(model, plan, tileWalk, tile, first, count, output);
        continue;
      }
      for (std::size_t i = 0; i < count; ++i) {
        addTrees(model, plan, rowWalk, tile + i, first + i, 1, output);
      }
    }
  }
}

}  // namespace larder::trees
