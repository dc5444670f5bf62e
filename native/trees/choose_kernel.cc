#include "trees/choose_kernel.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "trees/bitmask_predict.h"
#include "trees/check_rows.h"
#include "trees/predict.h"

namespace larder::trees {

namespace {

constexpr std::string_view kWalk = "walk";

// Steps of about 1 ns that one kernel may spend on the check, and the rows that these buy.
constexpr std::size_t kCheckSteps = 1'000'000;
constexpr std::size_t kCheckRowsMin = 37;  // a rest of every kernel's vectors
constexpr std::size_t kCheckRowsMax = 293;
constexpr int kTimedRuns = 3;
// A run that took so long is not repeated.
constexpr std::chrono::milliseconds kLongRun{1};

using Plan = std::shared_ptr<KernelPlan const>;
using Clock = std::chrono::steady_clock;

// The scores that a plan gives, and how long it took at best.
struct Trial {
  std::vector<double> floats;
  std::vector<double> doubles;
  Clock::duration best = Clock::duration::max();
};

void sum(Model const& model, Plan const& plan, RowRange const& rows, double* output) {
  if (plan) return predictBitmask(model, *plan, rows, output);
  walkScores(model, rows, output);
}

Trial tryPlan(Model const& model, Plan const& plan, CheckRows const& rows) {
  std::size_t const cells = rows.rowCount() * model.outputCount;
  Trial trial{std::vector<double>(cells), std::vector<double>(cells)};
  std::vector<Column> const floats = rows.floats();
  std::vector<Column> const doubles = rows.doubles();
  for (int run = 0; run < kTimedRuns && (run == 0 || trial.best < kLongRun); ++run) {
    Clock::time_point const start = Clock::now();
    sum(model, plan, {floats, 0, rows.rowCount()}, trial.floats.data());
    sum(model, plan, {doubles, 0, rows.rowCount()}, trial.doubles.data());
    trial.best = std::min(trial.best, Clock::now() - start);
  }
  return trial;
}

// All NaNs are one: which of two operands gives its bits to the result is the compiler's choice.
bool hasSameBits(std::vector<double> const& a, std::vector<double> const& b) {
  return std::ranges::equal(a, b, [](double x, double y) {
    return (std::isnan(x) && std::isnan(y)) ||
           std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
  });
}

std::string describe(Model const& model) {
  auto const trees = [](std::size_t count) {
    return std::to_string(count) + (count == 1 ? " tree" : " trees");
  };
  std::size_t const treeCount = model.trees.size();
  if (!model.plan) return trees(treeCount) + " in walk";
  std::size_t const maskCount = model.plan->bitmaskTreeCount();
  std::string const text = trees(maskCount) + " in " + std::string(model.plan->kernel.name);
  if (maskCount == treeCount) return text;
  return text + ", " + std::to_string(treeCount - maskCount) + " in walk";
}

// Plans of the kernels that may run the model: those that the machine has and, where one is named,
// that one alone. None where no tree fits.
std::vector<Plan> plansFor(Model const& model, std::string_view name) {
  std::vector<Plan> plans;
  auto const forest = std::make_shared<BitmaskForest const>(layOutBitmaskForest(model));
  if (forest->floatTrees.empty()) return plans;
  for (BitmaskKernel const& kernel : bitmaskKernels()) {
    if (!kernel.isSupported || (name != "auto" && name != kernel.name)) continue;
    plans.push_back(std::make_shared<KernelPlan const>(KernelPlan{kernel, forest}));
  }
  return plans;
}

std::size_t checkRowCount(Model const& model) {
  return std::clamp(kCheckSteps / (model.walkStepCount() + 1), kCheckRowsMin, kCheckRowsMax);
}

}  // namespace

std::variant<KernelChoice, KernelRefusal> chooseKernel(Model& model, std::string_view name) {
  auto const kernels = bitmaskKernels();
  auto const named = std::ranges::find(kernels, name, &BitmaskKernel::name);
  bool const isNamed = named != kernels.end();
  if (name != "auto" && name != kWalk && (!isNamed || !named->isSupported)) {
    return KernelRefusal{"this machine cannot run it"};
  }
  std::vector<Plan> const plans = name == kWalk ? std::vector<Plan>{} : plansFor(model, name);
  model.plan = nullptr;
  if (plans.empty()) return KernelChoice{describe(model)};
  CheckRows const rows(model, checkRowCount(model));
  Trial const walked = tryPlan(model, nullptr, rows);
  // A kernel that is named need not be the fastest.
  Clock::duration best = isNamed ? Clock::duration::max() : walked.best;
  for (Plan const& plan : plans) {
    Trial const trial = tryPlan(model, plan, rows);
    bool const isExact =
        hasSameBits(trial.floats, walked.floats) && hasSameBits(trial.doubles, walked.doubles);
    std::string const kernelName(plan->kernel.name);
    if (!isExact && isNamed) return KernelRefusal{"its scores differ from those of 'walk'"};
    if (!isExact) {
      model.warnings.push_back("kernel '" + kernelName +
                               "' is not used: its scores differ from those of 'walk'");
    } else if (trial.best < best) {
      best = trial.best;
      model.plan = plan;
    }
  }
  return KernelChoice{describe(model)};
}

}  // namespace larder::trees
