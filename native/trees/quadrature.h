// Gauss-Legendre quadrature on [0, 1]: n points integrate every polynomial of degree below 2n
// without error, but for rounding.
#pragma once

#include <cstddef>
#include <vector>

namespace larder::trees {

struct QuadraturePoint {
  double t;
  double rest;  // 1 - t, not rounded twice
  double weight;
  double restWeight;  // weight / rest
};

// In ascending order of t; `count` is at least 1.
std::vector<QuadraturePoint> quadratureOf(std::size_t count);

}  // namespace larder::trees
