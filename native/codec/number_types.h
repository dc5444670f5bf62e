// The numbers of rows: how each is stored, and how columns hold it.
//
// Floats of one width move as integers, so that no NaN payload is touched. `withNumber` turns a
// type known when a layout is compiled into one known to the compiler, so that a column is one
// plain loop.
#pragma once

#include "codec/feature_type.h"
#include "codec/float16.h"

namespace larder::codec {

// `StoredAs` in rows, little-endian; `HeldAs` in columns.
template <typename StoredAs, typename HeldAs>
struct Number {
  using Stored = StoredAs;
  using Held = HeldAs;
  static constexpr unsigned kStoredBits = 8 * sizeof(Stored);
  static constexpr bool isValid(Stored) { return true; }
  static constexpr Held hold(Stored stored) { return static_cast<Held>(stored); }
};

struct Bool : Number<std::uint8_t, float> {
  static constexpr bool isValid(std::uint8_t stored) { return stored <= 1; }
};
struct Int8 : Number<std::int8_t, float> {};
struct Int16 : Number<std::int16_t, float> {};
struct Int32 : Number<std::int32_t, double> {};
struct Int64 : Number<std::int64_t, std::int64_t> {};
struct Float32 : Number<std::uint32_t, std::uint32_t> {};
struct Float64 : Number<std::uint64_t, std::uint64_t> {};
struct Half : Number<std::uint16_t, std::uint32_t> {
  static constexpr std::uint32_t hold(std::uint16_t stored) { return floatFromHalf(stored); }
};

// Calls `use` with the number that scalars of the type, or elements of the list or embedding, are.
// Not for texts and bytes. The elements of an int8 embedding are steps: its scale is not in them.
template <typename Use>
decltype(auto) withNumber(FeatureType const& type, Use use) {
  if (type.shape == Shape::embedding) {
    if (type.storage == EmbeddingStorage::f16) return use(Half{});
    if (type.storage == EmbeddingStorage::int8) return use(Int8{});
    return use(Float32{});
  }
  switch (type.scalar) {
    case Scalar::boolean:
      return use(Bool{});
    case Scalar::int8:
      return use(Int8{});
    case Scalar::int16:
      return use(Int16{});
    case Scalar::int32:
      return use(Int32{});
    case Scalar::int64:
    case Scalar::timestamp:
      return use(Int64{});
    case Scalar::float32:
      return use(Float32{});
    case Scalar::float64:
      return use(Float64{});
    case Scalar::string:
    case Scalar::bytes:
    case Scalar::categorical:
      break;
  }
  __builtin_unreachable();
}

}  // namespace larder::codec
