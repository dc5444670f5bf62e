// The LightGBM kernel alone: every row count from one to beyond a block gives each row the answer
// it has alone, and edge values go where the rules say. Comparisons with LightGBM itself are in
// test/lightgbm.test.ts.
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "lightgbm/parse_text.h"
#include "lightgbm_example.h"
#include "trees/predict.h"

using namespace larder::trees;
using larder::lightgbm::parseText;
using larder::lightgbm::test::check;
using larder::lightgbm::test::kExample;
using larder::lightgbm::test::kLimits;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

using Row = std::array<double, 3>;
using Scores = std::array<double, 2>;

Scores rawOf(Model const& model, Row const& row) {
  std::vector<Column> columns;
  for (double const& value : row) columns.push_back({&value, false});
  Scores scores{};
  predictScores(model, {columns, 0, 1}, Score::raw, scores.data());
  return scores;
}

bool isSame(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

void checkRow(Model const& model, Row const& row, Scores const& expected) {
  Scores const scores = rawOf(model, row);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    check(isSame(scores[i], expected[i]),
          "row " + std::to_string(row[0]) + ", " + std::to_string(row[1]) + ", " +
              std::to_string(row[2]) + ": " + std::to_string(scores[i]) + ", expected " +
              std::to_string(expected[i]));
  }
}

void testEdges(Model const& model) {
  checkRow(model, {0, 2, 1}, {1 + 64, 0.5 - 1});
  checkRow(model, {0, 2, 0}, {4 + 64, 0.5 - 1});
  checkRow(model, {0.5, 2, kNan}, {4 + 64, 0.5 - 1});
  checkRow(model, {std::nextafter(0.5, 1), 2, 1}, {2 + 64, 0.5 - 1});
  checkRow(model, {kNan, -2, 2.9}, {1 + 8, 0.5 - 1});
  checkRow(model, {kInf, 0, -0.5}, {kInf, 0.5 - 1});
  checkRow(model, {4, kNan, 2147483648.0}, {2 + 33, kNan});
  checkRow(model, {4, 1e-35, 32}, {2 + 33, 0.5 - 1});
  checkRow(model, {-4, 5, 1e300}, {4 + 64, 0.5 - 1});
}

std::vector<std::vector<double>> manyRows(std::size_t rowCount) {
  std::array<double, 9> const values = {kNan, 0, 1, 2, -kInf, kInf, 0.5, 1e-40, 3e9};
  std::vector<std::vector<double>> columns(3);
  for (std::size_t row = 0; row < rowCount; ++row) {
    columns[0].push_back(values[row % 9]);
    columns[1].push_back(values[(row / 2) % 9]);
    columns[2].push_back(values[(row / 5) % 9]);
  }
  return columns;
}

void testRowCounts(Model const& model) {
  std::size_t const rowsMax = 150;
  auto const values = manyRows(rowsMax);
  std::vector<Column> columns;
  for (auto const& column : values) columns.push_back({column.data(), false});
  for (std::size_t rowCount = 0; rowCount <= rowsMax; ++rowCount) {
    std::vector<double> scores(rowCount * 2);
    predictScores(model, {columns, 0, rowCount}, Score::raw, scores.data());
    for (std::size_t row = 0; row < rowCount; ++row) {
      Scores const alone = rawOf(model, {values[0][row], values[1][row], values[2][row]});
      check(isSame(scores[row * 2], alone[0]) && isSame(scores[row * 2 + 1], alone[1]),
            "row " + std::to_string(row) + " of " + std::to_string(rowCount));
    }
  }
}

void testColumnTypes(Model const& model) {
  float const a = 0.25f;
  std::int64_t const b = 3;
  double const c[] = {1, 0, 7};
  std::vector<Column> const columns = {{&a, true}, {&b, true}, {c, false}};
  std::vector<double> scores(6);
  predictScores(model, {columns, 0, 3}, Score::raw, scores.data());
  check(scores[0] == 1 + 64 && scores[2] == 4 + 64 && scores[4] == 4 + 64, "mixed column types");
  std::vector<std::int32_t> leaves(12);
  predictLeaves(model, {columns, 0, 3}, leaves.data());
  check(leaves[0] == 0 && leaves[4] == 2 && leaves[6] == 1, "leaves of mixed column types");
}

void testInexactIntegers() {
  std::int64_t const exact = std::int64_t{1} << 53;
  std::int64_t const values[] = {exact, -exact, exact + 1};
  std::vector<Column> const columns = {{values, false}};
  check(!findInexactInteger({columns, 0, 2}), "2^53 is exact");
  auto const found = findInexactInteger({columns, 0, 3});
  check(found && found->row == 2 && found->value == exact + 1, "2^53 + 1 is not");
  std::int64_t const lowest = std::numeric_limits<std::int64_t>::min();
  check(findInexactInteger({std::vector<Column>{{&lowest, true}}, 0, 9}).has_value(), "-2^63");
}

}  // namespace

int main() {
  auto const parsed = parseText(kExample, kLimits);
  check(std::holds_alternative<Model>(parsed), "the example parses");
  Model const& model = std::get<Model>(parsed);
  testEdges(model);
  testRowCounts(model);
  testColumnTypes(model);
  testInexactIntegers();
  std::puts("lightgbm_predict_test: ok");
}
