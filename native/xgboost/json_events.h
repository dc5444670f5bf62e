// JSON bytes -> events. Takes what XGBoost takes: NaN, Infinity and -Infinity are numbers.
//
// Never recurses; reads within the bytes only. Throws trees::ParseFailure where they are no JSON.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "xgboost/event.h"

namespace larder::xgboost {

class JsonEvents {
 public:
  // Begins with the value at `position`.
  JsonEvents(std::string_view bytes, std::size_t position) : bytes_(bytes), position_(position) {}
  Event next();
  // Leaves the array just begun without reading its items, where they need no reading: never here.
  bool leavesAtOnce() { return false; }

 private:
  enum class State : char { value, first, afterComma, afterValue };

  bool isInObject() const { return stack_.back() == '{'; }
  char skipSpace();
  Event begin(EventKind kind, char opener);
  Event end(char closer);
  Event key();
  Event value(char first);
  Event literal();
  Event word(std::string_view word, EventKind kind, int integer);
  std::string_view text(bool& hasEscapes);
  Event afterValue(Event event);

  std::string_view bytes_;
  std::size_t position_;
  State state_ = State::value;
  std::vector<char> stack_;
};

}  // namespace larder::xgboost
