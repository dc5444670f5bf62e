// Contributions alone: quadrature is exact, every row count from one to beyond a block gives each
// row the answer it has alone, edge values add up, and a hostile model is refused. Comparisons with
// LightGBM and with Shapley's definition are in test/contributions.test.ts.
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "lightgbm/parse_text.h"
#include "lightgbm_example.h"
#include "trees/contributions.h"
#include "trees/predict.h"

using namespace larder::trees;
using larder::lightgbm::parseText;
using larder::lightgbm::test::check;
using larder::lightgbm::test::countedExample;
using larder::lightgbm::test::kExample;
using larder::lightgbm::test::kLimits;
using larder::lightgbm::test::replaced;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kCells = 2 * 4;  // outputs of three features and the expected value

Model parsed(std::string_view text) {
  auto result = parseText(text, kLimits);
  check(std::holds_alternative<Model>(result), "the text parses");
  return std::get<Model>(std::move(result));
}

void testQuadrature() {
  for (std::size_t count = 1; count <= kContributionDepthMax / 2; ++count) {
    auto const points = quadratureOf(count);
    std::string const name = "quadrature of " + std::to_string(count);
    for (std::size_t i = 0; i < count; ++i) {
      check(points[i].t > 0 && points[i].t < 1, name + ": points lie within");
      check(std::fabs(points[i].t + points[i].rest - 1) < 1e-15, name + ": t and its rest");
      check(i == 0 || points[i - 1].t < points[i].t, name + ": points ascend");
    }
    // The greatest degree, and some below it.
    for (std::size_t const power : {2 * count - 1, count, count / 2, std::size_t{0}}) {
      double sum = 0;
      for (auto const& point : points) {
        sum += point.weight * std::pow(point.t, static_cast<double>(power));
      }
      double const exact = 1 / static_cast<double>(power + 1);
      check(std::fabs(sum - exact) < 1e-13 * exact, name + ": t^" + std::to_string(power));
    }
  }
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

void checkSum(double const* shares, double raw, std::string const& name) {
  double const sum = shares[0] + shares[1] + shares[2] + shares[3];
  check(std::fabs(sum - raw) < 1e-13, name + " adds up to " + std::to_string(raw));
}

void testRowCounts(Model const& model, ContributionPlan const& plan) {
  std::size_t const rowsMax = 150;
  auto const values = manyRows(rowsMax);
  std::vector<Column> columns;
  for (auto const& column : values) columns.push_back({column.data(), false});
  std::vector<double> alone(rowsMax * kCells);
  for (std::size_t row = 0; row < rowsMax; ++row) {
    predictContributions(model, plan, {columns, row, row + 1}, alone.data());
  }
  std::vector<double> raw(rowsMax * 2);
  predictScores(model, {columns, 0, rowsMax}, Score::raw, raw.data());
  for (std::size_t cell = 0; cell < raw.size(); ++cell) {
    checkSum(alone.data() + cell * 4, raw[cell], "cell " + std::to_string(cell));
  }
  for (std::size_t rowCount = 0; rowCount <= rowsMax; ++rowCount) {
    std::vector<double> shares(rowCount * kCells);
    predictContributions(model, plan, {columns, 0, rowCount}, shares.data());
    check(rowCount == 0 || std::memcmp(shares.data(), alone.data(), shares.size() * 8) == 0,
          std::to_string(rowCount) + " rows are as each alone");
  }
}

// Only the middle: rows outside the range are not touched.
void testRange(Model const& model, ContributionPlan const& plan) {
  auto const values = manyRows(30);
  std::vector<Column> columns;
  for (auto const& column : values) columns.push_back({column.data(), false});
  std::vector<double> shares(30 * kCells, 42.0);
  predictContributions(model, plan, {columns, 3, 27}, shares.data());
  for (std::size_t cell = 0; cell < shares.size(); ++cell) {
    bool const isInside = cell >= 3 * kCells && cell < 27 * kCells;
    check(isInside || shares[cell] == 42.0, "cell " + std::to_string(cell) + " is left alone");
  }
}

void checkRefusal(std::string const& text, std::string_view says) {
  ContributionPlan const plan = planContributions(parsed(text));
  check(plan.refusal.find(says) != std::string::npos,
        "'" + plan.refusal + "' says '" + std::string(says) + "'");
}

void testRefusals() {
  checkRefusal(std::string(kExample), "tree 2 has linear leaves");
  std::string const counted = countedExample();
  checkRefusal(replaced(counted, "internal_count=4\n", ""),
               "tree 2: the tree has no internal_count");
  checkRefusal(replaced(counted, "leaf_count=3 1\n", ""), "tree 2: the tree has no leaf_count");
  checkRefusal(replaced(counted, "=4 3 2", "=4 3 -2"), "tree 0: a child's cover is -2");
  checkRefusal(replaced(counted, "=9 6", "=9 0"), "tree 0: a node's cover is 0");
  checkRefusal(replaced(counted, "=9 6", "=9 5e9"), "a child's cover is 5e+09, expected 0 to");
  checkRefusal(replaced(counted, "leaf_value=0.5\n", "leaf_value=inf\n"), "tree 1: a leaf is inf");
}

}  // namespace

int main() {
  testQuadrature();
  Model const model = parsed(countedExample());
  ContributionPlan const plan = planContributions(model);
  check(plan.refusal.empty(), "the counted example has contributions: " + plan.refusal);
  testRowCounts(model, plan);
  testRange(model, plan);
  testRefusals();
  std::puts("contributions_test: ok");
}
