// The values of a list as a set: to find a value, and to count distinct ones.
//
// Short lists are hashed; longer ones are sorted, whose worst case nobody can provoke by choosing
// values that collide. Zero and minus zero are one value; NaN is in no set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace larder::graph {

class ListSet {
 public:
  // Makes it the set of `values`, which need not outlive the call.
  void assign(std::span<double const> values);
  // Distinct values, NaN left out.
  std::size_t distinctCount() const { return distinctCount_; }
  // A number of the value, below `slotCount`; nothing where it is not in the set.
  std::optional<std::size_t> find(double value) const {
    if (value != value) return std::nullopt;
    return isHashed_ ? findHashed(value) : findSorted(value);
  }
  std::size_t slotCount() const { return slots_.size(); }

 private:
  void assignHashed(std::span<double const> values);
  void assignSorted(std::span<double const> values);
  std::optional<std::size_t> findHashed(double value) const;
  std::optional<std::size_t> findSorted(double value) const;

  // Hashed: a power of two of them, NaN where there is none. Sorted: ascending, all distinct.
  std::vector<double> slots_;
  std::size_t distinctCount_ = 0;
  bool isHashed_ = true;
  unsigned shift_ = 0;
};

}  // namespace larder::graph
