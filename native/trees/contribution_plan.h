// What contributions need to know of a model beside its trees, found once at load: whether they are
// defined at all, what the model expects of an unknown row, and how much work a row is.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "trees/quadrature.h"

namespace larder::trees {

struct Model;

struct ContributionPlan {
  // Why the model has no contributions, naming the tree; empty where it has, else all below is.
  std::string refusal;
  // Per output: its base score plus, of each tree, the mean of the leaves weighted by their covers.
  std::vector<double> expected;
  // Per tree: the points that make its integrals exact; 0 for a tree of one leaf.
  std::vector<std::size_t> pointCounts;
  // rules[n] has n points, or none where no tree needs so many.
  std::vector<std::vector<QuadraturePoint>> rules;
  std::size_t depth = 0;      // of the deepest tree
  std::size_t stepCount = 0;  // per row: edges times points
};

// Never fails: what is wrong with covers only costs the model its contributions.
ContributionPlan planContributions(Model const& model);

}  // namespace larder::trees
