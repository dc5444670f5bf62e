// The bitmask kernel: runs trees of up to 64 leaves over a tile of rows, without branches.
//
// The idea is QuickScorer's (Lucchese et al., SIGIR 2015), tree by tree: number a tree's leaves
// from left to right, a bit for each, leaf 0 the highest. A row begins with all bits set. Every
// node whose test sends the row right clears the leaves of its left subtree, whether or not the
// row's path comes by; the highest bit left is the leaf the row falls into. All nodes are tested,
// so that a vector of rows needs a comparison and an AND per node, and threshold and mask are
// loaded once for all rows.
//
// In float32 the masks have 32 bits and a tree of more leaves has two halves: a node stands in each
// half whose leaves it clears, which is one for nearly all. In float64, as wide as two of those,
// masks have 64 bits.
//
//   tile   [slot][lane] of Scalar, kTileBytes per slot, aligned to 64 bytes
//   sums   [output][lane] of double, kLanesOf<Scalar> per output
//
// One body (`bitmask_body.h`) is compiled for each instruction set, in a file each. This header
// goes into those files too: no inline function may stand here, or the linker might keep the copy
// that needs instructions which the machine lacks.
#pragma once

#include <cstddef>
#include <cstdint>

namespace larder::trees {

inline constexpr std::size_t kTileBytes = 256;
// Rows of a tile: 64 of float, 32 of double.
template <typename Scalar>
inline constexpr std::size_t kLanesOf = kTileBytes / sizeof(Scalar);

template <typename Scalar>
struct MaskNode;

template <>
struct MaskNode<float> {
  float threshold;       // rounded down: x <= threshold as for the f64 one, for every float x
  std::uint32_t offset;  // of the operand's slot in a tile, in scalars
  std::uint32_t keep;    // the bits a row keeps that goes right
};

template <>
struct MaskNode<double> {
  double threshold;
  std::uint64_t offset;
  std::uint64_t keep;
};

// Nodes [begin, middle) clear leaves 0 to 31, [middle, end) leaves 32 to 63; with 64-bit masks, and
// for up to 32 leaves, middle == end.
struct MaskTree {
  std::uint32_t begin;
  std::uint32_t middle;
  std::uint32_t end;
  std::uint32_t leafBegin;  // leaf values, padded to 16, 32 or 64
  std::uint32_t leafCount;
  std::uint32_t output;
};

template <typename Scalar>
struct MaskRun {
  MaskTree const* trees;
  std::size_t treeCount;
  MaskNode<Scalar> const* nodes;
  double const* leaves;
  Scalar const* tile;
  std::size_t rowCount;  // lanes beyond it, up to a whole vector, are computed for nothing
  double* sums;
  bool sumsFloat32;  // `NumberRules::sumsFloat32`
};

// The builds. Only what `bitmask_kernels.h` says the machine has may be called.
void runPortable(MaskRun<float> const& run);
void runPortable(MaskRun<double> const& run);
#if defined(__x86_64__)
void runAvx2(MaskRun<float> const& run);
void runAvx2(MaskRun<double> const& run);
void runAvx512(MaskRun<float> const& run);
void runAvx512(MaskRun<double> const& run);
#endif

}  // namespace larder::trees
