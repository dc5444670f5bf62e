// Every kernel that this machine can run, on random models: whatever the row count and the types of
// the columns, each row gets the bits that it gets alone, walked.
#include <bit>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "lightgbm_example.h"
#include "random_trees.h"
#include "trees/bitmask_predict.h"
#include "trees/choose_kernel.h"
#include "trees/predict.h"

using namespace larder::trees;
using namespace larder::trees::test;
using larder::lightgbm::test::check;

namespace {

constexpr std::size_t kRowsMax = 200;

struct Rows {
  std::vector<std::vector<float>> floats;
  std::vector<std::vector<double>> doubles;
};

Rows randomRows(Random& random) {
  Rows rows{std::vector(kFeatures, std::vector<float>(kRowsMax)),
            std::vector(kFeatures, std::vector<double>(kRowsMax))};
  for (std::size_t feature = 0; feature < kFeatures; ++feature) {
    for (std::size_t row = 0; row < kRowsMax; ++row) {
      rows.doubles[feature][row] = randomNumber(random);
      rows.floats[feature][row] = static_cast<float>(randomNumber(random));
    }
  }
  return rows;
}

enum class Types { floats, doubles, mixed };

std::vector<Column> columnsOf(Rows const& rows, Types types) {
  std::vector<Column> columns;
  for (std::size_t feature = 0; feature < kFeatures; ++feature) {
    bool const isFloat = types == Types::floats || (types == Types::mixed && feature % 2 == 0);
    bool const isBroadcast = feature == 3;
    if (isFloat) {
      columns.push_back({rows.floats[feature].data(), isBroadcast});
    } else {
      columns.push_back({rows.doubles[feature].data(), isBroadcast});
    }
  }
  return columns;
}

bool isSame(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) ||
         std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

void checkKernel(Model const& model, KernelPlan const& plan, std::vector<Column> const& columns,
                 std::string const& what) {
  std::size_t const outputCount = model.outputCount;
  std::vector<double> alone(kRowsMax * outputCount);
  for (std::size_t row = 0; row < kRowsMax; ++row) {
    walkScores(model, {columns, row, row + 1}, alone.data());
  }
  for (std::size_t rowCount = 1; rowCount <= kRowsMax; ++rowCount) {
    std::size_t const begin = kRowsMax - rowCount;
    std::vector<double> scores(kRowsMax * outputCount, 42);
    predictBitmask(model, plan, {columns, begin, kRowsMax}, scores.data());
    for (std::size_t i = 0; i < scores.size(); ++i) {
      double const expected = i < begin * outputCount ? 42 : alone[i];
      check(isSame(scores[i], expected),
            what + ", cell " + std::to_string(i) + " of " + std::to_string(rowCount) +
                " rows: " + std::to_string(scores[i]) + ", expected " + std::to_string(expected));
    }
  }
}

void checkModel(Model const& model, Random& random, std::string const& what) {
  Rows const rows = randomRows(random);
  auto const forest = std::make_shared<BitmaskForest const>(layOutBitmaskForest(model));
  for (BitmaskKernel const& kernel : bitmaskKernels()) {
    if (!kernel.isSupported) continue;
    for (Types const types : {Types::floats, Types::doubles, Types::mixed}) {
      std::string const place = what + " in " + std::string(kernel.name) + ", columns " +
                                std::to_string(static_cast<int>(types));
      checkKernel(model, {kernel, forest}, columnsOf(rows, types), place);
    }
  }
}

// Trees of every count of leaves up to and beyond what fits; some of other kinds between them.
void testRandomModels() {
  for (std::size_t seed = 0; seed < 12; ++seed) {
    Random random(seed);
    std::size_t const outputCount = 1 + seed % 3;
    Model model = emptyModel(outputCount, seed % 4 == 3 ? kXgboostRules : kLightgbmRules);
    model.baseScores.assign(outputCount, 0.5);
    ModelLayout layout(model);
    for (std::size_t tree = 0; tree < 4 * outputCount; ++tree) {
      std::size_t const kinds = below(random, 5) == 0 ? 1 + below(random, 2) : 0;
      layout.add(randomTree(random, 1 + below(random, 80), kinds), tree % outputCount);
    }
    layout.finish();
    checkModel(model, random, "seed " + std::to_string(seed));
  }
}

void testLeafCounts() {
  for (std::size_t const leafCount : {1, 2, 16, 17, 31, 32, 33, 63, 64, 65}) {
    Random random(leafCount);
    Model model = emptyModel(1, kLightgbmRules);
    ModelLayout layout(model);
    layout.add(randomTree(random, leafCount, 0), 0);
    layout.finish();
    check(fitsBitmask(model, 0) == (leafCount <= 64), std::to_string(leafCount) + " leaves fit");
    checkModel(model, random, std::to_string(leafCount) + " leaves");
  }
}

void testChoice() {
  Random random(1);
  Model model = emptyModel(1, kLightgbmRules);
  ModelLayout layout(model);
  layout.add(randomTree(random, 40, 0), 0);
  layout.add(randomTree(random, 65, 0), 0);
  layout.add(randomTree(random, 8, 2), 0);
  layout.finish();
  auto const describe = [&](std::string_view name) {
    auto const choice = chooseKernel(model, name);
    check(std::holds_alternative<KernelChoice>(choice), std::string(name) + " is taken");
    return std::get<KernelChoice>(choice).description;
  };
  check(describe("walk") == "3 trees in walk", "walk");
  std::size_t const walkSteps = model.stepCount();
  check(describe("bitmask-portable") == "1 tree in bitmask-portable, 2 in walk", "mixed kernels");
  check(model.stepCount() != walkSteps, "the estimate is the kernel's");
  check(std::holds_alternative<KernelRefusal>(chooseKernel(model, "bitmask-none")), "no such one");
  for (BitmaskKernel const& kernel : bitmaskKernels()) {
    bool const isTaken = std::holds_alternative<KernelChoice>(chooseKernel(model, kernel.name));
    check(isTaken == kernel.isSupported, "what the machine has can be named");
  }
  describe("auto");
  check(model.warnings.empty(), "no kernel is left out");
}

}  // namespace

int main() {
  testRandomModels();
  testLeafCounts();
  testChoice();
  std::puts("tree_kernels_test: ok");
}
