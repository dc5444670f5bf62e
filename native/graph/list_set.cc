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
constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;

std::size_t placeOf(double value, unsigned shift) {
  // Adding zero makes zero of minus zero, and changes nothing else.
  return static_cast<std::size_t>((std::bit_cast<std::uint64_t>(value + 0.0) * kGolden) >> shift);
}

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
  // At most half full, so that every search ends.
  std::size_t const capacity = std::bit_ceil(std::max<std::size_t>(values.size() * 2, 2));
  shift_ = static_cast<unsigned>(64 - std::countr_zero(capacity));
  slots_.assign(capacity, kNone);
  distinctCount_ = 0;
  for (double const value : values) {
    if (std::isnan(value)) continue;
    std::size_t place = placeOf(value, shift_);
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

std::optional<std::size_t> ListSet::findHashed(double value) const {
  std::size_t const mask = slots_.size() - 1;
  std::size_t place = placeOf(value, shift_);
  while (!std::isnan(slots_[place])) {
    if (slots_[place] == value) return place;
    place = (place + 1) & mask;
  }
  return std::nullopt;
}

std::optional<std::size_t> ListSet::findSorted(double value) const {
  auto const found = std::lower_bound(slots_.begin(), slots_.end(), value);
  if (found == slots_.end() || *found != value) return std::nullopt;
  return static_cast<std::size_t>(found - slots_.begin());
}

}  // namespace larder::graph
