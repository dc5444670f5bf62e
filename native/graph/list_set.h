// The values of a list as a set: to find a value, and to count distinct ones.
//
// Short lists are hashed; longer ones are sorted, whose worst case nobody can provoke by choosing
// values that collide. Zero and minus zero are one value; NaN is in no set.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace larder::graph {

class ListSet {
 public:
  static constexpr std::size_t kAbsent = static_cast<std::size_t>(-1);

  // Makes it the set of `values`, which need not outlive the call.
  void assign(std::span<double const> values);
  // Distinct values, NaN left out.
  std::size_t distinctCount() const { return distinctCount_; }
  // A number of the value, below `slotCount`; kAbsent where it is not in the set. A plain number,
  // as an optional one goes through memory.
  std::size_t find(double value) const {
    if (value != value) return kAbsent;
    return isHashed_ ? findHashed(value) : findSorted(value);
  }
  std::size_t slotCount() const { return slots_.size(); }

 private:
  void assignHashed(std::span<double const> values);
  void assignSorted(std::span<double const> values);
  std::size_t findHashed(double value) const {
    std::size_t const mask = slots_.size() - 1;
    std::size_t place = placeOf(value);
    // NaN, which is no slot's value, ends the search.
    while (slots_[place] == slots_[place]) {
      if (slots_[place] == value) return place;
      place = (place + 1) & mask;
    }
    return kAbsent;
  }
  std::size_t findSorted(double value) const;
  std::size_t placeOf(double value) const {
    // Adding zero makes zero of minus zero, and changes nothing else.
    return static_cast<std::size_t>((std::bit_cast<std::uint64_t>(value + 0.0) * kGolden) >>
                                    shift_);
  }

  static constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;

  // Hashed: a power of two of them, NaN where there is none. Sorted: ascending, all distinct.
  std::vector<double> slots_;
  std::size_t distinctCount_ = 0;
  bool isHashed_ = true;
  unsigned shift_ = 0;
};

}  // namespace larder::graph
