#include "codec/row_decode.h"

#include <algorithm>
#include <optional>

#include "codec/column_decode.h"
#include "codec/row_cursor.h"
#include "codec/row_header.h"

namespace larder::codec {

namespace {

// Rows that are decoded together: few enough that they and their cursors stay in the nearest cache.
constexpr std::size_t kBlockRows = 128;

// Sets the reader to the body's values and `marks` to the bits before them.
Corruption openPlainBody(RowLayout const& layout, Bytes body, RowCursor& row) {
  std::size_t const presenceBytes = layout.presenceBytes();
  if (body.size() < presenceBytes) return Corruption::truncatedHeader;
  std::size_t const usedBits = layout.features.size() % 8;
  if (usedBits != 0 && body[presenceBytes - 1] >> usedBits != 0) return Corruption::presencePadding;
  row.marks = body.data();
  row.reader = BitReader(body.data(), body.size());
  row.reader.skip(8 * presenceBytes);
  return Corruption::none;
}

Corruption openLearnedBody(RowLayout const& layout, Bytes body, RowCursor& row) {
  row.reader = BitReader(body.data(), body.size());
  std::uint64_t hasExceptions;
  if (!row.reader.take(1, hasExceptions)) return Corruption::truncatedHeader;
  if (hasExceptions == 0) {
    row.marks = nullptr;
    return Corruption::none;
  }
  std::size_t const featureCount = layout.features.size();
  if (!row.reader.skip(featureCount)) return Corruption::truncatedHeader;
  row.marks = body.data();
  for (std::size_t bit = 1; bit <= featureCount; bit++) {
    if (row.isMarked(bit)) return Corruption::none;
  }
  return Corruption::noException;
}

Corruption checkEnd(RowLayout const& layout, BitReader& reader) {
  std::size_t const bitsLeft = reader.left();
  if (bitsLeft == 0) return Corruption::none;
  if (!layout.codings || bitsLeft >= 8) return Corruption::trailingBytes;
  std::uint64_t padding;
  reader.take(static_cast<unsigned>(bitsLeft), padding);
  return padding == 0 ? Corruption::none : Corruption::bitPadding;
}

// One decode under way.
class BatchDecode {
 public:
  BatchDecode(RowDecoder const& decoder, RowSlots const& slots, Judge const& judge,
              DecodedColumns& columns)
      : decoder_(decoder),
        slots_(slots),
        judge_(judge),
        columns_(columns),
        blocks_(decoder.plans().size()) {}

  void addSlot(std::uint32_t slot, std::uint32_t output) {
    switch (static_cast<SlotState>(slots_.states[slot])) {
      case SlotState::row:
        return addRow(slot, output);
      case SlotState::absent:
        return columns_.setEmptyRow(output, CellStatus::notFound);
      default:
        return columns_.setEmptyRow(output, CellStatus::unavailable);
    }
  }

  Findings finish() {
    for (std::size_t index = 0; index < blocks_.size(); index++) decodeBlock(index);
    std::ranges::sort(corrupt_, {}, &CorruptOutput::output);
    for (CorruptOutput& each : corrupt_) findings_.corrupt.push_back(std::move(each.found));
    return std::move(findings_);
  }

 private:
  struct CorruptOutput {
    std::uint32_t output;
    CorruptSlot found;
  };

  void addRow(std::uint32_t slot, std::uint32_t output) {
    Bytes const row = slots_.arena.subspan(slots_.starts[slot], slots_.lengths[slot]);
    RowFault fault = {};
    auto const header = readHeader(row, fault.corruption);
    if (!header) return addCorrupt({slot, output}, fault, nullptr);
    if (header->layoutId == kTombstoneLayoutId || header->layoutId == kFenceLayoutId) {
      fault.corruption = checkVersionOnlyRow(row, *header);
      if (fault.corruption != Corruption::none) return addCorrupt({slot, output}, fault, nullptr);
      return columns_.setEmptyRow(output, CellStatus::notFound);
    }
    auto const planIndex = planIndexOf(header->layoutId);
    if (!planIndex) {
      findings_.unknownLayouts.push_back({slot, header->layoutId});
      return columns_.setEmptyRow(output, CellStatus::unavailable);
    }
    openRow(row, *header, *planIndex, {slot, output});
  }

