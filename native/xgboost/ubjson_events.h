// UBJSON bytes -> events: XGBoost's default file since 2.1.
//
//   value   marker byte, then what it says: numbers big-endian, texts `S` length bytes
//   object  `{` (length key, value)* `}`      or `{#` count, and then no `}`
//   array   `[` value* `]`                    or `[#` count, and then no `]`
//           `[$` type `#` count: values of one width without markers
//   length, count: a value that is an integer
//
// Never recurses, reads within the bytes only, and allocates nothing by a number in them. Throws
// trees::ParseFailure where they are no such file. Typed arrays of anything but numbers, and typed
// objects, are refused: XGBoost writes none, and their items may have no bytes at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "xgboost/event.h"

namespace larder::xgboost {

class UbjsonEvents {
 public:
  // Begins with the value at `position`.
  UbjsonEvents(std::string_view bytes, std::size_t position) : bytes_(bytes), position_(position) {}
  Event next();
  // Leaves the array just begun without reading its items, where they need no reading: a typed one.
  bool leavesAtOnce();

 private:
  struct Frame {
    bool isObject;
    bool isCounted;
    char type;           // of a typed array, else 0
    std::uint64_t left;  // of a counted one: the items still to come
  };

  std::size_t left() const { return bytes_.size() - position_; }
  char take();
  std::uint64_t takeBig(std::size_t byteCount);
  std::uint64_t takeLength(std::size_t widthMin);
  std::string_view takeText();
  bool isAtEnd(Frame const& frame) const;
  Event end();
  Event key();
  Event value(char marker, std::size_t offset);
  Event number(char marker, Event event);
  Event beginObject(Event event);
  Event beginArray(Event event);
  void push(Frame const& frame, std::size_t offset);

  std::string_view bytes_;
  std::size_t position_;
  bool isAfterKey_ = false;
  std::vector<Frame> stack_;
};

}  // namespace larder::xgboost
