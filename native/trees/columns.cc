#include "trees/columns.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

namespace larder::trees {

namespace {

// LightGBM's kZeroThreshold: a float literal, widened.
constexpr double kZero = static_cast<double>(1e-35f);
constexpr double kLow = -std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kXgboostCategoryEnd = 1 << 24;
constexpr std::int64_t kExactIntegerMax = std::int64_t{1} << 53;

constexpr std::size_t kBlockTilesMax = 8;
constexpr std::size_t kBlockBytes = 64 << 10;

using BlockValues = std::array<double, kBlockTilesMax * kLanes>;

void load(Column const& column, NumberRules const& rules, std::size_t begin, std::size_t count,
          BlockValues& values) {
  std::visit(
      [&](auto const* source) {
        std::size_t const stride = column.isBroadcast ? 0 : 1;
        source += begin * stride;
        for (std::size_t i = 0; i < count; ++i) {
          double const x = static_cast<double>(source[i * stride]);
          double const rounded =
              rules.roundsInputs ? static_cast<double>(static_cast<float>(x)) : x;
          values[i] = rules.dropsTiny && std::fabs(rounded) <= kZero ? 0.0 : rounded;
        }
      },
      column.values);
}

// The category a value stands for, as bits a categorical node reads back. The range is tested
// before the cast: outside it the cast has no defined result.
double categoryBits(double x) {
  double const category = std::trunc(x);
  bool const isCategory = category >= 0 && category <= std::numeric_limits<std::int32_t>::max();
  std::uint64_t const bits = isCategory ? static_cast<std::uint32_t>(category) : kNoCategory;
  return std::bit_cast<double>(bits);
}

double categoryBitsFromOne(double x) {
  if (std::isnan(x)) return std::bit_cast<double>(std::uint64_t{0});
  // XGBoost's bound: from 2^24 on a float32 does not hold every category.
  bool const isCategory = x >= 0 && x < kXgboostCategoryEnd;
  std::uint64_t const bits = isCategory ? static_cast<std::uint32_t>(x) + 1 : kNoCategory;
  return std::bit_cast<double>(bits);
}

template <typename Prepare>
void prepareEach(BlockValues& values, std::size_t count, Prepare prepare) {
  for (std::size_t i = 0; i < count; ++i) values[i] = prepare(values[i]);
}

void prepare(Preparation preparation, BlockValues& values, std::size_t count) {
  switch (preparation) {
    case Preparation::zeroForNan:
      return prepareEach(values, count, [](double x) { return std::isnan(x) ? 0.0 : x; });
    case Preparation::nanForZeroAndNan:
      return prepareEach(values, count, [](double x) { return x == 0 ? kNan : x; });
    case Preparation::lowForZeroAndNan:
      return prepareEach(values, count,
                         [](double x) { return x == 0 || std::isnan(x) ? kLow : x; });
    case Preparation::nanForNan:
      return;
    case Preparation::lowForNan:
      return prepareEach(values, count, [](double x) { return std::isnan(x) ? kLow : x; });
    case Preparation::category:
      return prepareEach(values, count, categoryBits);
    case Preparation::categoryFromOne:
      return prepareEach(values, count, categoryBitsFromOne);
  }
}

}  // namespace

std::optional<InexactInteger> findInexactInteger(RowRange const& rows) {
  for (std::size_t feature = 0; feature < rows.columns.size(); ++feature) {
    Column const& column = rows.columns[feature];
    auto const* const* values = std::get_if<std::int64_t const*>(&column.values);
    if (values == nullptr) continue;
    std::size_t const begin = column.isBroadcast ? 0 : rows.begin;
    std::size_t const end = column.isBroadcast ? 1 : rows.end;
    for (std::size_t row = begin; row < end; ++row) {
      std::int64_t const value = (*values)[row];
      if (value > kExactIntegerMax || value < -kExactIntegerMax) {
        return InexactInteger{feature, row, value};
      }
    }
  }
  return std::nullopt;
}

TileBlock::TileBlock(Model const& model, std::size_t rowCount)
    : model_(model), tileCells_((model.operands.size() + 1) * kLanes) {
  std::size_t const cached = kBlockBytes / (tileCells_ * sizeof(double));
  std::size_t const needed = (rowCount + kLanes - 1) / kLanes;
  tileCount_ = std::clamp<std::size_t>(std::min(cached, needed), 1, kBlockTilesMax);
  cells_.assign(tileCells_ * tileCount_, kLow);
}

void TileBlock::fill(std::span<Column const> columns, std::size_t begin, std::size_t end) {
  std::size_t const count = end - begin;
  BlockValues values{};
  double* slot = cells_.data() + kLanes;
  for (Operand const& operand : model_.operands) {
    load(columns[operand.feature], model_.rules, begin, count, values);
    prepare(operand.preparation, values, count);
    double* lanes = slot;
    for (std::size_t row = 0; row < count; row += kLanes, lanes += tileCells_) {
      std::copy_n(values.data() + row, kLanes, lanes);
    }
    slot += kLanes;
  }
}

}  // namespace larder::trees
