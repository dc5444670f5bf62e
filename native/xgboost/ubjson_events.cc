#include "xgboost/ubjson_events.h"

#include <bit>
#include <limits>
#include <string>

#include "trees/excerpt.h"
#include "trees/parse_error.h"

namespace larder::xgboost {

using trees::ParseFailure;

namespace {

// Bytes of a number with this marker; 0 for what is no number.
std::size_t widthOf(char marker) {
  switch (marker) {
    case 'i':
    case 'U':
      return 1;
    case 'I':
    case 'u':
      return 2;
    case 'l':
    case 'm':
    case 'd':
      return 4;
    case 'L':
    case 'M':
    case 'D':
      return 8;
    default:
      return 0;
  }
}

bool isReal(char marker) { return marker == 'd' || marker == 'D'; }
bool isSigned(char marker) {
  return marker == 'i' || marker == 'I' || marker == 'l' || marker == 'L';
}

// The two's complement number of `byteCount` bytes that `bits` ends with.
std::int64_t signExtended(std::uint64_t bits, std::size_t byteCount) {
  std::size_t const shift = 64 - 8 * byteCount;
  return static_cast<std::int64_t>(bits << shift) >> shift;
}

[[noreturn]] void failMarker(char marker, std::size_t offset, std::string_view expected) {
  throw ParseFailure(offset, "expected " + std::string(expected) + ", met the marker " +
                                 trees::quoted({&marker, 1}));
}

}  // namespace

char UbjsonEvents::take() {
  if (position_ >= bytes_.size()) {
    throw ParseFailure(bytes_.size(), "the file ends within its UBJSON: it was cut short");
  }
  return bytes_[position_++];
}

std::uint64_t UbjsonEvents::takeBig(std::size_t byteCount) {
  if (left() < byteCount) {
    throw ParseFailure(bytes_.size(), "the file ends within a number: it was cut short");
  }
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < byteCount; ++i) {
    bits = bits << 8 | static_cast<unsigned char>(bytes_[position_++]);
  }
  return bits;
}

// A length or a count of items that take `widthMin` bytes each at least: what is left must do.
std::uint64_t UbjsonEvents::takeLength(std::size_t widthMin) {
  std::size_t const offset = position_;
  char const marker = take();
  if (widthOf(marker) == 0 || isReal(marker)) failMarker(marker, offset, "a length");
  std::uint64_t const bits = takeBig(widthOf(marker));
  std::int64_t const length =
      isSigned(marker) ? signExtended(bits, widthOf(marker)) : static_cast<std::int64_t>(bits);
  if (length < 0 || static_cast<std::uint64_t>(length) > left() / widthMin) {
    throw ParseFailure(offset, "a length is " + std::to_string(length) + ", but only " +
                                   std::to_string(left()) + " bytes are left");
  }
  return static_cast<std::uint64_t>(length);
}

std::string_view UbjsonEvents::takeText() {
  std::size_t const byteCount = takeLength(1);
  std::string_view const text = bytes_.substr(position_, byteCount);
  position_ += byteCount;
  return text;
}

bool UbjsonEvents::isAtEnd(Frame const& frame) const {
  if (frame.isCounted) return frame.left == 0;
  return position_ < bytes_.size() && bytes_[position_] == (frame.isObject ? '}' : ']');
}

Event UbjsonEvents::next() {
  if (stack_.empty()) {
    std::size_t const offset = position_;
    return value(take(), offset);
  }
  Frame& frame = stack_.back();
  if (!isAfterKey_) {
    if (isAtEnd(frame)) return end();
    if (frame.isObject) return key();
  }
  isAfterKey_ = false;
  --frame.left;
  std::size_t const offset = position_;
  return value(frame.type != 0 ? frame.type : take(), offset);
}

bool UbjsonEvents::leavesAtOnce() {
  if (stack_.empty() || stack_.back().type == 0) return false;
  position_ += stack_.back().left * widthOf(stack_.back().type);
  stack_.pop_back();
  return true;
}

Event UbjsonEvents::end() {
  Frame const frame = stack_.back();
  Event const event{frame.isObject ? EventKind::endObject : EventKind::endArray, position_};
  if (!frame.isCounted) ++position_;
  stack_.pop_back();
  return event;
}

Event UbjsonEvents::key() {
  Event event{EventKind::key, position_};
  event.text = takeText();
  isAfterKey_ = true;
  return event;
}

Event UbjsonEvents::value(char marker, std::size_t offset) {
  Event event{EventKind::null, offset};
  switch (marker) {
    case '{':
      return beginObject(event);
    case '[':
      return beginArray(event);
    case 'S':
      event.kind = EventKind::text;
      event.text = takeText();
      return event;
    case 'C':
      event.kind = EventKind::text;
      take();
      event.text = bytes_.substr(position_ - 1, 1);
      return event;
    case 'T':
    case 'F':
      event.kind = EventKind::boolean;
      event.integer = marker == 'T' ? 1 : 0;
      return event;
    case 'Z':
      return event;
    default:
      return number(marker, event);
  }
}

Event UbjsonEvents::number(char marker, Event event) {
  std::size_t const width = widthOf(marker);
  if (width == 0) failMarker(marker, event.offset, "a value");
  std::uint64_t const bits = takeBig(width);
  if (marker == 'd') {
    event.real = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  } else if (marker == 'D') {
    event.real = std::bit_cast<double>(bits);
  } else if (isSigned(marker)) {
    event.integer = signExtended(bits, width);
  } else if (bits <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    event.integer = static_cast<std::int64_t>(bits);
  } else {
    throw ParseFailure(event.offset, "an integer is " + std::to_string(bits) +
                                         ", which is outside the range of an int64");
  }
  event.kind = isReal(marker) ? EventKind::real : EventKind::integer;
  return event;
}

Event UbjsonEvents::beginObject(Event event) {
  event.kind = EventKind::beginObject;
  Frame frame{true, false, 0, 0};
  if (left() > 0 && bytes_[position_] == '$') failMarker('$', position_, "an object without types");
  if (left() > 0 && bytes_[position_] == '#') {
    ++position_;
    frame.isCounted = true;
    frame.left = takeLength(1);
  }
  push(frame, event.offset);
  return event;
}

Event UbjsonEvents::beginArray(Event event) {
  event.kind = EventKind::beginArray;
  Frame frame{false, false, 0, 0};
  if (left() > 0 && bytes_[position_] == '$') {
    ++position_;
    frame.type = take();
    if (widthOf(frame.type) == 0) failMarker(frame.type, position_ - 1, "a type of numbers");
    if (left() == 0 || bytes_[position_] != '#') {
      throw ParseFailure(position_, "a typed array has no count");
    }
  }
  if (left() > 0 && bytes_[position_] == '#') {
    ++position_;
    frame.isCounted = true;
    frame.left = takeLength(frame.type != 0 ? widthOf(frame.type) : 1);
  }
  push(frame, event.offset);
  return event;
}

void UbjsonEvents::push(Frame const& frame, std::size_t offset) {
  if (stack_.size() == kDepthMax) {
    throw ParseFailure(offset, "nested deeper than " + std::to_string(kDepthMax));
  }
  stack_.push_back(frame);
}

}  // namespace larder::xgboost
