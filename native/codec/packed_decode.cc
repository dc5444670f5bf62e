#include "codec/packed_decode.h"

#include <algorithm>
#include <array>

#include "codec/symbol_values.h"

namespace larder::codec {

namespace {

// The element count is one that the row may have: what is allocated for it stays in proportion.
Corruption checkCount(BitReader const& from, FeatureCoding const& coding, std::uint64_t count) {
  constexpr std::uint64_t kFreeElementsMax = 65'536;
  // Lengths have 32 bits: this is no overflow.
  bool const fits = coding.elementBitsMin == 0 ? count <= kFreeElementsMax
                                               : count * coding.elementBitsMin <= from.left();
  return fits ? Corruption::none : Corruption::truncatedValue;
}

// One element, whatever its code.
template <typename N, typename Symbols>
Corruption takeElement(BitReader& from, CodeTable const& table, Symbols symbols,
                       typename N::Held& held) {
  std::uint64_t symbol;
  auto const* const code = table.reading().take(from, symbol);
  if (code == nullptr) return Corruption::truncatedValue;
  if (code->kind == CodeKind::literal) return takeNumber<N>(from, held);
  return symbols.value(*code, symbol, held) ? Corruption::none : Corruption::badSymbol;
}

// As many elements as one peek surely has, up to `count` and up to one that needs more care: a
// literal, or a symbol that stands for nothing. `codeAt(window)` is the next code. Returns how
// many.
template <typename N, typename Symbols, typename CodeAt>
std::size_t takeElements(BitReader& from, Symbols symbols, std::size_t count, CodeAt codeAt,
                         std::uint8_t* to) {
  std::uint64_t window = from.peek();
  std::size_t usedBits = 0;
  std::size_t taken = 0;
  for (; taken < count; taken++) {
    CodeTable::ReadCode const& code = codeAt(window);
    typename N::Held held;
    bool const isValue = code.isPlain && symbols.value(code, code.symbolIn(window), held);
    if (!isValue) [[unlikely]]
      break;
    to = storeLittle(to, held);
    window >>= code.bitCount;
    usedBits += code.bitCount;
  }
  return from.skip(usedBits) ? taken : 0;
}

template <typename N, typename Symbols, typename CodeAt>
Corruption takeAllElements(BitReader& reader, CodeTable const& table, Symbols symbols,
                           std::size_t count, CodeAt codeAt, std::uint8_t* to) {
  BitReader from = reader;
  for (std::size_t left = count; left > 0;) {
    std::size_t const taken =
        takeElements<N>(from, symbols, std::min(left, table.codesPerPeek()), codeAt, to);
    to += taken * sizeof(typename N::Held);
    left -= taken;
    if (taken > 0) continue;
    typename N::Held held;
    auto const corruption = takeElement<N>(from, table, symbols, held);
    if (corruption != Corruption::none) return corruption;
    to = storeLittle(to, held);
    left--;
  }
  reader = from;
  return Corruption::none;
}

template <typename N, typename Symbols>
Corruption takePackedNumbers(BitReader& reader, CodeTable const& table, Symbols symbols,
                             std::size_t count, std::uint8_t* to) {
  auto const reading = table.reading();
  // With one code only, an element does not wait for the one before it.
  if (table.codes().size() == 1) {
    auto const codeAt = [code = reading.codeAt(0)](std::uint64_t) -> auto const& { return code; };
    return takeAllElements<N>(reader, table, symbols, count, codeAt, to);
  }
  auto const codeAt = [reading](std::uint64_t window) -> auto const& {
    return reading.codeAt(window);
  };
  return takeAllElements<N>(reader, table, symbols, count, codeAt, to);
}

// Whether a cell may have so many elements.
bool isCount(FeatureType const& type, std::uint64_t count) {
  return type.shape != Shape::embedding || count == type.dim;
}

// A list whose elements are taken by turns with those of other rows.
struct Lane {
  BitReader reader;
  std::size_t next;  // where its next element goes, in bytes
  std::size_t end;
  RowCursor* row;
  CellStatus status;
};

// The lists of several rows, of which each turn takes one element: an element waits for the one
// before it in its row, yet not for those of other rows; and where a list ends is no branch that
// could be mispredicted.
struct Lanes {
  static constexpr std::size_t kLanesMax = 64;
  // Fewer lists than these are taken sooner one after the other.
  static constexpr std::size_t kTurnLanesMin = 4;