  // Most rows have the layout of the row before.
  std::optional<std::size_t> planIndexOf(std::uint32_t layoutId) {
    if (layoutId != lastLayoutId_) {
      lastLayoutId_ = layoutId;
      lastPlanIndex_ = decoder_.planIndexOf(layoutId);
    }
    return lastPlanIndex_;
  }

  void openRow(Bytes row, RowHeader const& header, std::size_t planIndex, RowPlace place) {
    RowLayout const& layout = *decoder_.plans()[planIndex].layout;
    std::size_t const bodyOffset = header.versionOffset + layout.versionBytes();
    RowFault fault = {Corruption::truncatedHeader, layout.features.size()};
    if (row.size() < bodyOffset) return addCorrupt(place, fault, &layout);
    Bytes const body = padded(row.subspan(bodyOffset));
    std::vector<RowCursor>& rows = blocks_[planIndex];
    if (rows.capacity() == 0) rows.reserve(std::min(kBlockRows, slots_.states.size()));
    // Made where it stays: a copy would wait for what was just written.
    RowCursor& cursor = rows.emplace_back();
    cursor.place = place;
    fault.corruption = layout.codings ? openLearnedBody(layout, body, cursor)
                                      : openPlainBody(layout, body, cursor);
    if (fault.corruption != Corruption::none) {
      rows.pop_back();
      return addCorrupt(place, fault, &layout);
    }
    judgeAge(eventTimeOf(row, header, layout), cursor);
    if (rows.size() == kBlockRows) decodeBlock(planIndex);
  }

  // The body where a reader may read a little beyond it: in the arena, or a copy.
  Bytes padded(Bytes body) {
    auto const bytesBehind = static_cast<std::size_t>(slots_.arena.data() + slots_.arena.size() -
                                                      (body.data() + body.size()));
    if (bytesBehind >= BitReader::kPaddingBytes) return body;
    std::vector<std::uint8_t>& copy = paddedBodies_.emplace_back();
    copy.reserve(body.size() + BitReader::kPaddingBytes);
    copy.assign(body.begin(), body.end());
    copy.resize(body.size() + BitReader::kPaddingBytes);
    return Bytes(copy).first(body.size());
  }

  void judgeAge(std::int64_t eventTimeUs, RowCursor& row) const {
    // A row may claim any time: the difference may not fit 64 bits.
    auto const ageUs = static_cast<__int128>(judge_.nowUs) - eventTimeUs;
    bool const isExpired = ageUs > judge_.retentionUs;
    bool const isStale = ageUs > judge_.ttlUs;
    row.eventTimeUs = eventTimeUs;
    row.status = isExpired ? CellStatus::notFound
                 : isStale ? CellStatus::outsideMaxAge
                           : CellStatus::present;
    row.isShown = !isExpired && (!isStale || judge_.servesStale);
  }

  void decodeBlock(std::size_t planIndex) {
    RowDecoder::Plan const& plan = decoder_.plans()[planIndex];
    std::vector<RowCursor>& rows = blocks_[planIndex];
    if (rows.empty()) return;
    RowLayout const& layout = *plan.layout;
    for (std::size_t index = 0; index < layout.features.size(); index++) {
      std::uint32_t const columnIndex = plan.columnIndexes[index];
      DecodedColumn& column =
          columnIndex == RowDecoder::kUnwanted ? columns_.unwanted() : columns_.column(columnIndex);
      if (decodeFeature(layout, index, rows, column)) dropCorrupt(layout, rows);
    }
    bool hasFault = false;
    for (RowCursor& row : rows) {
      row.fault = {checkEnd(layout, row.reader), layout.features.size()};
      hasFault |= row.fault.corruption != Corruption::none;
    }
    if (hasFault) dropCorrupt(layout, rows);
    for (RowCursor const& row : rows) finishRow(plan, row);
    rows.clear();
  }

