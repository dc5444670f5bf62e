#include "trees/bitmask_kernels.h"

#include <array>

namespace larder::trees {

namespace {

#if defined(__x86_64__)
// These ask the operating system too, whether it saves the registers.
bool hasAvx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("lzcnt");
}

bool hasAvx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}
#endif

}  // namespace

// `walkRowsMax` and `nodesPerNs` are what `npm run bench -- gbdt` prints for 100 trees of 31
// leaves.
std::span<BitmaskKernel const> bitmaskKernels() {
#if defined(__x86_64__)
  static std::array<BitmaskKernel, 3> const kernels = {
      BitmaskKernel{"bitmask-portable", true, runPortable, runPortable, 4.0},
      BitmaskKernel{"bitmask-avx2", hasAvx2(), runAvx2, runAvx2, 7.5},
      BitmaskKernel{"bitmask-avx512", hasAvx512(), runAvx512, runAvx512, 13.0},
  };
#else
  static std::array<BitmaskKernel, 1> const kernels = {
      BitmaskKernel{"bitmask-portable", true, runPortable, runPortable, 4.0},
  };
#endif
  return kernels;
}

}  // namespace larder::trees
