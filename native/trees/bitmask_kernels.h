// The builds of the bitmask kernel, and which of them this machine can run.
#pragma once

#include <span>
#include <string_view>

#include "trees/bitmask_kernel.h"

namespace larder::trees {

struct BitmaskKernel {
  std::string_view name;  // as `treeKernels` in src/predict/tree-kernel.ts
  bool isSupported;
  void (*runFloat)(MaskRun<float> const&);
  void (*runDouble)(MaskRun<double> const&);
  // Up to so many rows are cheaper to walk than a vector of them is to test.
  std::size_t walkRowsMax;
  // Nodes that 1 ns tests for one row in f64, to estimate what a call costs.
  double nodesPerNs;
};

// All of them, also those that the machine lacks; slowest first.
std::span<BitmaskKernel const> bitmaskKernels();

}  // namespace larder::trees
