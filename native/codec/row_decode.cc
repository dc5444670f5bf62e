#include "codec/row_decode.h"

#include <algorithm>

namespace larder::codec {

namespace {

std::optional<std::uint32_t> featureIndexOf(RowLayout const& layout, std::uint32_t featureId) {
  for (std::uint32_t index = 0; index < layout.features.size(); index++) {
    if (layout.features[index].id == featureId) return index;
  }
  return std::nullopt;
}

// One decode under way: finds the cells of one slot after the other.
class CellFinder {
 public:
  CellFinder(RowDecoder const& decoder, RowSlots const& slots, Judge const& judge, FoundCells& out)
      : decoder_(decoder),
        slots_(slots),
        judge_(judge),
        out_(out),
        valueOffsets_(decoder.featureCountMax()) {}

  void addSlot(std::uint32_t slot) {
    switch (static_cast<SlotState>(slots_.states[slot])) {
      case SlotState::row:
        return addRow(slot);
      case SlotState::absent:
        return addWithoutCells(kCellNotFound);
      default:
        return addWithoutCells(kCellUnavailable);
    }
  }

 private:
  void addRow(std::uint32_t slot) {
    Bytes const row = slots_.arena.subspan(slots_.starts[slot], slots_.lengths[slot]);
    RowFault fault;
    auto const header = readHeader(row, fault);
    if (!header) return addCorrupt(slot, fault, nullptr);
    if (header->layoutId == kTombstoneLayoutId || header->layoutId == kFenceLayoutId) {
      return addVersionOnly(slot, row, *header);
    }
    RowDecoder::Plan const* const plan = decoder_.planOf(header->layoutId);
    if (plan == nullptr) {
      out_.unknownLayouts.push_back({slot, header->layoutId});
      return addWithoutCells(kCellUnavailable);
    }
    auto const found = findValues(row, *header, plan->layout, valueOffsets_);
    if (found) return addCorrupt(slot, *found, &plan->layout);
    addFound(slot, *plan, eventTimeOf(row, *header));
  }

  void addFound(std::uint32_t slot, RowDecoder::Plan const& plan, std::int64_t eventTimeUs) {
    if (isOlderThan(eventTimeUs, judge_.retentionUs)) return addWithoutCells(kCellNotFound);
    out_.rows.push_back({eventTimeUs, isOlderThan(eventTimeUs, judge_.ttlUs)});
    for (auto const& featureIndex : plan.featureIndexes) {
      if (!featureIndex) {
        out_.cells.push_back(kCellNotFound);
        continue;
      }
      std::uint32_t const offset = valueOffsets_[*featureIndex];
      out_.cells.push_back(offset == 0 ? kCellNull : slots_.starts[slot] + offset);
    }
  }

  void addVersionOnly(std::uint32_t slot, Bytes row, RowHeader const& header) {
    if (auto const fault = checkVersionOnlyRow(row, header)) {
      return addCorrupt(slot, *fault, nullptr);
    }
    addWithoutCells(kCellNotFound);
  }

  void addCorrupt(std::uint32_t slot, RowFault fault, RowLayout const* layout) {
    out_.corrupt.push_back({slot, describeFault(fault, layout)});
    addWithoutCells(kCellUnavailable);
  }

  void addWithoutCells(Cell cell) {
    out_.rows.push_back({0, false});
    out_.cells.insert(out_.cells.end(), decoder_.wanted().size(), cell);
  }

  bool isOlderThan(std::int64_t eventTimeUs, std::int64_t ageUs) const {
    // A row may claim any time: the difference may not fit 64 bits.
    return static_cast<__int128>(judge_.nowUs) - eventTimeUs > ageUs;
  }

  RowDecoder const& decoder_;
  RowSlots const& slots_;
  Judge const& judge_;
  FoundCells& out_;
  std::vector<std::uint32_t> valueOffsets_;
};

}  // namespace

RowDecoder::RowDecoder(std::vector<RowLayout> layouts, std::vector<WantedFeature> wanted)
    : wanted_(std::move(wanted)) {
  for (RowLayout& layout : layouts) {
    Plan plan = {std::move(layout), {}};
    for (WantedFeature const& feature : wanted_) {
      plan.featureIndexes.push_back(featureIndexOf(plan.layout, feature.id));
    }
    featureCountMax_ = std::max(featureCountMax_, plan.layout.features.size());
    std::uint32_t const layoutId = plan.layout.id;
    plans_.emplace(layoutId, std::move(plan));
  }
}

RowDecoder::Plan const* RowDecoder::planOf(std::uint32_t layoutId) const {
  auto const found = plans_.find(layoutId);
  return found == plans_.end() ? nullptr : &found->second;
}

FoundCells findCells(RowDecoder const& decoder, RowSlots const& slots, Judge const& judge,
                     std::span<std::uint32_t const> outputSlots) {
  FoundCells out;
  if (outputSlots.empty()) return out;
  // A view's slots stand together in a batch of several views: only their range is marked.
  auto const [lowest, highest] = std::ranges::minmax(outputSlots);
  constexpr std::uint32_t kNotYet = 0xffffffff;
  std::vector<std::uint32_t> rowOfSlot(highest - lowest + std::size_t{1}, kNotYet);
  out.rows.reserve(std::min(rowOfSlot.size(), outputSlots.size()));
  out.cells.reserve(out.rows.capacity() * decoder.wanted().size());
  out.rowOfOutput.reserve(outputSlots.size());
  CellFinder finder(decoder, slots, judge, out);
  for (std::uint32_t const slot : outputSlots) {
    std::uint32_t& row = rowOfSlot[slot - lowest];
    if (row == kNotYet) {
      row = static_cast<std::uint32_t>(out.rows.size());
      finder.addSlot(slot);
    }
    out.rowOfOutput.push_back(row);
  }
  return out;
}

}  // namespace larder::codec
