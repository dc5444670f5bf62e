#include "xgboost/document.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "trees/excerpt.h"
#include "trees/parse_error.h"
#include "xgboost/text_decode.h"

namespace larder::xgboost {

using trees::ParseFailure;
using trees::quoted;

namespace {

// What may stand behind the first brace of a UBJSON file: a key's length, or a count.
constexpr std::string_view kUbjsonSecondBytes = "iUIlLumM#$";

std::string_view kindText(EventKind kind) {
  switch (kind) {
    case EventKind::beginObject:
      return "an object";
    case EventKind::beginArray:
      return "an array";
    case EventKind::text:
      return "a text";
    case EventKind::literal:
    case EventKind::integer:
    case EventKind::real:
      return "a number";
    case EventKind::boolean:
      return "a boolean";
    default:
      return "null";
  }
}

[[noreturn]] void failKind(std::string_view key, Event const& event, std::string_view expected) {
  throw ParseFailure(event.offset, std::string(key) + " holds " +
                                       std::string(kindText(event.kind)) + ", expected " +
                                       std::string(expected));
}

void requireRoom(Value const& array, std::size_t count, std::size_t countMax, Event const& item) {
  if (count < countMax) return;
  throw ParseFailure(item.offset, std::string(array.key) + " has more than " +
                                      std::to_string(countMax) + " items");
}

std::int64_t parseInteger(std::string_view key, std::string_view text, std::size_t offset) {
  std::int64_t value = 0;
  auto const [stop, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status == std::errc::invalid_argument || stop != text.data() + text.size()) {
    throw ParseFailure(offset, std::string(key) + " is " + quoted(text) + ", expected an integer");
  }
  if (status == std::errc()) return value;
  throw ParseFailure(offset, std::string(key) + " is " + quoted(text) +
                                 ", which is outside the range of an int64");
}

float narrowed(std::string_view key, Event const& event) {
  constexpr double kMax = std::numeric_limits<float>::max();
  double const value = event.real;
  if (!std::isfinite(value) || std::fabs(value) <= kMax) return static_cast<float>(value);
  throw ParseFailure(event.offset, std::string(key) + " is " + std::to_string(value) +
                                       ", which is outside the range of a float32");
}

float floatOf(std::string_view key, Event const& event) {
  switch (event.kind) {
    case EventKind::literal:
      return parseFloat(key, event.text, event.offset);
    case EventKind::real:
      return narrowed(key, event);
    case EventKind::integer:
      return static_cast<float>(event.integer);
    default:
      failKind(key, event, "a number");
  }
}

std::int64_t integerOf(std::string_view key, Event const& event, std::int64_t min,
                       std::int64_t max) {
  std::int64_t value = event.integer;
  if (event.kind == EventKind::literal) {
    value = parseInteger(key, event.text, event.offset);
  } else if (event.kind != EventKind::integer && event.kind != EventKind::boolean) {
    failKind(key, event, "an integer");
  }
  if (value >= min && value <= max) return value;
  throw ParseFailure(event.offset, std::string(key) + " is " + std::to_string(value) +
                                       ", expected " + std::to_string(min) + " to " +
                                       std::to_string(max));
}

std::string textOf(std::string_view key, Event const& event) {
  if (event.kind != EventKind::text) failKind(key, event, "a text");
  std::string const text =
      event.hasEscapes ? resolveEscapes(event.text, event.offset) : std::string(event.text);
  if (isUtf8(text)) return text;
  throw ParseFailure(event.offset, std::string(key) + " holds a text that is not UTF-8");
}

}  // namespace

float parseFloat(std::string_view key, std::string_view text, std::size_t offset) {
  float value = 0;
  auto const [stop, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status == std::errc::invalid_argument || stop != text.data() + text.size()) {
    throw ParseFailure(offset, std::string(key) + " is " + quoted(text) + ", expected a number");
  }
  if (status == std::errc()) return value;
  throw ParseFailure(offset, std::string(key) + " is " + quoted(text) +
                                 ", which is outside the range of a float32");
}

Document::Document(std::string_view bytes) : bytes_(bytes) {
  std::size_t const start = bytes.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos || bytes[start] != '{') {
    throw ParseFailure(0, "not an XGBoost model in JSON or UBJSON: it begins with " +
                              quoted(bytes.substr(0, 4)) +
                              ", expected '{'; save a model of the old binary format again with "
                              "save_model('model.json') or save_model('model.ubj')");
  }
  isUbjson_ =
      start == 0 && bytes.size() > 1 && kUbjsonSecondBytes.find(bytes[1]) != std::string_view::npos;
}

