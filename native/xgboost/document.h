// A model file as a tree of values that are read where they lie: nothing is kept but places in it.
//
// A `Value` is a place in the file together with the key it was found under, so that every refusal
// can say what and where. Reading a part walks that part once; parts that nobody asks for are
// walked only to find their end. Throws trees::ParseFailure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "xgboost/json_events.h"
#include "xgboost/ubjson_events.h"

namespace larder::xgboost {

struct Value {
  std::string_view key;   // of static storage
  std::size_t place = 0;  // offset of its first byte
};

class Document {
 public:
  // JSON or UBJSON, told apart by the first two bytes.
  explicit Document(std::string_view bytes);
  Value root() const { return {"the file", 0}; }

  // Calls visit(event) with the event that begins each item.
  template <typename Visit>
  void eachItem(Value const& array, Visit visit) const;
  // Calls visit(key, event) with the event that begins each member's value.
  template <typename Visit>
  void eachMember(Value const& object, Visit visit) const;

  std::string text(Value const& value) const;
  std::vector<std::string> texts(Value const& array, std::size_t countMax) const;
  // Exactly rounded float32s; NaN and infinities are numbers here.
  std::vector<float> floats(Value const& array, std::size_t countMax) const;
  // Integers in [min, max]; booleans count as 0 and 1, as old files have them.
  std::vector<std::int64_t> integers(Value const& array, std::size_t countMax, std::int64_t min,
                                     std::int64_t max) const;
  // One integer in [min, max], or a text that spells one, as XGBoost writes its parameters.
  std::int64_t count(Value const& value, std::int64_t min, std::int64_t max) const;
  // The place of an item that exists: for a refusal.
  std::size_t itemPlace(Value const& array, std::size_t index) const;

 private:
  using Reader = std::variant<JsonEvents, UbjsonEvents>;

  Reader readerAt(std::size_t place) const;
  static Event next(Reader& reader);
  // Goes to the end of what `event` began.
  static void finish(Reader& reader, Event const& event);
  void requireKind(Value const& value, Event const& event, EventKind kind) const;

  std::string_view bytes_;
  bool isUbjson_;
};

// The members of one object that matter, by key; others are dropped.
class Fields {
 public:
  // Throws ParseFailure where `object` is none, or has one of `keys` twice.
  Fields(Document const& document, Value const& object, std::span<std::string_view const> keys);
  std::optional<Value> find(std::string_view key) const;
  // Throws ParseFailure if there is no such key.
  Value require(std::string_view key) const;

 private:
  Value object_;
  std::vector<Value> found_;
};

// The number in `text`, exactly rounded to float32; `offset` is where it stands.
float parseFloat(std::string_view key, std::string_view text, std::size_t offset);

template <typename Visit>
void Document::eachItem(Value const& array, Visit visit) const {
  Reader reader = readerAt(array.place);
  requireKind(array, next(reader), EventKind::beginArray);
  for (Event item = next(reader); item.kind != EventKind::endArray; item = next(reader)) {
    finish(reader, item);
    visit(item);
  }
}

template <typename Visit>
void Document::eachMember(Value const& object, Visit visit) const {
  Reader reader = readerAt(object.place);
  requireKind(object, next(reader), EventKind::beginObject);
  for (Event key = next(reader); key.kind != EventKind::endObject; key = next(reader)) {
    Event const value = next(reader);
    finish(reader, value);
    visit(key, value);
  }
}

}  // namespace larder::xgboost
