// The body of the bitmask kernel, compiled once per instruction set: see `bitmask_kernel.h`.
//
// `Lanes` says what a vector is. It must be of the including file's anonymous namespace: every
// instance is then that file's own, and the linker cannot replace one by another's. For the same
// reason nothing of the standard library is called here.
//
//   Scalar, Word      what is compared; the integer that holds a row's leaves
//   Values, Words     vectors of kRows of them
//   kVectors          vectors that are run at once: as many as registers hold
//   splat(x)          a vector of one value, from a scalar or a word
//   all()             words with every bit set
//   keepIf(w, x, t, keep)  per row w where x <= t, else w & keep; NaN is not <= anything
//   addLeaves<kFloat32, kHalves>(first, second, leaves, leafCount, sums)
//                     adds each row's leaf to kRows sums
#pragma once

#include "trees/bitmask_kernel.h"

namespace larder::trees {

template <typename Lanes, int kCount>
[[gnu::always_inline]] inline void testNodes(MaskNode<typename Lanes::Scalar> const* node,
                                             MaskNode<typename Lanes::Scalar> const* end,
                                             typename Lanes::Scalar const* tile,
                                             typename Lanes::Words* words) {
  typename Lanes::Words local[kCount];
#pragma GCC unroll 8
  for (int i = 0; i < kCount; ++i) local[i] = Lanes::all();
  for (; node != end; ++node) {
    typename Lanes::Values const threshold = Lanes::splat(node->threshold);
    typename Lanes::Words const keep = Lanes::splat(node->keep);
    typename Lanes::Scalar const* const x = tile + node->offset;
#pragma GCC unroll 8
    for (int i = 0; i < kCount; ++i) {
      local[i] = Lanes::keepIf(local[i], x + i * Lanes::kRows, threshold, keep);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kCount; ++i) words[i] = local[i];
}

// One tree over kCount vectors of rows.
template <typename Lanes, int kCount, bool kFloat32>
[[gnu::always_inline]] inline void runTree(MaskRun<typename Lanes::Scalar> const& run,
                                           MaskTree const& tree, std::size_t firstRow) {
  typename Lanes::Scalar const* const tile = run.tile + firstRow;
  double* const sums = run.sums + tree.output * kLanesOf<typename Lanes::Scalar> + firstRow;
  double const* const leaves = run.leaves + tree.leafBegin;
  typename Lanes::Words first[kCount];
  testNodes<Lanes, kCount>(run.nodes + tree.begin, run.nodes + tree.middle, tile, first);
  if (sizeof(typename Lanes::Word) == 8 || tree.leafCount <= 32) {
    Lanes::template addLeaves<kFloat32, false, kCount>(first, first, leaves, tree.leafCount, sums);
    return;
  }
  typename Lanes::Words second[kCount];
  testNodes<Lanes, kCount>(run.nodes + tree.middle, run.nodes + tree.end, tile, second);
  Lanes::template addLeaves<kFloat32, true, kCount>(first, second, leaves, tree.leafCount, sums);
}

template <typename Lanes, int kCount, bool kFloat32>
void runTrees(MaskRun<typename Lanes::Scalar> const& run, std::size_t firstRow) {
  for (std::size_t tree = 0; tree < run.treeCount; ++tree) {
    runTree<Lanes, kCount, kFloat32>(run, run.trees[tree], firstRow);
  }
}

// What is left of the rows: fewer than kVectors vectors.
template <typename Lanes, int kCount, bool kFloat32>
void runRest(MaskRun<typename Lanes::Scalar> const& run, std::size_t firstRow,
             std::size_t vectorCount) {
  if constexpr (kCount > 0) {
    if (vectorCount == kCount) return runTrees<Lanes, kCount, kFloat32>(run, firstRow);
    runRest<Lanes, kCount - 1, kFloat32>(run, firstRow, vectorCount);
  }
}

template <typename Lanes, bool kFloat32>
void runVectors(MaskRun<typename Lanes::Scalar> const& run) {
  constexpr std::size_t kRows = Lanes::kRows * Lanes::kVectors;
  std::size_t row = 0;
  for (; row + kRows <= run.rowCount; row += kRows) {
    runTrees<Lanes, Lanes::kVectors, kFloat32>(run, row);
  }
  std::size_t const vectorCount = (run.rowCount - row + Lanes::kRows - 1) / Lanes::kRows;
  runRest<Lanes, Lanes::kVectors, kFloat32>(run, row, vectorCount);
}

template <typename Lanes>
void runTile(MaskRun<typename Lanes::Scalar> const& run) {
  if (run.sumsFloat32) return runVectors<Lanes, true>(run);
  runVectors<Lanes, false>(run);
}

// `addLeaves` where a vector cannot count bits or look up: row by row.
template <typename Word, bool kFloat32, bool kHalves>
[[gnu::always_inline]] inline void addLeavesByRow(Word const* first, Word const* second,
                                                  std::size_t rowCount, double const* leaves,
                                                  double* sums) {
  for (std::size_t row = 0; row < rowCount; ++row) {
    double leaf;
    if constexpr (sizeof(Word) == 8) {
      leaf = leaves[__builtin_clzll(first[row])];
    } else if constexpr (kHalves) {
      unsigned long long const both =
          static_cast<unsigned long long>(first[row]) << 32 | second[row];
      leaf = leaves[__builtin_clzll(both)];
    } else {
      leaf = leaves[__builtin_clz(first[row])];
    }
    double const sum = sums[row] + leaf;
    sums[row] = kFloat32 ? static_cast<double>(static_cast<float>(sum)) : sum;
  }
}

}  // namespace larder::trees
