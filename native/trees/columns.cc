#include "trees/columns.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "trees/operand_values.h"

namespace larder::trees {

namespace {

constexpr double kLow = -std::numeric_limits<double>::infinity();
constexpr double kXgboostCategoryEnd = 1 << 24;
constexpr std::int64_t kExactIntegerMax = std::int64_t{1} << 53;

constexpr std::size_t kBlockBytes = 64 << 10;

using BlockValues = std::array<double, kBlockRowsMax>;

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
    case Preparation::category:
      return prepareEach(values, count, categoryBits);
    case Preparation::categoryFromOne:
      return prepareEach(values, count, categoryBitsFromOne);
    default:
      return prepareNumbers(preparation, values.data(), count);
  }
}

std::size_t tilesOf(std::size_t rowCount) { return (rowCount + kLanes - 1) / kLanes; }

std::size_t cachedTiles(Model const& model, std::size_t rowCount) {
  std::size_t const cached = kBlockBytes / ((model.operands.size() + 1) * kLanes * sizeof(double));
  return std::clamp<std::size_t>(std::min(cached, tilesOf(rowCount)), 1, kBlockRowsMax / kLanes);
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

TileBlock::TileBlock(Model const& model, TileCount tileCount)
    : model_(model),
      tileCells_((model.operands.size() + 1) * kLanes),
      tileCount_(tileCount.value),
      cells_(tileCells_ * tileCount_, kLow) {}

TileBlock::TileBlock(Model const& model, std::size_t rowCount)
    : TileBlock(model, TileCount{cachedTiles(model, rowCount)}) {}

TileBlock TileBlock::whole(Model const& model, std::size_t rowCount) {
  return TileBlock(model, TileCount{tilesOf(rowCount)});
}

void TileBlock::fill(std::span<Column const> columns, std::size_t begin, std::size_t end) {
  std::size_t const count = end - begin;
  BlockValues values{};
  double* slot = cells_.data() + kLanes;
  for (Operand const& operand : model_.operands) {
    loadValues(columns[operand.feature], model_.rules, begin, count, values.data());
    prepare(operand.preparation, values, count);
    double* lanes = slot;
    for (std::size_t row = 0; row < count; row += kLanes, lanes += tileCells_) {
      std::copy_n(values.data() + row, kLanes, lanes);
    }
    slot += kLanes;
  }
}

}  // namespace larder::trees
