// Mutates a small LightGBM model and parses it; what parses, predicts. Run under sanitizers.
//
// Usage: fuzz_lightgbm [RUNS [SEED]]. Deterministic: the same seed gives the same inputs.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include "lightgbm/parse_text.h"
#include "lightgbm_example.h"
#include "trees/bitmask_predict.h"
#include "trees/contributions.h"
#include "trees/predict.h"

using namespace larder::trees;
using larder::lightgbm::parseText;
using larder::lightgbm::test::check;
using larder::lightgbm::test::countedExample;
using larder::lightgbm::test::kExample;
using larder::lightgbm::test::kLimits;

namespace {

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t bound) { return random() % bound; }

std::string splice(Random& random, std::string const& text) {
  static constexpr std::array<std::string_view, 14> kPieces = {
      "",           "\n",
      "=",          " ",
      "-1",         "0",
      "1",          "131072",
      "nan",        "inf",
      "2147483648", "99999999999999999999",
      "1e9",        "Tree=0\nnum_leaves=2\n"};
  switch (below(random, 3)) {
    case 0:
      return std::string(kPieces[below(random, kPieces.size())]);
    case 1:
      return std::string(1, static_cast<char>(random()));
    default:
      return text.substr(below(random, text.size() + 1), below(random, 80));
  }
}

std::string mutate(Random& random) {
  static std::string const kCounted = countedExample();
  std::string text(below(random, 2) == 0 ? kExample : std::string_view(kCounted));
  for (std::size_t edits = 1 + below(random, 4); edits > 0; --edits) {
    std::size_t const begin = below(random, text.size() + 1);
    std::size_t const count = below(random, below(random, 8) == 0 ? 200 : 4);
    text.replace(begin, std::min(count, text.size() - begin), splice(random, text));
  }
  return text;
}

// Every kernel gives the scores of the walk, whatever the thresholds have become.
void checkKernels(Model const& model, std::span<Column const> columns, std::size_t rowCount) {
  std::vector<double> walked(rowCount * model.outputCount);
  walkScores(model, {columns, 0, rowCount}, walked.data());
  auto const forest = std::make_shared<BitmaskForest const>(layOutBitmaskForest(model));
  for (BitmaskKernel const& kernel : bitmaskKernels()) {
    if (!kernel.isSupported) continue;
    std::vector<double> scores(rowCount * model.outputCount);
    predictBitmask(model, {kernel, forest}, {columns, 0, rowCount}, scores.data());
    for (std::size_t i = 0; i < scores.size(); ++i) {
      bool const isSame = std::isnan(scores[i]) ? std::isnan(walked[i]) : scores[i] == walked[i];
      check(isSame, "score " + std::to_string(i) + " of " + std::string(kernel.name));
    }
  }
}

// Whether the model has contributions.
bool predictSomething(Model const& model) {
  constexpr std::size_t kRowCount = 9;  // a whole tile and a rest
  double const inf = std::numeric_limits<double>::infinity();
  std::array<double, kRowCount> const values = {NAN,          0,    1, -1, inf, -inf, 31.5,
                                                2147483648.0, 1e-40};
  std::vector<Column> const columns(model.featureNames.size(), Column{values.data(), false});
  std::vector<double> scores(kRowCount * model.outputCount);
  predictScores(model, {columns, 0, kRowCount}, Score::transformed, scores.data());
  std::vector<std::int32_t> leaves(kRowCount * model.trees.size());
  predictLeaves(model, {columns, 0, kRowCount}, leaves.data());
  for (std::int32_t const leaf : leaves) check(leaf >= 0, "every walk ends in a leaf");
  checkKernels(model, columns, kRowCount);
  ContributionPlan const plan = planContributions(model);
  if (!plan.refusal.empty()) return false;
  std::vector<double> shares(scores.size() * (columns.size() + 1));
  predictContributions(model, plan, {columns, 0, kRowCount}, shares.data());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  long const runs = argc > 1 ? std::atol(argv[1]) : 10'000;
  Random random(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
  long acceptedCount = 0;
  long explainedCount = 0;
  for (long run = 0; run < runs; ++run) {
    std::string const text = mutate(random);
    auto parsed = parseText(text, kLimits);
    if (auto const* const error = std::get_if<ParseError>(&parsed)) {
      check(error->offset <= text.size(), "the offset lies in the file");
      continue;
    }
    ++acceptedCount;
    explainedCount += predictSomething(std::get<Model>(parsed)) ? 1 : 0;
  }
  std::printf("fuzz_lightgbm: %ld runs, %ld accepted, %ld with contributions: ok\n", runs,
              acceptedCount, explainedCount);
}
