// The header of a model file: the lines before the first tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lightgbm/text_lines.h"
#include "trees/limits.h"
#include "trees/model.h"

namespace larder::lightgbm {

struct Header {
  std::int64_t featureCount = 0;
  std::optional<std::size_t> treeCount;  // as announced by tree_sizes
  // Files of version 3 and later end their trees with `end of trees`; older ones may not.
  bool mustEndTrees = false;
};

// Consumes the header of `lines` and fills the model's facts that come from it.
Header parseHeader(Lines& lines, trees::ParseLimits const& limits, trees::Model& model);

}  // namespace larder::lightgbm
