#include "trees/quadrature.h"

#include <cmath>
#include <numbers>

namespace larder::trees {

namespace {

// Newton's method doubles the digits each time, from a start that has some already.
constexpr int kNewtonSteps = 8;

struct Legendre {
  double value;
  double slope;
};

// The Legendre polynomial of degree `count` at x, by its recurrence.
Legendre legendreAt(std::size_t count, double x) {
  double before = 0;
  double value = 1;
  for (std::size_t degree = 1; degree <= count; ++degree) {
    double const k = static_cast<double>(degree);
    double const next = ((2 * k - 1) * x * value - (k - 1) * before) / k;
    before = value;
    value = next;
  }
  return {value, static_cast<double>(count) * (x * value - before) / (x * x - 1)};
}

}  // namespace

std::vector<QuadraturePoint> quadratureOf(std::size_t count) {
  std::vector<QuadraturePoint> points(count);
  double const n = static_cast<double>(count);
  // The roots lie symmetrically about 0: each x > 0 gives two points.
  for (std::size_t i = 0; i < (count + 1) / 2; ++i) {
    double x = std::cos(std::numbers::pi * (static_cast<double>(i) + 0.75) / (n + 0.5));
    for (int step = 0; step < kNewtonSteps; ++step) {
      Legendre const at = legendreAt(count, x);
      x -= at.value / at.slope;
    }
    double const slope = legendreAt(count, x).slope;
    double const weight = 1 / ((1 - x * x) * slope * slope);
    double const low = (1 - x) / 2;
    double const high = (1 + x) / 2;
    points[i] = {low, high, weight, weight / high};
    points[count - 1 - i] = {high, low, weight, weight / low};
  }
  return points;
}

}  // namespace larder::trees