  void finishRow(RowDecoder::Plan const& plan, RowCursor const& row) {
    if (row.status == CellStatus::notFound) {
      return columns_.setEmptyRow(row.place.output, CellStatus::notFound);
    }
    columns_.setEventTime(row.place.output, row.eventTimeUs);
    if (!row.isShown) columns_.eraseValues(row.place.output);
    for (std::uint32_t const index : plan.lackingColumns) {
      columns_.column(index).fixed.setStatus(row.place.output, CellStatus::notFound);
    }
  }

  void dropCorrupt(RowLayout const& layout, std::vector<RowCursor>& rows) {
    std::erase_if(rows, [&](RowCursor const& row) {
      bool const isCorrupt = row.fault.corruption != Corruption::none;
      if (isCorrupt) addCorrupt(row.place, row.fault, &layout);
      return isCorrupt;
    });
  }

  void addCorrupt(RowPlace place, RowFault fault, RowLayout const* layout) {
    corrupt_.push_back({place.output, {place.slot, describeFault(fault, layout)}});
    columns_.setEmptyRow(place.output, CellStatus::unavailable);
  }

  RowDecoder const& decoder_;
  RowSlots const& slots_;
  Judge const& judge_;
  DecodedColumns& columns_;
  std::vector<std::vector<RowCursor>> blocks_;  // by plan
  std::vector<std::vector<std::uint8_t>> paddedBodies_;
  std::vector<CorruptOutput> corrupt_;
  std::uint32_t lastLayoutId_ = kTombstoneLayoutId;
  std::optional<std::size_t> lastPlanIndex_;
  Findings findings_;
};

}  // namespace

RowDecoder::RowDecoder(std::vector<std::shared_ptr<RowLayout const>> layouts,
                       std::vector<WantedFeature> wanted)
    : wanted_(std::move(wanted)) {
  for (auto& layout : layouts) {
    Plan plan = {std::move(layout), {}, {}};
    std::vector<bool> isLacking(wanted_.size(), true);
    for (LayoutFeature const& feature : plan.layout->features) {
      auto const found = std::ranges::find(wanted_, feature.id, &WantedFeature::id);
      auto const index = static_cast<std::size_t>(found - wanted_.begin());
      plan.columnIndexes.push_back(found == wanted_.end() ? kUnwanted
                                                          : static_cast<std::uint32_t>(index));
      if (found != wanted_.end()) isLacking[index] = false;
    }
    for (std::uint32_t index = 0; index < wanted_.size(); index++) {
      if (isLacking[index]) plan.lackingColumns.push_back(index);
    }
    planIndexes_.emplace(plan.layout->id, plans_.size());
    plans_.push_back(std::move(plan));
  }
}

std::optional<std::size_t> RowDecoder::planIndexOf(std::uint32_t layoutId) const {
  auto const found = planIndexes_.find(layoutId);
  return found == planIndexes_.end() ? std::nullopt : std::optional(found->second);
}

Findings decodeRows(RowDecoder const& decoder, RowSlots const& slots, Judge const& judge,
                    std::span<std::uint32_t const> outputSlots, DecodedColumns& columns) {
  if (outputSlots.empty()) return {};
  BatchDecode decode(decoder, slots, judge, columns);
  // A view's slots stand together in a batch of several views: only their range is marked.
  auto const [lowest, highest] = std::ranges::minmax(outputSlots);
  constexpr std::uint32_t kNotYet = 0xffffffff;
  std::vector<std::uint32_t> outputOfSlot(highest - lowest + std::size_t{1}, kNotYet);
  std::vector<std::uint32_t> repeats;
  for (std::uint32_t output = 0; output < outputSlots.size(); output++) {
    std::uint32_t& first = outputOfSlot[outputSlots[output] - lowest];
    if (first != kNotYet) {
      repeats.push_back(output);
      continue;
    }
    first = output;
    decode.addSlot(outputSlots[output], output);
  }
  Findings findings = decode.finish();
  for (std::uint32_t const output : repeats) {
    columns.copyRow(outputOfSlot[outputSlots[output] - lowest], output);
  }
  return findings;
}

}  // namespace larder::codec
