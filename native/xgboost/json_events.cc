#include "xgboost/json_events.h"

#include <algorithm>
#include <string>

#include "trees/excerpt.h"
#include "trees/parse_error.h"

namespace larder::xgboost {

using trees::ParseFailure;

namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kNumberBytes = "+-.0123456789eE";

[[noreturn]] void failExpected(std::string_view expected, std::string_view bytes,
                               std::size_t offset) {
  throw ParseFailure(offset, "expected " + std::string(expected) + ", met " +
                                 trees::quoted(bytes.substr(offset, 1)));
}

}  // namespace

// The byte behind white space, which must be there.
char JsonEvents::skipSpace() {
  position_ = std::min(bytes_.find_first_not_of(kSpace, position_), bytes_.size());
  if (position_ < bytes_.size()) return bytes_[position_];
  throw ParseFailure(bytes_.size(), "the file ends within its JSON: it was cut short");
}

Event JsonEvents::next() {
  char first = skipSpace();
  if (state_ == State::afterValue && first == ',') {
    ++position_;
    first = skipSpace();
    state_ = State::afterComma;
  } else if (state_ == State::afterValue) {
    return end(first);
  } else if (state_ == State::first && first == (isInObject() ? '}' : ']')) {
    return end(first);
  }
  if (state_ != State::value && isInObject()) return key();
  return value(first);
}

Event JsonEvents::begin(EventKind kind, char opener) {
  if (stack_.size() == kDepthMax) {
    throw ParseFailure(position_, "nested deeper than " + std::to_string(kDepthMax));
  }
  stack_.push_back(opener);
  state_ = State::first;
  return {kind, position_++};
}

Event JsonEvents::end(char closer) {
  bool const isObject = isInObject();
  if (closer != (isObject ? '}' : ']')) {
    failExpected(isObject ? "',' or '}'" : "',' or ']'", bytes_, position_);
  }
  stack_.pop_back();
  state_ = State::afterValue;
  return {isObject ? EventKind::endObject : EventKind::endArray, position_++};
}

Event JsonEvents::key() {
  if (bytes_[position_] != '"') failExpected("a key", bytes_, position_);
  Event event{EventKind::key, position_};
  event.text = text(event.hasEscapes);
  if (skipSpace() != ':') failExpected("':'", bytes_, position_);
  ++position_;
  state_ = State::value;
  return event;
}

Event JsonEvents::value(char first) {
  switch (first) {
    case '{':
      return begin(EventKind::beginObject, first);
    case '[':
      return begin(EventKind::beginArray, first);
    case '"': {
      Event event{EventKind::text, position_};
      event.text = text(event.hasEscapes);
      return afterValue(event);
    }
    case 't':
      return word("true", EventKind::boolean, 1);
    case 'f':
      return word("false", EventKind::boolean, 0);
    case 'n':
      return word("null", EventKind::null, 0);
    case 'N':
      return word("NaN", EventKind::literal, 0);
    case 'I':
      return word("Infinity", EventKind::literal, 0);
    default:
      return literal();
  }
}

Event JsonEvents::literal() {
  if (bytes_.substr(position_, 2) == "-I") return word("-Infinity", EventKind::literal, 0);
  std::size_t const end =
      std::min(bytes_.find_first_not_of(kNumberBytes, position_), bytes_.size());
  if (end == position_) failExpected("a value", bytes_, position_);
  Event event{EventKind::literal, position_};
  event.text = bytes_.substr(position_, end - position_);
  position_ = end;
  return afterValue(event);
}

Event JsonEvents::word(std::string_view word, EventKind kind, int integer) {
  if (bytes_.substr(position_, word.size()) != word) failExpected("a value", bytes_, position_);
  Event event{kind, position_};
  event.text = bytes_.substr(position_, word.size());
  event.integer = integer;
  position_ += word.size();
  return afterValue(event);
}

// From one quote to behind the other.
std::string_view JsonEvents::text(bool& hasEscapes) {
  std::size_t const begin = ++position_;
  for (;;) {
    position_ = bytes_.find_first_of("\"\\", position_);
    if (position_ >= bytes_.size()) {
      throw ParseFailure(bytes_.size(), "the file ends within a text: it was cut short");
    }
    if (bytes_[position_] == '"') return bytes_.substr(begin, position_++ - begin);
    hasEscapes = true;
    position_ = std::min(position_ + 2, bytes_.size());
  }
}

Event JsonEvents::afterValue(Event event) {
  state_ = State::afterValue;
  return event;
}

}  // namespace larder::xgboost
