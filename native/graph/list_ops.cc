#include "graph/list_ops.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace larder::graph {

namespace {

// Up to so many comparisons are faster than making a set (measured by bench/composite.mjs).
constexpr std::size_t kComparedMax = 128;

bool isFewer(List a, List b) { return a.size() * b.size() <= kComparedMax; }

}  // namespace

bool holds(List list, double value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

std::size_t countOf(List list, double value) {
  return static_cast<std::size_t>(std::count(list.begin(), list.end(), value));
}

void MatchCounter::prepare(List b, bool isSameAsBefore) {
  if (hasSet_ && isSameAsBefore) return;
  set_.assign(b);
  hasSet_ = true;
  metIn_.clear();
  run_ = 0;
}

std::size_t MatchCounter::count(List a, List b, bool isSameAsBefore) {
  if (a.empty() || b.empty()) return 0;
  std::size_t matches = 0;
  if (!isSameAsBefore && isFewer(a, b)) {
    for (double const value : a) matches += holds(b, value) ? 1 : 0;
    return matches;
  }
  prepare(b, isSameAsBefore);
  for (double const value : a) matches += set_.find(value) != set_.slotCount() ? 1 : 0;
  return matches;
}

std::size_t MatchCounter::countUnique(List a, List b, bool isSameAsBefore) {
  if (a.empty() || b.empty()) return 0;
  prepare(b, isSameAsBefore);
  if (metIn_.empty() || run_ == std::numeric_limits<std::uint32_t>::max()) {
    metIn_.assign(set_.slotCount() + 1, 0);
    run_ = 0;
  }
  ++run_;
  // What is absent counts as met.
  metIn_.back() = run_;
  std::size_t matches = 0;
  for (double const value : a) {
    std::uint32_t& metIn = metIn_[set_.find(value)];
    matches += metIn != run_ ? 1 : 0;
    metIn = run_;
  }
  return matches;
}

std::size_t distinctCountOf(List list, ListSet& set) {
  set.assign(list);
  auto const isNan = [](double value) { return std::isnan(value); };
  auto const nanCount = std::count_if(list.begin(), list.end(), isNan);
  return set.distinctCount() + static_cast<std::size_t>(nanCount);
}

}  // namespace larder::graph
