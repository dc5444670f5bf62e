// Which kernel runs a model: the one that was asked for, or the fastest that proves itself on it.
//
// The look at a model is short: rows made of the model's own thresholds and what lies beside them
// go through every kernel, and one whose bits differ from those of `walk` is out. The rest are
// timed on the same rows. Both are bounded by `kCheckSteps`, a few milliseconds, however big the
// model is.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "trees/model.h"

namespace larder::trees {

struct KernelChoice {
  // For people: `90 trees in bitmask-avx512, 10 in walk`.
  std::string description;
};

struct KernelRefusal {
  std::string message;
};

// `name` is one of `treeKernels` in src/predict/tree-kernel.ts. Sets `model.plan`, and adds a
// warning for each kernel that fails the check. Refuses a kernel that this machine cannot run, or
// that fails.
std::variant<KernelChoice, KernelRefusal> chooseKernel(Model& model, std::string_view name);

}  // namespace larder::trees
