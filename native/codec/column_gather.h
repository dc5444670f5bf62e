// Makes typed columns of found cells: from row bytes straight into the caller's arrays.
//
// A column has a fixed part, `rowCount` values (or u32 lengths) and as many status bytes, which
// lies in the caller's memory; what varies in size (blobs, list elements) comes behind it, in
// memory that is allocated once its size is known. Values are read without bounds checks:
// `findCells` made them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "codec/row_decode.h"

namespace larder::codec {

// Where each column's parts start in the caller's memory, which is zero. Values are aligned to
// their width.
struct FixedParts {
  std::uint8_t* memory;
  std::size_t eventTimesOffset;
  std::span<std::uint32_t const> valueOffsets;
  std::span<std::uint32_t const> statusOffsets;
};

// Bytes of a column that vary. A list of `var` has both: its elements' lengths and their blob.
struct VaryingPart {
  std::size_t elementBytes;  // of lists: numbers, or u32 lengths
  std::size_t dataBytes;     // of `var`
};

class ColumnGatherer {
 public:
  // Whether a value older than the ttl is served. All three must outlive the gatherer.
  ColumnGatherer(RowDecoder const& decoder, FoundCells const& found, Bytes arena, bool servesStale);

  // Fills event times, statuses, numbers and lengths; returns what the varying parts will take.
  std::vector<VaryingPart> gatherFixed(FixedParts const& parts) const;

  // Fills one column's varying parts, of the sizes that `gatherFixed` returned.
  void gatherVarying(std::size_t columnIndex, std::uint8_t* elements, std::uint8_t* data) const;

 private:
  // Calls `use(outputIndex, value)` for each output row of the column that has a value to show.
  template <typename Use>
  void eachValue(std::size_t columnIndex, Use use) const;
  template <typename Stored, typename Held>
  void gatherNumbers(std::size_t columnIndex, std::uint8_t* values) const;
  void gatherStatuses(std::size_t columnIndex, std::uint8_t* statuses) const;
  VaryingPart gatherColumn(std::size_t columnIndex, std::uint8_t* values) const;
  void gatherScalars(std::size_t columnIndex, std::uint8_t* values) const;
  VaryingPart gatherLengths(std::size_t columnIndex, std::uint8_t* lengths) const;

  RowDecoder const& decoder_;
  FoundCells const& found_;
  Bytes arena_;
  bool servesStale_;
};

}  // namespace larder::codec
