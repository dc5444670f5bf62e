// What the readers of JSON and UBJSON make of a file: one stream of events, alike for both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace larder::xgboost {

enum class EventKind : std::uint8_t {
  beginObject,
  endObject,
  key,
  beginArray,
  endArray,
  text,
  literal,  // a number as JSON spells it, not yet converted
  integer,
  real,
  boolean,
  null,
};

struct Event {
  EventKind kind;
  std::size_t offset;          // of its first byte in the file
  std::string_view text = {};  // key, text (escapes not yet resolved) or literal
  std::int64_t integer = 0;    // also 0 or 1 of a boolean
  double real = 0;             // a float32 or float64 as it is
  bool hasEscapes = false;     // of a JSON text
};

// Containers within containers. XGBoost nests eight deep; a bound keeps the stack small.
inline constexpr std::size_t kDepthMax = 64;

}  // namespace larder::xgboost
