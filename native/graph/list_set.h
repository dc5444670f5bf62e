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
  // Makes it the set of `values`, which need not outlive the call.
  void assign(std::span<double const> values);
  // Distinct values, NaN left out.
  std::size_t distinctCount() const { return distinctCount_; }
  // A number of the value, below `slotCount`; `slotCount` itself where it is not in the set.
  std::size_t find(double value) const { return isHashed_ ? findHashed(value) : findSorted(value); }
  std::size_t slotCount() const { return slots_.size(); }

 private:
  void assignHashed(std::span<double const> values);
  void assignSorted(std::span<double const> values);
  std::size_t findHashed(double value) const {
    std::size_t const mask = slots_.size() - 1;
    std::size_t place = placeOf(value);
    // A free slot is NaN, which ends the search. One rarely goes on, and nothing else is a branch:
    // whether a value is there cannot be foretold.
    while (slots_[place] == slots_[place] && slots_[place] != value) place = (place + 1) & mask;
    return slots_[place] == value ? place : slots_.size();
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
