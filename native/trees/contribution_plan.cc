#include "trees/contribution_plan.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "trees/limits.h"
#include "trees/model.h"

namespace larder::trees {

namespace {

// A child may outweigh its parent by rounding alone: XGBoost's covers are sums in float32.
constexpr double kCoverSlack = 1 + 1e-4;

struct Refusal {
  std::string reason;
};

std::string numberText(double value) {
  std::array<char, 32> text;
  auto const end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return std::string(text.data(), end);
}

std::string treeText(std::size_t tree) { return "tree " + std::to_string(tree); }

// Walks one tree depth first, at most kContributionDepthMax calls deep.
class TreeLook {
 public:
  explicit TreeLook(Model const& model) : model_(model), onPath_(model.featureNames.size()) {}

  std::size_t edgeCount() const { return edgeCount_; }
  std::size_t pathFeaturesMax() const { return pathFeaturesMax_; }
  double expected() const { return expected_; }

  void look(std::size_t tree) {
    tree_ = tree;
    edgeCount_ = 0;
    pathFeaturesMax_ = 0;
    expected_ = 0;
    std::uint32_t const root = model_.trees[tree].root;
    rootCover_ = model_.nodes[root].isLeaf() ? 1 : model_.covers[root];
    visit(root, 0);
  }

 private:
  void visit(std::uint32_t position, std::size_t pathFeatures) {
    Node const& node = model_.nodes[position];
    if (node.isLeaf()) return addLeaf(position, pathFeatures);
    double const cover = model_.covers[position];
    if (!(cover > 0) || std::isinf(cover)) {
      refuse("a node's cover is " + numberText(cover) + ", expected a number above 0");
    }
    std::uint32_t& count = onPath_[model_.featureOf(node)];
    std::size_t const below = pathFeatures + (count == 0 ? 1 : 0);
    ++count;
    for (std::uint32_t const child : {node.next, node.next + 1}) {
      ++edgeCount_;
      requireCover(model_.covers[child], cover);
      visit(child, below);
    }
    --count;
  }

  void addLeaf(std::uint32_t position, std::size_t pathFeatures) {
    double const value = model_.nodes[position].threshold();
    if (!std::isfinite(value)) refuse("a leaf is " + numberText(value));
    bool const isAlone = pathFeatures == 0;
    expected_ += isAlone ? value : model_.covers[position] / rootCover_ * value;
    pathFeaturesMax_ = std::max(pathFeaturesMax_, pathFeatures);
  }

  void requireCover(double child, double parent) const {
    if (child >= 0 && child <= parent * kCoverSlack) return;
    refuse("a child's cover is " + numberText(child) + ", expected 0 to its parent's " +
           numberText(parent));
  }

  [[noreturn]] void refuse(std::string const& what) const {
    throw Refusal{treeText(tree_) + ": " + what};
  }

  Model const& model_;
  std::vector<std::uint32_t> onPath_;  // per feature: nodes of the path that split on it
  std::size_t tree_ = 0;
  std::size_t edgeCount_ = 0;
  std::size_t pathFeaturesMax_ = 0;
  double rootCover_ = 0;
  double expected_ = 0;
};

// What needs no look at nodes.
void requireTrees(Model const& model) {
  for (std::size_t i = 0; i < model.trees.size(); ++i) {
    if (model.trees[i].isLinear) {
      throw Refusal{treeText(i) + " has linear leaves, for which contributions are not defined"};
    }
    if (model.trees[i].depth > kContributionDepthMax) {
      throw Refusal{treeText(i) + " is " + std::to_string(model.trees[i].depth) +
                    " levels deep, contributions are told of at most " +
                    std::to_string(kContributionDepthMax)};
    }
  }
  if (!model.coverProblem.empty()) throw Refusal{model.coverProblem};
}

ContributionPlan planOrThrow(Model const& model) {
  requireTrees(model);
  ContributionPlan plan;
  for (std::size_t i = 0; i < model.outputCount; ++i) plan.expected.push_back(model.baseScore(i));
  TreeLook tree(model);
  for (std::size_t i = 0; i < model.trees.size(); ++i) {
    tree.look(i);
    plan.expected[model.treeOutputs[i]] += tree.expected();
    // The integrand's degree is one below the features of the path.
    std::size_t const points = (tree.pathFeaturesMax() + 1) / 2;
    plan.pointCounts.push_back(points);
    plan.rules.resize(std::max(plan.rules.size(), points + 1));
    if (points > 0 && plan.rules[points].empty()) plan.rules[points] = quadratureOf(points);
    plan.depth = std::max<std::size_t>(plan.depth, model.trees[i].depth);
    plan.stepCount += tree.edgeCount() * points;
  }
  if (plan.stepCount > kContributionStepsMax) {
    throw Refusal{"contributions would take " + std::to_string(plan.stepCount) +
                  " steps a row, at most " + std::to_string(kContributionStepsMax) + " are taken"};
  }
  return plan;
}

}  // namespace

ContributionPlan planContributions(Model const& model) {
  try {
    return planOrThrow(model);
  } catch (Refusal const& refusal) {
    ContributionPlan plan;
    plan.refusal = refusal.reason;
    return plan;
  }
}

}  // namespace larder::trees
