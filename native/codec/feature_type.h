// The closed set of feature types, as `src/feature-type.ts` has it; the codes are shared with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace larder::codec {

// In the order of `scalarTypes`.
enum class Scalar : std::uint8_t {
  boolean,
  int8,
  int16,
  int32,
  int64,
  float32,
  float64,
  string,
  bytes,
  timestamp,
  categorical,
};
inline constexpr std::uint32_t kScalarCount = 11;

enum class Shape : std::uint8_t { scalar, list, embedding };

// In the order of `embeddingStorages`.
enum class EmbeddingStorage : std::uint8_t { f32, f16, int8 };

// How values are held in columns: numbers, or bytes with a length each; lists of either.
enum class ColumnClass : std::uint8_t { f32, f64, i64, var, list };

struct FeatureType {
  Shape shape;
  Scalar scalar;  // of a list its elements' type; of an embedding float32
  EmbeddingStorage storage;
  std::uint32_t dim;
};

constexpr ColumnClass elementClassOf(Scalar scalar) {
  switch (scalar) {
    case Scalar::boolean:
    case Scalar::int8:
    case Scalar::int16:
    case Scalar::float32:
      return ColumnClass::f32;
    case Scalar::int32:
    case Scalar::float64:
      return ColumnClass::f64;
    case Scalar::int64:
    case Scalar::timestamp:
      return ColumnClass::i64;
    case Scalar::string:
    case Scalar::bytes:
    case Scalar::categorical:
      return ColumnClass::var;
  }
  __builtin_unreachable();
}

constexpr ColumnClass columnClassOf(FeatureType const& type) {
  return type.shape == Shape::scalar ? elementClassOf(type.scalar) : ColumnClass::list;
}

// Bytes of a value in a column; of `var` and `list` those of its u32 length.
constexpr std::size_t columnCellBytes(ColumnClass columnClass) {
  return columnClass == ColumnClass::f64 || columnClass == ColumnClass::i64 ? 8 : 4;
}

constexpr bool isText(Scalar scalar) {
  return scalar == Scalar::string || scalar == Scalar::categorical;
}

// Bytes of a scalar in a row; nothing where its length varies.
constexpr std::optional<std::size_t> rowBytesOf(Scalar scalar) {
  switch (scalar) {
    case Scalar::boolean:
    case Scalar::int8:
      return 1;
    case Scalar::int16:
      return 2;
    case Scalar::int32:
    case Scalar::float32:
      return 4;
    case Scalar::int64:
    case Scalar::timestamp:
    case Scalar::float64:
      return 8;
    case Scalar::string:
    case Scalar::bytes:
    case Scalar::categorical:
      return std::nullopt;
  }
  __builtin_unreachable();
}

// Bytes of an embedding in a row; int8 has a float32 scale before its elements.
constexpr std::size_t embeddingRowBytes(FeatureType const& type) {
  switch (type.storage) {
    case EmbeddingStorage::f32:
      return std::size_t{4} * type.dim;
    case EmbeddingStorage::f16:
      return std::size_t{2} * type.dim;
    case EmbeddingStorage::int8:
      return 4 + std::size_t{type.dim};
  }
  __builtin_unreachable();
}

// The type as definitions write it.
std::string describe(FeatureType const& type);

struct IntegerRange {
  std::int64_t min;
  std::int64_t max;
};

// The values an integer or bool type takes; nothing for other types.
constexpr std::optional<IntegerRange> integerRangeOf(Scalar scalar) {
  switch (scalar) {
    case Scalar::boolean:
      return IntegerRange{0, 1};
    case Scalar::int8:
      return IntegerRange{INT8_MIN, INT8_MAX};
    case Scalar::int16:
      return IntegerRange{INT16_MIN, INT16_MAX};
    case Scalar::int32:
      return IntegerRange{INT32_MIN, INT32_MAX};
    case Scalar::int64:
    case Scalar::timestamp:
      return IntegerRange{INT64_MIN, INT64_MAX};
    case Scalar::float32:
    case Scalar::float64:
    case Scalar::string:
    case Scalar::bytes:
    case Scalar::categorical:
      return std::nullopt;
  }
  __builtin_unreachable();
}

}  // namespace larder::codec
