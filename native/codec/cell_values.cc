#include "codec/cell_values.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "codec/float16.h"
#include "codec/utf8.h"

namespace larder::codec {

namespace {

std::string format(double value) {
  char text[32];
  auto const result = std::to_chars(text, text + sizeof text, value);
  return {text, result.ptr};
}

// Floats of an integer column fit if they are whole and in range.
bool integerFits(double value, IntegerRange range) {
  // The comparisons are exact: bounds below 2^53 are, and int64's are tested as powers of two.
  bool const isInRange =
      range.max == std::numeric_limits<std::int64_t>::max()
          ? value >= -0x1p63 && value < 0x1p63
          : value >= static_cast<double>(range.min) && value <= static_cast<double>(range.max);
  // In range the conversion is exact where the value is whole, and takes one instruction.
  return isInRange && value == static_cast<double>(static_cast<std::int64_t>(value));
}
bool integerFits(std::int64_t value, IntegerRange range) {
  return value >= range.min && value <= range.max;
}

std::optional<std::string> integerProblemOf(double value, IntegerRange range) {
  if (integerFits(value, range)) return std::nullopt;
  if (std::isfinite(value) && value != std::trunc(value)) {
    return "value " + format(value) + " is not a whole number";
  }
  return "value " + format(value) + " is not from " + std::to_string(range.min) + " to " +
         std::to_string(range.max);
}

std::optional<std::string> integerProblem(ColumnReader const& column, std::size_t element,
                                          IntegerRange range) {
  switch (column.elementClass()) {
    case ColumnClass::f32:
      return integerProblemOf(static_cast<double>(column.numberAt<float>(element)), range);
    case ColumnClass::f64:
      return integerProblemOf(column.numberAt<double>(element), range);
    default: {
      auto const value = column.numberAt<std::int64_t>(element);
      if (integerFits(value, range)) return std::nullopt;
      return "value " + std::to_string(value) + " is not from " + std::to_string(range.min) +
             " to " + std::to_string(range.max);
    }
  }
}

bool bytesFit(ColumnReader const& column, std::size_t element, ValueLimits const& limits) {
  Bytes const bytes = column.bytesAt(element);
  if (bytes.size() > limits.valueBytesMax) return false;
  return !isText(column.type().scalar) || !firstBadUtf8(bytes);
}

std::optional<std::string> bytesProblem(ColumnReader const& column, std::size_t element,
                                        ValueLimits const& limits) {
  Bytes const bytes = column.bytesAt(element);
  if (bytes.size() > limits.valueBytesMax) {
    return "a value of " + std::to_string(bytes.size()) + " bytes, at most " +
           std::to_string(limits.valueBytesMax) + " are allowed";
  }
  if (!isText(column.type().scalar)) return std::nullopt;
  auto const offset = firstBadUtf8(bytes);
  if (!offset) return std::nullopt;
  return "the text is not valid UTF-8 at byte " + std::to_string(*offset);
}

bool embeddingElementFits(EmbeddingStorage storage, float value) {
  switch (storage) {
    case EmbeddingStorage::f32:
      return true;
    case EmbeddingStorage::f16:
      return !std::isfinite(value) ||
             isFiniteHalf(halfFromFloat(std::bit_cast<std::uint32_t>(value)));
    case EmbeddingStorage::int8:
      return std::isfinite(value);
  }
  __builtin_unreachable();
}

std::optional<std::string> embeddingElementProblem(EmbeddingStorage storage, float value) {
  if (embeddingElementFits(storage, value)) return std::nullopt;
  if (storage == EmbeddingStorage::int8) {
    return "value " + format(static_cast<double>(value)) + " cannot stand in an int8 embedding";
  }
  return "value " + format(static_cast<double>(value)) +
         " is beyond the range of f16, -65504 to 65504";
}

template <typename Given>
bool allIntegersFit(ColumnReader const& column, IntegerRange range) {
  bool fits = true;
  std::size_t const elementCount = column.elementCount();
  for (std::size_t at = 0; at < elementCount; at++) {
    fits &= integerFits(column.numberAt<Given>(at), range);
  }
  return fits;
}

// The same of floats and a range within 32 bits, by arithmetic on bits alone, so that several
// elements are looked at together. Denies -0.0 too.
template <typename Given>
bool allFloatsFit(ColumnReader const& column, IntegerRange range) {
  // Added to a smaller number it leaves no bits behind the point, and its own sign and exponent.
  constexpr double kWhole = 0x1.8p52;
  auto const bitsOf = [](double number) { return std::bit_cast<std::uint64_t>(number); };
  auto const min = static_cast<double>(range.min);
  auto const max = static_cast<double>(range.max);
  std::uint64_t misfits = 0;
  std::size_t const elementCount = column.elementCount();
  for (std::size_t at = 0; at < elementCount; at++) {
    auto const value = static_cast<double>(column.numberAt<Given>(at));
    double const sum = value + kWhole;
    misfits |= bitsOf(sum - kWhole) ^ bitsOf(value);
    misfits |= (bitsOf(sum) ^ bitsOf(kWhole)) >> 52;
    misfits |= (bitsOf(value - min) | bitsOf(max - value)) >> 63;
  }
  return misfits == 0;
}

bool allIntegersFit(ColumnReader const& column, IntegerRange range) {
  bool const isNarrow = range.max <= std::numeric_limits<std::int32_t>::max();
  switch (column.elementClass()) {
    case ColumnClass::f32:
      return isNarrow ? allFloatsFit<float>(column, range) : allIntegersFit<float>(column, range);
    case ColumnClass::f64:
      return isNarrow ? allFloatsFit<double>(column, range) : allIntegersFit<double>(column, range);
    default:
      return allIntegersFit<std::int64_t>(column, range);
  }
}

bool allElementsFit(ColumnReader const& column, ValueLimits const& limits) {
  FeatureType const& type = column.type();
  if (auto const range = integerRangeOf(type.scalar)) return allIntegersFit(column, *range);
  bool const isEmbedding = type.shape == Shape::embedding;
  if (!isEmbedding && column.elementClass() != ColumnClass::var) return true;
  for (std::size_t at = 0; at < column.elementCount(); at++) {
    bool const fits = isEmbedding ? embeddingElementFits(type.storage, column.numberAt<float>(at))
                                  : bytesFit(column, at, limits);
    if (!fits) return false;
  }
  return true;
}

// Statuses of cells that can be written.
bool allStatusesFit(Bytes statuses) {
  static_assert(static_cast<int>(CellStatus::present) == 1);
  static_assert(static_cast<int>(CellStatus::nullValue) == 2);
  std::uint8_t misfits = 0;
  for (std::uint8_t const status : statuses) misfits |= (status - 1) & 0xfe;
  return misfits == 0;
}

std::optional<std::string> listProblem(ColumnReader const& column, std::size_t elementCount,
                                       ValueLimits const& limits) {
  FeatureType const& type = column.type();
  if (type.shape == Shape::embedding && elementCount != type.dim) {
    return "an embedding of " + std::to_string(elementCount) + " elements, its type has " +
           std::to_string(type.dim);
  }
  if (type.shape == Shape::list && elementCount > limits.listElementsMax) {
    return "a list of " + std::to_string(elementCount) + " elements, at most " +
           std::to_string(limits.listElementsMax) + " are allowed";
  }
  return std::nullopt;
}

// A NaN's payload is widened by hand: a conversion would quiet it.
std::uint64_t widenFloat(std::uint32_t bits) {
  if ((bits & 0x7fffffff) <= 0x7f800000) {
    return std::bit_cast<std::uint64_t>(static_cast<double>(std::bit_cast<float>(bits)));
  }
  std::uint64_t const sign = std::uint64_t{bits >> 31} << 63;
  return sign | (std::uint64_t{0x7ff} << 52) | (std::uint64_t{bits & 0x7fffff} << 29);
}

std::uint64_t float64Bits(ColumnReader const& column, std::size_t element) {
  if (column.elementClass() == ColumnClass::f64) return column.numberAt<std::uint64_t>(element);
  return widenFloat(column.numberAt<std::uint32_t>(element));
}

// Calls `write(cell, cursor)`, which returns the byte behind the cell, for each present cell.
template <typename Write>
void eachPresent(ColumnReader const& column, std::span<CellCursor> cursors, Write write) {
  for (CellCursor& cursor : cursors) {
    if (column.isPresent(cursor.cell)) cursor.to = write(cursor.cell, cursor.to);
  }
}

// Scalars and lists, by what writes one element: its type is known to the compiler, so that a
// column is one plain loop.
template <typename WriteElement>
void writeElements(ColumnReader const& column, std::span<CellCursor> cursors,
                   WriteElement writeElement) {
  if (column.type().shape == Shape::scalar) return eachPresent(column, cursors, writeElement);
  eachPresent(column, cursors, [&](std::size_t cell, std::uint8_t* to) {
    ElementRange const elements = column.elementsOf(cell);
    to = storeVarint(to, elements.end - elements.begin);
    for (std::size_t at = elements.begin; at < elements.end; at++) to = writeElement(at, to);
    return to;
  });
}

template <typename Stored, typename Given>
void writeNumbers(ColumnReader const& column, std::span<CellCursor> cursors) {
  writeElements(column, cursors, [&](std::size_t element, std::uint8_t* to) {
    return storeLittle(to, static_cast<Stored>(column.numberAt<Given>(element)));
  });
}

// Integers, which have been checked: any class of number may hold them.
template <typename Stored>
void writeIntegers(ColumnReader const& column, std::span<CellCursor> cursors) {
  switch (column.elementClass()) {
    case ColumnClass::f32:
      return writeNumbers<Stored, float>(column, cursors);
    case ColumnClass::f64:
      return writeNumbers<Stored, double>(column, cursors);
    default:
      return writeNumbers<Stored, std::int64_t>(column, cursors);
  }
}

void writeTexts(ColumnReader const& column, std::span<CellCursor> cursors) {
  writeElements(column, cursors, [&](std::size_t element, std::uint8_t* to) {
    Bytes const bytes = column.bytesAt(element);
    return storeBytes(storeVarint(to, bytes.size()), bytes);
  });
}

void writeFloat64s(ColumnReader const& column, std::span<CellCursor> cursors) {
  writeElements(column, cursors, [&](std::size_t element, std::uint8_t* to) {
    return storeLittle(to, float64Bits(column, element));
  });
}

// The scale of an int8 embedding: the greatest magnitude becomes 127.
float int8ScaleOf(ColumnReader const& column, ElementRange elements) {
  float magnitudeMax = 0;
  for (std::size_t at = elements.begin; at < elements.end; at++) {
    magnitudeMax = std::max(magnitudeMax, std::abs(column.numberAt<float>(at)));
  }
  float scale = magnitudeMax / 127.0f;
  // Next to the greatest float a scale rounded up would decode to infinity.
  while (!std::isfinite(scale * 127.0f)) scale = std::nextafter(scale, 0.0f);
  return scale;
}

std::int8_t quantise(float value, float scale) {
  if (scale == 0) return 0;
  double const steps = std::round(static_cast<double>(value) / static_cast<double>(scale));
  return static_cast<std::int8_t>(std::min(127.0, std::max(-127.0, steps)));
}

std::uint8_t* writeEmbedding(ColumnReader const& column, ElementRange elements, std::uint8_t* to) {
  switch (column.type().storage) {
    case EmbeddingStorage::f32:
      for (std::size_t at = elements.begin; at < elements.end; at++) {
        to = storeLittle(to, column.numberAt<std::uint32_t>(at));
      }
      return to;
    case EmbeddingStorage::f16:
      for (std::size_t at = elements.begin; at < elements.end; at++) {
        to = storeLittle(to, halfFromFloat(column.numberAt<std::uint32_t>(at)));
      }
      return to;
    case EmbeddingStorage::int8: {
      float const scale = int8ScaleOf(column, elements);
      to = storeLittle(to, scale);
      for (std::size_t at = elements.begin; at < elements.end; at++) {
        to = storeLittle(to, quantise(column.numberAt<float>(at), scale));
      }
      return to;
    }
  }
  __builtin_unreachable();
}

// Calls `use` with what reads an element of the column as rows store it, in the low bits. Its class
// and type are known to the compiler.
template <typename Use>
void withStoredBits(ColumnReader const& column, Use use) {
  if (column.type().scalar == Scalar::float64) {
    return use([&](std::size_t element) { return float64Bits(column, element); });
  }
  if (column.type().scalar == Scalar::float32) {
    return use([&](std::size_t element) -> std::uint64_t {
      return column.numberAt<std::uint32_t>(element);
    });
  }
  switch (column.elementClass()) {
    case ColumnClass::f32:
      return use([&](std::size_t element) {
        return static_cast<std::uint64_t>(
            static_cast<std::int64_t>(column.numberAt<float>(element)));
      });
    case ColumnClass::f64:
      return use([&](std::size_t element) {
        return static_cast<std::uint64_t>(
            static_cast<std::int64_t>(column.numberAt<double>(element)));
      });
    default:
      return use([&](std::size_t element) { return column.numberAt<std::uint64_t>(element); });
  }
}

std::size_t elementsRowBytes(ColumnReader const& column, ElementRange elements) {
  auto const fixedBytes = rowBytesOf(column.type().scalar);
  if (fixedBytes) return *fixedBytes * (elements.end - elements.begin);
  std::size_t byteCount = 0;
  for (std::size_t at = elements.begin; at < elements.end; at++) {
    std::size_t const valueBytes = column.bytesAt(at).size();
    byteCount += varintBytes(valueBytes) + valueBytes;
  }
  return byteCount;
}

}  // namespace

std::optional<std::string> elementProblem(ColumnReader const& column, std::size_t element,
                                          ValueLimits const& limits) {
  FeatureType const& type = column.type();
  if (auto const range = integerRangeOf(type.scalar)) {
    return integerProblem(column, element, *range);
  }
  if (type.shape == Shape::embedding) {
    return embeddingElementProblem(type.storage, column.numberAt<float>(element));
  }
  if (column.elementClass() == ColumnClass::var) return bytesProblem(column, element, limits);
  return std::nullopt;
}

std::optional<std::string> cellProblem(ColumnReader const& column, std::size_t cell,
                                       ValueLimits const& limits) {
  ElementRange const elements = column.elementsOf(cell);
  if (column.type().shape == Shape::scalar) return elementProblem(column, elements.begin, limits);
  if (auto problem = listProblem(column, elements.end - elements.begin, limits)) return problem;
  for (std::size_t at = elements.begin; at < elements.end; at++) {
    auto problem = elementProblem(column, at, limits);
    if (problem) return "element " + std::to_string(at - elements.begin) + ": " + *problem;
  }
  return std::nullopt;
}

bool allCellsFit(ColumnReader const& column, std::size_t cellCount, ValueLimits const& limits) {
  bool const isFixedWidth =
      column.type().shape == Shape::scalar && column.elementClass() != ColumnClass::var;
  if (!allStatusesFit(column.statuses())) return false;
  for (std::size_t cell = 0; cell < cellCount && !isFixedWidth; cell++) {
    bool const isPresent = column.isPresent(cell);
    ElementRange const elements = column.elementsOf(cell);
    bool const fits = isPresent ? column.type().shape == Shape::scalar ||
                                      !listProblem(column, elements.end - elements.begin, limits)
                                : !nullProblem(column, cell);
    if (!fits) return false;
  }
  return allElementsFit(column, limits);
}

std::optional<std::string> nullProblem(ColumnReader const& column, std::size_t cell) {
  ElementRange const elements = column.elementsOf(cell);
  bool const isList = column.type().shape != Shape::scalar;
  if (isList && elements.begin == elements.end) return std::nullopt;
  if (isList) {
    return "the cell is null, but has " + std::to_string(elements.end - elements.begin) +
           " elements";
  }
  if (column.elementClass() != ColumnClass::var) return std::nullopt;
  std::size_t const valueBytes = column.bytesAt(cell).size();
  if (valueBytes == 0) return std::nullopt;
  return "the cell is null, but has " + std::to_string(valueBytes) + " bytes";
}

std::int64_t integerAt(ColumnReader const& column, std::size_t element) {
  switch (column.elementClass()) {
    case ColumnClass::f32:
      return static_cast<std::int64_t>(column.numberAt<float>(element));
    case ColumnClass::f64:
      return static_cast<std::int64_t>(column.numberAt<double>(element));
    default:
      return column.numberAt<std::int64_t>(element);
  }
}

std::size_t cellRowBytes(ColumnReader const& column, std::size_t cell) {
  FeatureType const& type = column.type();
  ElementRange const elements = column.elementsOf(cell);
  switch (type.shape) {
    case Shape::scalar:
      return elementsRowBytes(column, elements);
    case Shape::list:
      return varintBytes(elements.end - elements.begin) + elementsRowBytes(column, elements);
    case Shape::embedding:
      return embeddingRowBytes(type);
  }
  __builtin_unreachable();
}

void writeCells(ColumnReader const& column, std::span<CellCursor> cursors) {
  if (column.type().shape == Shape::embedding) {
    return eachPresent(column, cursors, [&](std::size_t cell, std::uint8_t* to) {
      return writeEmbedding(column, column.elementsOf(cell), to);
    });
  }
  switch (column.type().scalar) {
    case Scalar::boolean:
    case Scalar::int8:
      return writeIntegers<std::int8_t>(column, cursors);
    case Scalar::int16:
      return writeIntegers<std::int16_t>(column, cursors);
    case Scalar::int32:
      return writeIntegers<std::int32_t>(column, cursors);
    case Scalar::int64:
    case Scalar::timestamp:
      return writeIntegers<std::int64_t>(column, cursors);
    case Scalar::float32:
      return writeNumbers<std::uint32_t, std::uint32_t>(column, cursors);
    case Scalar::float64:
      return writeFloat64s(column, cursors);
    case Scalar::string:
    case Scalar::bytes:
    case Scalar::categorical:
      return writeTexts(column, cursors);
  }
  __builtin_unreachable();
}

void loadScalars(ColumnReader const& column, std::size_t beginCell, std::span<std::uint64_t> bits) {
  withStoredBits(column, [&](auto storedBits) {
    for (std::size_t index = 0; index < bits.size(); index++) {
      std::size_t const cell = beginCell + index;
      // What stands in a null cell may be a float that no integer is.
      bits[index] = column.isPresent(cell) ? storedBits(cell) : 0;
    }
  });
}

float loadElements(ColumnReader const& column, std::size_t cell, std::vector<std::uint64_t>& bits) {
  ElementRange const elements = column.elementsOf(cell);
  bits.resize(elements.end - elements.begin);
  std::uint64_t* to = bits.data();
  FeatureType const& type = column.type();
  if (type.shape == Shape::embedding && type.storage == EmbeddingStorage::f16) {
    for (std::size_t at = elements.begin; at < elements.end; at++) {
      *to++ = halfFromFloat(column.numberAt<std::uint32_t>(at));
    }
    return 0;
  }
  if (type.shape == Shape::embedding && type.storage == EmbeddingStorage::int8) {
    float const scale = int8ScaleOf(column, elements);
    for (std::size_t at = elements.begin; at < elements.end; at++) {
      auto const steps = quantise(column.numberAt<float>(at), scale);
      *to++ = static_cast<std::uint64_t>(std::int64_t{steps});
    }
    return scale;
  }
  withStoredBits(column, [&](auto storedBits) {
    for (std::size_t at = elements.begin; at < elements.end; at++) *to++ = storedBits(at);
  });
  return 0;
}

}  // namespace larder::codec
