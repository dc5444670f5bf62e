// Sums over vectors, in one order on every machine: element i is added to lane i mod 8, in
// ascending order, and the lanes are added as ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)). All in
// f64; elements are widened first, which is exact.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>

namespace larder::graph {

inline constexpr std::size_t kDotLanes = 8;

inline double sumLanes(std::array<double, kDotLanes> const& lanes) {
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
         ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

template <typename A, typename B>
double dotOf(A const* a, B const* b, std::size_t dim) {
  std::array<double, kDotLanes> lanes{};
  std::size_t i = 0;
  for (; i + kDotLanes <= dim; i += kDotLanes) {
    for (std::size_t lane = 0; lane < kDotLanes; ++lane) {
      lanes[lane] += static_cast<double>(a[i + lane]) * static_cast<double>(b[i + lane]);
    }
  }
  for (std::size_t lane = 0; i + lane < dim; ++lane) {
    lanes[lane] += static_cast<double>(a[i + lane]) * static_cast<double>(b[i + lane]);
  }
  return sumLanes(lanes);
}

template <typename A>
double normOf(A const* a, std::size_t dim) {
  return std::sqrt(dotOf(a, a, dim));
}

}  // namespace larder::graph
