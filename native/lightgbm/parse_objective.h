// The `objective=` line of a model file. The formulas are LightGBM's, in its order of operations
// and in f64, with the C library's exp and log1p.
#pragma once

#include "lightgbm/text_values.h"
#include "trees/objective.h"

namespace larder::lightgbm {

// Parses the value of `objective=`; an empty one means custom. Throws ParseFailure for an unknown
// name, a missing parameter, or one that does not fit `outputCount`.
trees::Objective parseObjective(Field const& field, std::size_t outputCount);

}  // namespace larder::lightgbm
