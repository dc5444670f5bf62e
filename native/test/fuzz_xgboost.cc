// Mutates a small XGBoost model in both encodings and parses it; what parses, predicts. Run under
// sanitizers.
//
// Usage: fuzz_xgboost [RUNS [SEED]]. Deterministic: the same seed gives the same inputs.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "trees/predict.h"
#include "xgboost/parse_bytes.h"
#include "xgboost_example.h"

using namespace larder::trees;
using larder::xgboost::parseBytes;
using larder::xgboost::test::asUbjson;
using larder::xgboost::test::check;
using larder::xgboost::test::kExample;
using larder::xgboost::test::kLimits;

namespace {

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t bound) { return random() % bound; }

std::string splice(Random& random, std::string const& bytes) {
  static constexpr std::array<std::string_view, 18> kPieces = {
      "",  "{", "}",          "[",   "]",         "\"",   ",",   ":",        "-1",
      "0", "1", "2147483648", "NaN", "-Infinity", "[$l#", "[#i", "16777215", "\\ud83d"};
  switch (below(random, 4)) {
    case 0:
      return std::string(kPieces[below(random, kPieces.size())]);
    case 1:
      return std::string(1, static_cast<char>(random()));
    case 2:
      return std::to_string(static_cast<int>(below(random, 12)) - 2);
    default:
      return bytes.substr(below(random, bytes.size() + 1), below(random, 80));
  }
}

std::string mutate(Random& random, std::string bytes) {
  for (std::size_t edits = 1 + below(random, 4); edits > 0; --edits) {
    std::size_t const begin = below(random, bytes.size() + 1);
    std::size_t const count = below(random, below(random, 8) == 0 ? 200 : 4);
    bytes.replace(begin, std::min(count, bytes.size() - begin), splice(random, bytes));
  }
  return bytes;
}

void predictSomething(Model const& model) {
  constexpr std::size_t kRowCount = 9;  // a whole tile and a rest
  double const inf = std::numeric_limits<double>::infinity();
  std::array<double, kRowCount> const values = {NAN, 0, 1, -1, inf, -inf, 40.5, 16777215.0, 1e-40};
  std::vector<Column> const columns(model.featureNames.size(), Column{values.data(), false});
  std::vector<double> scores(kRowCount * model.outputCount);
  predictScores(model, {columns, 0, kRowCount}, Score::transformed, scores.data());
  std::vector<std::int32_t> leaves(kRowCount * model.trees.size());
  predictLeaves(model, {columns, 0, kRowCount}, leaves.data());
  for (std::int32_t const leaf : leaves) check(leaf >= 0, "every walk ends in a leaf");
}

}  // namespace

int main(int argc, char** argv) {
  long const runs = argc > 1 ? std::atol(argv[1]) : 10'000;
  Random random(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
  std::array const originals = {std::string(kExample), asUbjson(kExample)};
  long acceptedCount = 0;
  for (long run = 0; run < runs; ++run) {
    std::string const bytes = mutate(random, originals[static_cast<std::size_t>(run) % 2]);
    auto const parsed = parseBytes(bytes, kLimits);
    if (auto const* const error = std::get_if<ParseError>(&parsed)) {
      check(error->offset <= bytes.size(), "the offset lies in the file");
      continue;
    }
    ++acceptedCount;
    predictSomething(std::get<Model>(parsed));
  }
  check(runs < 1000 || acceptedCount > 0, "some mutations still parse");
  std::printf("fuzz_xgboost: %ld runs, %ld accepted: ok\n", runs, acceptedCount);
}
