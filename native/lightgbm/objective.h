// What a model's `objective=` line does to its raw scores.
//
// Resolved once, at load, to a function pointer. The formulas are LightGBM's, in its order of
// operations and in f64, with the C library's exp and log1p.
#pragma once

#include <cstddef>
#include <string>

#include "lightgbm/text_values.h"

namespace larder::lightgbm {

struct Objective {
  // Rewrites the `count` scores of one row in place. `parameter` is `Objective::parameter`.
  using Transform = void (*)(double* scores, std::size_t count, double parameter);

  std::string name = "custom";
  Transform transform = nullptr;  // null: the raw score is the answer
  double parameter = 0;           // sigmoid slope, where there is one
};

// Parses the value of `objective=`; an empty one means custom. Throws ParseFailure for an unknown
// name, a missing parameter, or one that does not fit `outputCount`.
Objective parseObjective(Field const& field, std::size_t outputCount);

}  // namespace larder::lightgbm
