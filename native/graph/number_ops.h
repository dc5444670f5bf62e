// Ops on single numbers, and loops over rows of them. What each gives for NaN, infinities and
// signed zeros is told in docs/models/composite.md.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace larder::graph {

// A register as an operand: a number per row of the block, or one for all of them.
struct Numbers {
  double const* values;
  bool isUniform;
};

inline constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

inline double flag(bool condition) { return condition ? 1.0 : 0.0; }
inline bool isTrue(double x) { return x != 0 && x == x; }

inline double minOf(double x, double y) {
  if (x != x || y != y) return kMissing;
  if (x == y) return std::signbit(x) ? x : y;
  return x < y ? x : y;
}

inline double maxOf(double x, double y) {
  if (x != x || y != y) return kMissing;
  if (x == y) return std::signbit(x) ? y : x;
  return x > y ? x : y;
}

// Neither branch overflows.
inline double sigmoidOf(double x) {
  if (x >= 0) return 1 / (1 + std::exp(-x));
  double const e = std::exp(x);
  return e / (1 + e);
}

// Tested before any cast: NaN, fractions and what is out of range are no index.
inline bool isIndex(double x, std::size_t count) {
  if (!(x >= 0 && x < static_cast<double>(count))) return false;
  return static_cast<double>(static_cast<std::int64_t>(x)) == x;
}

inline double bucketOf(double x, std::span<double const> boundaries) {
  if (x != x) return kMissing;
  auto const above = std::upper_bound(boundaries.begin(), boundaries.end(), x);
  return static_cast<double>(above - boundaries.begin());
}

// The entry of a whole number below the table's last place; that place's entry for anything else.
inline double entryOf(double x, std::span<double const> table) {
  std::size_t const count = table.size() - 1;
  return table[isIndex(x, count) ? static_cast<std::size_t>(x) : count];
}

template <typename F>
void mapNumbers(Numbers a, std::size_t count, double* out, F f) {
  for (std::size_t i = 0; i < count; ++i) out[i] = f(a.values[i]);
}

// `count` is 1 where both are uniform.
template <typename F>
void mapNumbers(Numbers a, Numbers b, std::size_t count, double* out, F f) {
  if (a.isUniform) {
    double const x = a.values[0];
    for (std::size_t i = 0; i < count; ++i) out[i] = f(x, b.values[i]);
  } else if (b.isUniform) {
    double const y = b.values[0];
    for (std::size_t i = 0; i < count; ++i) out[i] = f(a.values[i], y);
  } else {
    for (std::size_t i = 0; i < count; ++i) out[i] = f(a.values[i], b.values[i]);
  }
}

inline double at(Numbers a, std::size_t i) { return a.values[a.isUniform ? 0 : i]; }

}  // namespace larder::graph