  std::array<Lane, kLanesMax> opened;
  std::size_t openedCount = 0;
  // Those that have elements left.
  std::array<Lane*, kLanesMax> active;
  std::size_t activeCount = 0;
  std::size_t byteCount = 0;  // of all their elements in a column
};

// Takes the lengths of the rows' lists; false where one is not as it should be. Exceptions and rows
// that are not to be seen are left to `takeList`.
bool openLanes(CellRows const& rows, FeatureType const& type, FeatureCoding const& coding,
               std::size_t elementBytes, Lanes& lanes) {
  auto const reading = coding.lengths.reading();
  std::size_t openedCount = 0;
  std::size_t activeCount = 0;
  std::size_t begin = 0;
  for (RowCursor& row : rows.cursors) {
    if (!row.isShown || row.isMarked(rows.markBit)) continue;
    // Lengths are never wide: one peek has all of a code. Written field by field, where it stays.
    std::uint64_t const window = row.reader.peek();
    CodeTable::ReadCode const& code = reading.codeAt(window);
    std::uint64_t const count = code.symbolIn(window);
    bool const isNull = code.kind == CodeKind::null;
    Lane& lane = lanes.opened[openedCount++];
    lane.reader = row.reader;
    bool const isPossible = lane.reader.skip(code.bitCount) && (isNull || isCount(type, count)) &&
                            checkCount(lane.reader, coding, count) == Corruption::none;
    if (!isPossible) return false;
    std::size_t const end = begin + count * elementBytes;
    lane.next = begin;
    lane.end = end;
    lane.row = &row;
    lane.status = row.statusOf(isNull);
    lanes.active[activeCount] = &lane;
    activeCount += count > 0;
    begin = end;
  }
  lanes.openedCount = openedCount;
  lanes.activeCount = activeCount;
  lanes.byteCount = begin;
  return true;
}

// Takes an element of each active list; false where one is not as it should be.
template <typename N, typename Symbols>
bool takeTurn(CodeTable const& table, Symbols symbols, std::uint8_t* elements, Lanes& lanes) {
  auto const reading = table.reading();
  Lane** const active = lanes.active.data();
  std::size_t const activeCount = lanes.activeCount;
  std::size_t stillCount = 0;
  for (std::size_t index = 0; index < activeCount; index++) {
    Lane& lane = *active[index];
    std::uint64_t const window = lane.reader.peek();
    CodeTable::ReadCode const& code = reading.codeAt(window);
    typename N::Held held;
    bool const isTaken = code.isPlain && symbols.value(code, code.symbolIn(window), held) &&
                         lane.reader.skip(code.bitCount);
    if (!isTaken) [[unlikely]] {
      if (takeElement<N>(lane.reader, table, symbols, held) != Corruption::none) return false;
    }
    std::uint8_t* const to = elements + lane.next;
    lane.next += sizeof held;
    active[stillCount] = &lane;
    stillCount += lane.next != lane.end;
    storeLittle(to, held);
  }
  lanes.activeCount = stillCount;
  return true;
}

// Takes all elements; false where one is not as it should be.
template <typename N, typename Symbols>
bool takeLanes(CodeTable const& table, Symbols symbols, std::uint8_t* elements, Lanes& lanes) {
  while (lanes.activeCount >= Lanes::kTurnLanesMin) {
    if (!takeTurn<N>(table, symbols, elements, lanes)) return false;
  }
  for (Lane* const lane : std::span(lanes.active).first(lanes.activeCount)) {
    std::size_t const count = (lane->end - lane->next) / sizeof(typename N::Held);
    auto const corruption =
        takePackedNumbers<N>(lane->reader, table, symbols, count, elements + lane->next);
    if (corruption != Corruption::none) return false;
  }
  return true;
}

// Moves the rows behind their lists, and puts the cells into the column.
void finishLanes(Lanes const& lanes, std::size_t elementsBegin, std::size_t elementBytes,
                 DecodedColumn& column) {
  FixedPart const fixed = column.fixed;
  VaryingCell* const cells = column.varying->cells.data();
  std::size_t begin = 0;
  for (Lane const& lane : std::span(lanes.opened).first(lanes.openedCount)) {
    lane.row->reader = lane.reader;
    if (!column.isWanted) continue;
    std::uint32_t const output = lane.row->place.output;
    fixed.setValue(output, static_cast<std::uint32_t>((lane.end - begin) / elementBytes));
    fixed.setStatus(output, lane.status);
    cells[output] = {static_cast<std::uint32_t>(elementsBegin + begin), 0, 0};
    begin = lane.end;
  }
}

// Takes the lists of all rows but those that `openLanes` leaves. False where they must be taken one
// by one; nothing has changed then.
template <typename N, typename Symbols>
bool takeTogether(CellRows const& rows, FeatureType const& type, FeatureCoding const& coding,
                  Symbols symbols, DecodedColumn& column) {
  constexpr std::size_t kElementBytes = sizeof(typename N::Held);
  GrowingBytes& elements = column.varying->elements;
  Lanes lanes;
  bool const isPossible =
      openLanes(rows, type, coding, kElementBytes, lanes) && elements.canGrow(lanes.byteCount);
  if (!isPossible) return false;
  std::size_t const begin = elements.byteCount();
  bool const isTaken = takeLanes<N>(coding.symbols, symbols, elements.grow(lanes.byteCount), lanes);
  if (isTaken) finishLanes(lanes, begin, kElementBytes, column);
  if (!isTaken || !column.isWanted) elements.shrinkTo(begin);
  return isTaken;
}

Corruption takePackedTexts(RowCursor& row, FeatureCoding const& coding, std::size_t count,
                           VaryingParts& parts) {
  BitReader& from = row.reader;
  for (std::size_t index = 0; index < count; index++) {
    std::uint64_t symbol;
    auto const* const code = coding.symbols.reading().take(from, symbol);
    if (code == nullptr) return Corruption::truncatedValue;
    Corruption corruption;
    if (code->kind == CodeKind::literal) {
      corruption = takeTextElement(from, parts);
    } else {
      std::uint32_t byteCount;
      corruption = takeDictionaryText(row, coding.mapping.dictionary, symbol, parts, byteCount);
      if (corruption != Corruption::none) return corruption;
      std::uint8_t* const length = parts.elements.grow(sizeof byteCount);
      if (length == nullptr) return Corruption::beyondBound;
      storeLittle(length, byteCount);
    }
    if (corruption != Corruption::none) return corruption;
  }
  return Corruption::none;
}

// Takes a cell: its length, and by `takeElements(row, count, parts)` its elements.
template <typename TakeElements>
Corruption takeList(RowCursor& row, FeatureType const& type, FeatureCoding const& coding,
                    DecodedColumn& column, TakeElements takeElements) {
  std::uint64_t count;
  auto const* const code = coding.lengths.reading().take(row.reader, count);
  if (code == nullptr) return Corruption::truncatedValue;
  if (code->kind == CodeKind::null) {
    setNull(row, column);
    return Corruption::none;
  }
  if (!isCount(type, count)) return Corruption::badDim;
  Corruption const corruption = checkCount(row.reader, coding, count);
  if (corruption != Corruption::none) return corruption;
  return takeVaryingCell(row, column, [&](VaryingParts& parts, std::uint32_t& length) {
    length = static_cast<std::uint32_t>(count);
    return takeElements(row, count, parts);
  });
}

bool decodeTexts(CellRows const& rows, FeatureType const& type, FeatureCoding const& coding,
                 DecodedColumn& column) {
  auto const takeElements = [&](RowCursor& row, std::size_t count, VaryingParts& parts) {
    return takePackedTexts(row, coding, count, parts);
  };
  return eachLearned(rows, type, column, [&](RowCursor& row) {
    return takeList(row, type, coding, column, takeElements);
  });
}

template <typename N, typename Symbols>
bool decodeNumbers(CellRows const& rows, FeatureType const& type, FeatureCoding const& coding,
                   Symbols symbols, DecodedColumn& column) {
  bool const isScaled = type.shape == Shape::embedding && type.storage == EmbeddingStorage::int8;
  auto const takeElements = [&](RowCursor& row, std::size_t count, VaryingParts& parts) {
    std::uint64_t scaleBits = 0;
    if (isScaled && !row.reader.take(32, scaleBits)) return Corruption::truncatedValue;
    auto const scale = static_cast<std::uint32_t>(scaleBits);
    if (isBadScale(scale)) return Corruption::badScale;
    std::uint8_t* const to = parts.elements.grow(count * sizeof(typename N::Held));
    if (to == nullptr) return Corruption::beyondBound;
    Corruption const corruption =
        takePackedNumbers<N>(row.reader, coding.symbols, symbols, count, to);
    if (isScaled && corruption == Corruption::none) scaleSteps(to, count, scale);
    return corruption;
  };
  bool const areTaken = !isScaled && takeTogether<N>(rows, type, coding, symbols, column);
  return eachLearned(rows, type, column, [&](RowCursor& row) {
    if (areTaken && row.isShown) return Corruption::none;
    return takeList(row, type, coding, column, takeElements);
  });
}

}  // namespace

bool decodePacked(CellRows const& rows, FeatureType const& type, FeatureCoding const& coding,
                  DecodedColumn& column) {
  if (coding.mapping.kind == MappingKind::dictionary) {
    return decodeTexts(rows, type, coding, column);
  }
  return withSymbols(type, coding.mapping, [&](auto number, auto symbols) {
    bool hasFault = false;
    for (std::size_t begin = 0; begin < rows.cursors.size(); begin += Lanes::kLanesMax) {
      std::size_t const rowCount = std::min(Lanes::kLanesMax, rows.cursors.size() - begin);
      CellRows const some = {rows.cursors.subspan(begin, rowCount), rows.featureIndex,
                             rows.markBit};
      hasFault |= decodeNumbers<decltype(number)>(some, type, coding, symbols, column);
    }
    return hasFault;
  });
}

}  // namespace larder::codec
