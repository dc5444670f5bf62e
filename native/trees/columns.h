// Input columns and the tiles they are turned into.
//
// A block is up to `blockRows` rows as tiles of kLanes rows: [tile][slot][lane], f64. Slot 0 is the
// -inf that leaves read; slot i + 1 is the model's operand i, prepared (see `Preparation`) under
// the model's `NumberRules`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "trees/model.h"

namespace larder::trees {

// Values of one feature, one per row or one for all rows. Owned by the caller.
struct Column {
  std::variant<float const*, double const*, std::int64_t const*> values;
  bool isBroadcast;
};

// Rows [begin, end) of one column per model feature.
struct RowRange {
  std::span<Column const> columns;
  std::size_t begin;
  std::size_t end;
};

struct InexactInteger {
  std::size_t feature;
  std::size_t row;
  std::int64_t value;
};

// The first integer beyond 2^53: it has no exact f64, and a rounded one might take another branch.
std::optional<InexactInteger> findInexactInteger(RowRange const& rows);

inline constexpr std::size_t kBlockRowsMax = 8 * kLanes;

class TileBlock {
 public:
  // Sized for `rowCount` rows at most: a single row needs a single tile.
  TileBlock(Model const& model, std::size_t rowCount);
  // Holds `rowCount` rows at once, however wide the model is; at most kBlockRowsMax.
  static TileBlock whole(Model const& model, std::size_t rowCount);
  // Rows a block holds: a multiple of kLanes, as many as keep the tiles near the first cache.
  std::size_t blockRows() const { return tileCount_ * kLanes; }
  // Fills the tiles from rows [begin, end) of the columns, at most blockRows() of them.
  void fill(std::span<Column const> columns, std::size_t begin, std::size_t end);
  double const* tile(std::size_t index) const { return cells_.data() + index * tileCells_; }

 private:
  struct TileCount {
    std::size_t value;
  };
  TileBlock(Model const& model, TileCount tileCount);

  Model const& model_;
  std::size_t tileCells_;
  std::size_t tileCount_;
  std::vector<double> cells_;
};

}  // namespace larder::trees
