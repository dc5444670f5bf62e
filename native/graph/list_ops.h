// Ops on lists. Values are equal as numbers are: zero and minus zero are, NaN is not even itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "graph/list_set.h"

namespace larder::graph {

using List = std::span<double const>;

// Whether `value` is among the items.
bool holds(List list, double value);
std::size_t countOf(List list, double value);

// Counts positions of one list whose value occurs in another, for many lists one after the other;
// remembers the set it made of the other while that stays the same.
class MatchCounter {
 public:
  // `isSameAsBefore`: b is what it was at the call before.
  std::size_t count(List a, List b, bool isSameAsBefore);
  // Every value once.
  std::size_t countUnique(List a, List b, bool isSameAsBefore);

 private:
  void prepare(List b, bool isSameAsBefore);

  ListSet set_;
  bool hasSet_ = false;
  // For each slot of the set, and for what is absent, the run it was last met in.
  std::vector<std::uint32_t> metIn_;
  std::uint32_t run_ = 0;
};

// Positions whose value does not occur before: of NaN every one.
std::size_t distinctCountOf(List list, ListSet& set);

}  // namespace larder::graph
