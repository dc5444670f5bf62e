// What a model's objective does to its raw scores: resolved once, at load, to a function pointer.
#pragma once

#include <cstddef>
#include <string>

namespace larder::trees {

struct Objective {
  // Rewrites the `count` scores of one row in place. `parameter` is `Objective::parameter`.
  using Transform = void (*)(double* scores, std::size_t count, double parameter);

  std::string name = "custom";
  Transform transform = nullptr;  // null: the raw score is the answer
  double parameter = 0;           // sigmoid slope, where there is one
};

}  // namespace larder::trees
