// Decodes a batch: rows of any of a view's layouts in, columns of the wanted features out.
//
// A row is decoded once however many output rows share its slot, in one pass: its values go where
// the first of those output rows has them, and are copied to the others at the end. A row that is
// found corrupt half-way leaves no trace.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "codec/bytes.h"
#include "codec/decoded_columns.h"
#include "codec/row_layout.h"

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

// By what a row's age is judged, in microseconds, and whether a value older than the ttl is served.
struct Judge {
  std::int64_t nowUs;
  std::int64_t ttlUs;
  std::int64_t retentionUs;
  bool servesStale;
};

// A view's layouts and the features wanted of them, compiled once.
class RowDecoder {
 public:
  // A wanted feature has the same type in every layout that has it: ids are permanent.
  RowDecoder(std::vector<std::shared_ptr<RowLayout const>> layouts,
             std::vector<WantedFeature> wanted);

  static constexpr std::uint32_t kUnwanted = 0xffffffff;
  struct Plan {
    std::shared_ptr<RowLayout const> layout;
    // For each feature of the layout its column, or `kUnwanted`.
    std::vector<std::uint32_t> columnIndexes;
    // Columns of features that the layout lacks.
    std::vector<std::uint32_t> lackingColumns;
  };
  std::vector<Plan> const& plans() const { return plans_; }
  // The layout's place in `plans`; nothing where it is not known.
  std::optional<std::size_t> planIndexOf(std::uint32_t layoutId) const;
  std::vector<WantedFeature> const& wanted() const { return wanted_; }

 private:
  std::vector<Plan> plans_;
  std::unordered_map<std::uint32_t, std::size_t> planIndexes_;
  std::vector<WantedFeature> wanted_;
};

struct CorruptSlot {
  std::uint32_t slot;
  std::string reason;
};
struct UnknownLayout {
  std::uint32_t slot;
  std::uint32_t layoutId;
};

// What was found wrong, in the order of output rows.
struct Findings {
  std::vector<CorruptSlot> corrupt;
  std::vector<UnknownLayout> unknownLayouts;
};

// `outputSlots` names each output row's slot, all of them within `slots`; `columns` have as many
// rows.
Findings decodeRows(RowDecoder const& decoder, RowSlots const& slots, Judge const& judge,
                    std::span<std::uint32_t const> outputSlots, DecodedColumns& columns);

}  // namespace larder::codec
