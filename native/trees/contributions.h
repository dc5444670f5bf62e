// What each feature adds to a row's raw score: exact, path-dependent SHAP values.
//
// The game is that of TreeSHAP (https://arxiv.org/abs/1802.03888, algorithm 2): features outside a
// coalition go both ways at a node, weighted by the covers of its children. A leaf of value v whose
// path splits on the features P is then worth, to the coalition S,
//
//   v * product over j in P of (j in S ? one_j : zero_j)
//
// where one_j is 1 if the row passes every split of the path on j, else 0, and zero_j is the share
// of the cover that those splits let through. Shapley's weights are integrals of t^s (1 - t)^(n-s),
// so that feature i gets, with f_j(t) = one_j t + zero_j (1 - t),
//
//   v (one_i - zero_i) * integral over t from 0 to 1 of product over j != i of f_j(t)
//
// a polynomial of degree |P| - 1, which |P| / 2 quadrature points integrate exactly. One walk of a
// tree then does for all leaves at once: the products grow on the way down, the leaves' sums on the
// way up, and every edge hands its share to its feature (as in https://arxiv.org/abs/2209.08192,
// there with another basis). No number is divided by a share, so that a share of 0 is one like any
// other, and products of shares stay between 0 and 1; algorithm 2 unwinds a path by division.
//
// The sides that rows take are the prediction's own (`goesLeft` on the same prepared values).
#pragma once

#include "trees/columns.h"
#include "trees/contribution_plan.h"
#include "trees/model.h"

namespace larder::trees {

// Writes output[(row * outputs + output) * (features + 1) + feature] for the rows of the range; the
// last of each is the expected value, so that they add up to the plain sum of the trees, but for
// rounding. The plan must have no refusal.
void predictContributions(Model const& model, ContributionPlan const& plan, RowRange const& rows,
                          double* output);

}  // namespace larder::trees
