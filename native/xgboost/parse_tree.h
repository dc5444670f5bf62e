// One tree of a model file -> RawTree, turned around so that the engine's rules fit:
//
//   XGBoost                             the engine
//   x < t goes left, in float32         x <= the float32 below t
//   a category in the set goes right    a member goes left: the children change places
//   NaN goes to the default child       bit 0 of a set, or the missing rule of a number
//
// Nodes that pruning has deleted stay in a file's arrays, out of reach. After this every index is
// in range and what can be reached forms one tree.
#pragma once

#include <cstdint>

#include "trees/raw_tree.h"
#include "xgboost/document.h"

namespace larder::xgboost {

struct TreeContext {
  std::int64_t index;  // in the model
  std::int64_t featureCount;
  std::int64_t nodesLeft;  // of the model's limit
  std::int64_t categoryWordsLeft;
  float weight;  // dart's weight_drop, else 1
};

trees::RawTree parseTree(Document const& document, Value const& object, TreeContext const& context);

}  // namespace larder::xgboost
