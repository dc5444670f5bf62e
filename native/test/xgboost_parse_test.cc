// The XGBoost reader alone: what a good file becomes in both encodings, and where a bad one is
// refused. The full table of broken files is in test/xgboost-bad-files.test.ts, comparisons with
// XGBoost itself in test/xgboost.test.ts.
#include <array>
#include <cmath>
#include <limits>

#include "trees/predict.h"
#include "xgboost/parse_bytes.h"
#include "xgboost_example.h"

using namespace larder::trees;
using larder::xgboost::parseBytes;
using larder::xgboost::test::asUbjson;
using larder::xgboost::test::check;
using larder::xgboost::test::kExample;
using larder::xgboost::test::kLimits;
using larder::xgboost::test::replaced;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Model parseGood(std::string_view bytes) {
  auto parsed = parseBytes(bytes, kLimits);
  auto const* const error = std::get_if<ParseError>(&parsed);
  check(error == nullptr, error == nullptr ? "" : "parses: " + error->message);
  return std::get<Model>(std::move(parsed));
}

void checkRefused(std::string const& bytes, std::string_view at, std::string_view says) {
  auto const parsed = parseBytes(bytes, kLimits);
  auto const* const error = std::get_if<ParseError>(&parsed);
  check(error != nullptr, "refused: " + std::string(says));
  check(error->offset == bytes.find(at), error->message + " is told where it is");
  check(error->message.find(says) != std::string::npos, error->message + " says " + says.data());
}

void testGoodFile(std::string const& bytes) {
  Model const model = parseGood(bytes);
  check(model.trees.size() == 2 && model.outputCount == 2, "two trees, two outputs");
  check(model.treeOutputs == std::vector<std::uint32_t>{1, 0}, "outputs as tree_info says");
  check(model.baseScores == std::vector<double>{0.5, 1}, "a base score for each output");
  check(model.nodes.size() == 5 + 1, "deleted nodes are left out");
  // Nothing is weighed in a tree of one leaf: its cover is 1.
  check(model.covers == std::vector<double>{6, 1, 5, 3, 2, 1}, "covers, of swapped children too");
  check(model.objective.name == "multi:softprob" && model.version == "3.2.0", "words of the file");
  check(model.isFeatureCategorical[2] && !model.isFeatureCategorical[0], "categorical features");
  check(model.pandasCategorical == R"([["x","y","z"]])", "lists of categories");
  check(model.warnings.empty(), "no warnings");
}

std::array<double, 2> marginsOf(Model const& model, std::array<double, 3> const& row) {
  std::vector<Column> columns;
  for (double const& value : row) columns.push_back({&value, false});
  std::array<double, 2> margins{};
  predictScores(model, {columns, 0, 1}, Score::raw, margins.data());
  return margins;
}

void testEdges(std::string const& bytes) {
  Model const model = parseGood(bytes);
  auto const checkLeaf = [&](double a, double c, double leaf) {
    auto const margins = marginsOf(model, {a, 0, c});
    check(margins[0] == 0.5 - 0.25 && margins[1] == 1 + leaf / 2,
          "row " + std::to_string(a) + ", " + std::to_string(c));
  };
  checkLeaf(std::nextafter(0.5f, 0.0f), 0, 1);
  checkLeaf(0.5, 0, 2);
  checkLeaf(std::nextafter(0.5, 0.0), 0, 2);  // in float32 that is 0.5
  checkLeaf(kNan, 0, 1);
  checkLeaf(-kInf, 0, 1);
  checkLeaf(kInf, 1, 4);
  checkLeaf(1, 40.9, 4);
  for (double const c : {-1.0, -0.5, 0.0, 2.0, 41.0, 16777216.0, kInf, -kInf}) checkLeaf(1, c, 2);
  checkLeaf(1, kNan, 4);
}

// Nothing is below -inf or NaN; everything but +inf is below +inf.
void testThresholds() {
  auto const goesLeft = [](std::string_view threshold, double x) {
    auto const text = replaced(kExample, "[0.5,1.0", "[" + std::string(threshold) + ",1.0");
    return marginsOf(parseGood(text), {x, 0, 0})[1] == 1.5;
  };
  for (double const x : {-kInf, -1.0, 0.0, 1.0, kInf}) {
    check(!goesLeft("-Infinity", x) && !goesLeft("NaN", x), "nothing goes left");
    check(goesLeft("Infinity", x) == (x < kInf), "all but +inf go left");
  }
  check(goesLeft("-Infinity", kNan) && goesLeft("NaN", kNan), "missing values go their way");
  check(goesLeft("1e-45", 0) && goesLeft("1e-45", -0.0) && !goesLeft("1e-45", 1.4e-45), "denormal");
  check(!goesLeft("0.0", -0.0) && goesLeft("0.0", -1.4e-45), "zero");
  check(goesLeft("-3.4028235e38", -kInf) && !goesLeft("-3.4028235e38", -3.4028235e38), "lowest");
}

void testRefusals() {
  checkRefused(replaced(kExample, "[1,-1,3", "[1,-1,0"), "0,-1,-1,-1,-1],\"right", "reached twice");
  checkRefused(replaced(kExample, "\"7\"", "\"131072\""), "[1,-1,3", "expected 131072 (num_nodes)");
  checkRefused(replaced(kExample, "\"num_feature\":\"3\"", "\"num_feature\":\"1001\""), "\"1001\"",
               "expected 0 to 1000");
  checkRefused(replaced(kExample, "[0.5,1.0]}", "[0.5]}"), "[0.5]}", "expected 2 (num_trees)");
}

void testEveryCutIsRefused(std::string const& bytes) {
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    auto const parsed = parseBytes(std::string_view(bytes).substr(0, cut), kLimits);
    check(std::holds_alternative<ParseError>(parsed), "cut at " + std::to_string(cut));
    check(std::get<ParseError>(parsed).offset <= cut, "the offset lies in the file");
  }
}

void testNodeLimit() {
  ParseLimits limits = kLimits;
  limits.nodesMax = 5;
  check(std::holds_alternative<ParseError>(parseBytes(kExample, limits)), "seven do not fit five");
  limits.nodesMax = 7;
  check(std::holds_alternative<Model>(parseBytes(kExample, limits)), "seven nodes fit seven");
}

}  // namespace

int main() {
  for (std::string const& bytes : {std::string(kExample), asUbjson(kExample)}) {
    testGoodFile(bytes);
    testEdges(bytes);
    testEveryCutIsRefused(bytes);
  }
  testThresholds();
  testRefusals();
  testNodeLimit();
  std::puts("xgboost_parse_test: ok");
}
