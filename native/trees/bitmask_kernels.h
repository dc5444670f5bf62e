// The builds of the bitmask kernel, and which of them this machine can run.
#pragma once

#include <span>
#include <string_view>

#include "trees/bitmask_kernel.h"

namespace larder::trees {

// Up to so many rows are cheaper to walk than a vector of them is to test: the same for all builds,
// as `npm run bench -- gbdt` prints it for 1, 2 and 4 rows.
inline constexpr std::size_t kWalkRowsMax = 2;

struct BitmaskKernel {
  std::string_view name;  // as `treeKernels` in src/predict/tree-kernel.ts
  bool isSupported;
  void (*runFloat)(MaskRun<float> const&);
  void (*runDouble)(MaskRun<double> const&);
  // Nodes that 1 ns tests for one row in f64, to estimate what a call costs.
  double nodesPerNs;
};

// All of them, also those that the machine lacks; slowest first.
std::span<BitmaskKernel const> bitmaskKernels();

}  // namespace larder::trees
