// The bitmask kernel in the compiler's own vectors of 16 bytes, which every 64-bit machine has.
#include "trees/bitmask_body.h"

namespace larder::trees {

namespace {

template <typename ScalarType, typename WordType>
struct PortableLanes {
  using Scalar = ScalarType;
  using Word = WordType;
  // They alias the arrays they are loaded from.
  typedef Scalar Values __attribute__((vector_size(16), may_alias));
  typedef Word Words __attribute__((vector_size(16), may_alias));
  static constexpr std::size_t kRows = 16 / sizeof(Scalar);
  static constexpr int kVectors = 4;

  [[gnu::always_inline]] static Words all() { return ~Words{}; }
  [[gnu::always_inline]] static Values splat(Scalar x) { return Values{} + x; }
  [[gnu::always_inline]] static Words splat(Word x) { return Words{} + x; }
  [[gnu::always_inline]] static Words keepIf(Words words, Scalar const* x, Values threshold,
                                             Words keep) {
    Values const values = *reinterpret_cast<Values const*>(x);
    return words & (reinterpret_cast<Words>(values <= threshold) | keep);
  }
  template <bool kFloat32, bool kHalves, int kCount>
  [[gnu::always_inline]] static void addLeaves(Words const* first, Words const* second,
                                               double const* leaves, std::size_t, double* sums) {
    addLeavesByRow<Word, kFloat32, kHalves>(reinterpret_cast<Word const*>(first),
                                            reinterpret_cast<Word const*>(second), kCount * kRows,
                                            leaves, sums);
  }
};

}  // namespace

void runPortable(MaskRun<float> const& run) { runTile<PortableLanes<float, std::uint32_t>>(run); }
void runPortable(MaskRun<double> const& run) { runTile<PortableLanes<double, std::uint64_t>>(run); }

}  // namespace larder::trees