Document::Reader Document::readerAt(std::size_t place) const {
  if (isUbjson_) return UbjsonEvents(bytes_, place);
  return JsonEvents(bytes_, place);
}

Event Document::next(Reader& reader) {
  return std::visit([](auto& events) { return events.next(); }, reader);
}

void Document::finish(Reader& reader, Event const& event) {
  std::size_t depth = 0;
  Event last = event;
  for (;;) {
    switch (last.kind) {
      case EventKind::beginArray:
        if (!std::visit([](auto& events) { return events.leavesAtOnce(); }, reader)) ++depth;
        break;
      case EventKind::beginObject:
        ++depth;
        break;
      case EventKind::endArray:
      case EventKind::endObject:
        --depth;
        break;
      default:
        break;
    }
    if (depth == 0) return;
    last = next(reader);
  }
}

void Document::requireKind(Value const& value, Event const& event, EventKind kind) const {
  if (event.kind != kind) failKind(value.key, event, kindText(kind));
}

std::string Document::text(Value const& value) const {
  Reader reader = readerAt(value.place);
  return textOf(value.key, next(reader));
}

std::vector<std::string> Document::texts(Value const& array, std::size_t countMax) const {
  std::vector<std::string> texts;
  eachItem(array, [&](Event const& item) {
    requireRoom(array, texts.size(), countMax, item);
    texts.push_back(textOf(array.key, item));
  });
  return texts;
}

std::vector<float> Document::floats(Value const& array, std::size_t countMax) const {
  std::vector<float> values;
  eachItem(array, [&](Event const& item) {
    requireRoom(array, values.size(), countMax, item);
    values.push_back(floatOf(array.key, item));
  });
  return values;
}

std::vector<std::int64_t> Document::integers(Value const& array, std::size_t countMax,
                                             std::int64_t min, std::int64_t max) const {
  std::vector<std::int64_t> values;
  eachItem(array, [&](Event const& item) {
    requireRoom(array, values.size(), countMax, item);
    values.push_back(integerOf(array.key, item, min, max));
  });
  return values;
}

std::int64_t Document::count(Value const& value, std::int64_t min, std::int64_t max) const {
  Reader reader = readerAt(value.place);
  Event event = next(reader);
  if (event.kind == EventKind::text) event.kind = EventKind::literal;
  return integerOf(value.key, event, min, max);
}

std::size_t Document::itemPlace(Value const& array, std::size_t index) const {
  std::size_t place = array.place;
  std::size_t count = 0;
  eachItem(array, [&](Event const& item) {
    if (count++ == index) place = item.offset;
  });
  return place;
}

Fields::Fields(Document const& document, Value const& object,
               std::span<std::string_view const> keys)
    : object_(object) {
  document.eachMember(object, [&](Event const& key, Event const& value) {
    for (std::string_view const known : keys) {
      if (known != key.text) continue;
      if (find(known)) {
        throw ParseFailure(key.offset,
                           std::string(known) + " is given twice in " + std::string(object.key));
      }
      found_.push_back({known, value.offset});
    }
  });
}

std::optional<Value> Fields::find(std::string_view key) const {
  for (Value const& value : found_) {
    if (value.key == key) return value;
  }
  return std::nullopt;
}

Value Fields::require(std::string_view key) const {
  if (auto const value = find(key)) return *value;
  throw ParseFailure(object_.place, std::string(object_.key) + " has no " + std::string(key));
}

}  // namespace larder::xgboost
