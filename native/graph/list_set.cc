#include "graph/list_set.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace larder::graph {

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
// If all of them collide, that is some 30,000 steps; sorting so many takes about as long.
constexpr std::size_t kHashedMax = 256;

}  // namespace

void ListSet::assign(std::span<double const> values) {
  isHashed_ = values.size() <= kHashedMax;
  if (isHashed_) {
    assignHashed(values);
  } else {
    assignSorted(values);
  }
}

void ListSet::assignHashed(std::span<double const> values) {
  // A quarter full, so that every search ends, and most at their first slot.
  std::size_t const capacity = std::bit_ceil(std::max<std::size_t>(values.size() * 4, 2));
  shift_ = static_cast<unsigned>(64 - std::countr_zero(capacity));
  slots_.assign(capacity, kNone);
  distinctCount_ = 0;
  for (double const value : values) {
    if (std::isnan(value)) continue;
    std::size_t place = placeOf(value);
    while (!std::isnan(slots_[place]) && slots_[place] != value) {
      place = (place + 1) & (capacity - 1);
    }
    if (std::isnan(slots_[place])) ++distinctCount_;
    slots_[place] = value;
  }
}

void ListSet::assignSorted(std::span<double const> values) {
  slots_.clear();
  std::copy_if(values.begin(), values.end(), std::back_inserter(slots_),
               [](double value) { return !std::isnan(value); });
  std::sort(slots_.begin(), slots_.end());
  slots_.erase(std::unique(slots_.begin(), slots_.end()), slots_.end());
  distinctCount_ = slots_.size();
}

std::size_t ListSet::findSorted(double value) const {
  // NaN is below nothing: it is not found.
  auto const found = std::lower_bound(slots_.begin(), slots_.end(), value);
  bool const isThere = found != slots_.end() && *found == value;
  return isThere ? static_cast<std::size_t>(found - slots_.begin()) : slots_.size();
}

}  // namespace larder::graph
