// Decodes a batch: rows of any of a view's layouts in, the cells of the wanted features out.
//
// A row is parsed once however many output rows share its slot. What is found is where each wanted
// cell's value stands in the arena; `column_gather.h` then makes columns of it, one type at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "codec/bytes.h"
#include "codec/row_layout.h"
#include "codec/row_parse.h"

namespace larder::codec {

// The codes of a slot in `src/tiers/row-batch.ts`; any other state is a slot nobody could answer.
enum class SlotState : std::uint8_t { row = 1, absent = 2 };

// Caller-owned rows: slot i is arena[starts[i], starts[i] + lengths[i]) where its state is `row`.
struct RowSlots {
  Bytes arena;
  std::span<std::uint32_t const> starts;
  std::span<std::uint32_t const> lengths;
  std::span<std::uint8_t const> states;
};

// By what a row's age is judged, in microseconds.
struct Judge {
  std::int64_t nowUs;
  std::int64_t ttlUs;
  std::int64_t retentionUs;
};

struct WantedFeature {
  std::uint32_t id;
  FeatureType type;
};

// A view's layouts and the features wanted of them, compiled once.
class RowDecoder {
 public:
  // A wanted feature has the same type in every layout that has it: ids are permanent.
  RowDecoder(std::vector<RowLayout> layouts, std::vector<WantedFeature> wanted);

  struct Plan {
    RowLayout layout;
    // For each wanted feature its place in the layout; nothing where the layout lacks it.
    std::vector<std::optional<std::uint32_t>> featureIndexes;
  };
  Plan const* planOf(std::uint32_t layoutId) const;
  std::vector<WantedFeature> const& wanted() const { return wanted_; }
  std::size_t featureCountMax() const { return featureCountMax_; }

 private:
  std::unordered_map<std::uint32_t, Plan> plans_;
  std::vector<WantedFeature> wanted_;
  std::size_t featureCountMax_ = 0;
};

// Where a cell's value starts in the arena, or one of these: no value starts that early, since the
// version stands before it.
using Cell = std::uint32_t;
inline constexpr Cell kCellNotFound = 0;
inline constexpr Cell kCellNull = 1;
inline constexpr Cell kCellUnavailable = 2;
inline constexpr Cell kCellValueMin = 3;

struct FoundRow {
  std::int64_t eventTimeUs;  // 0 where there is no row, or none to be seen any more
  bool isStale;              // older than the ttl, not older than the retention
};

struct CorruptSlot {
  std::uint32_t slot;
  std::string reason;
};
struct UnknownLayout {
  std::uint32_t slot;
  std::uint32_t layoutId;
};

struct FoundCells {
  std::vector<FoundRow> rows;              // one per distinct slot
  std::vector<Cell> cells;                 // rows x wanted features
  std::vector<std::uint32_t> rowOfOutput;  // for each output row its index in `rows`
  std::vector<CorruptSlot> corrupt;
  std::vector<UnknownLayout> unknownLayouts;
};

// `outputSlots` names each output row's slot, all of them within `slots`.
FoundCells findCells(RowDecoder const& decoder, RowSlots const& slots, Judge const& judge,
                     std::span<std::uint32_t const> outputSlots);

}  // namespace larder::codec
