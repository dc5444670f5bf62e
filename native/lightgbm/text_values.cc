#include "lightgbm/text_values.h"

#include <charconv>
#include <limits>

#include "trees/excerpt.h"
#include "trees/parse_error.h"

namespace larder::lightgbm {

using namespace trees;

namespace {

std::string keyIs(Field const& field) {
  return std::string(field.key) + " is " + quoted(field.text);
}

// Checked before any allocation: a list cannot have more words than the file has bytes for.
void requireCount(Field const& field, std::size_t count, std::string_view expected) {
  std::size_t const found = countWords(field);
  if (found == count) return;
  throw ParseFailure(field.offset, std::string(field.key) + " has " + std::to_string(found) +
                                       " values, expected " + std::to_string(count) + " (" +
                                       std::string(expected) + ")");
}

template <typename Value, typename Parse>
std::vector<Value> parseList(Field const& field, std::size_t count, std::string_view expected,
                             Parse parse) {
  requireCount(field, count, expected);
  std::vector<Value> values;
  values.reserve(count);
  Words words(field);
  Field word;
  while (words.next(word)) values.push_back(static_cast<Value>(parse(word)));
  return values;
}

}  // namespace

bool Words::next(Field& word) {
  std::string_view const text = field_.text;
  std::size_t const begin = text.find_first_not_of(' ', position_);
  if (begin == std::string_view::npos) return false;
  std::size_t end = text.find(' ', begin);
  if (end == std::string_view::npos) end = text.size();
  word = {field_.key, field_.offset + begin, text.substr(begin, end - begin)};
  position_ = end;
  return true;
}

std::size_t countWords(Field const& field) {
  Words words(field);
  Field word;
  std::size_t count = 0;
  while (words.next(word)) ++count;
  return count;
}

Field wordAt(Field const& field, std::size_t index) {
  Words words(field);
  Field word;
  for (std::size_t i = 0; i <= index; ++i) words.next(word);
  return word;
}

std::int64_t parseInteger(Field const& field, std::int64_t min, std::int64_t max) {
  char const* const end = field.text.data() + field.text.size();
  std::int64_t value = 0;
  auto const [stop, status] = std::from_chars(field.text.data(), end, value);
  if (status == std::errc::invalid_argument || stop != end) {
    throw ParseFailure(field.offset, keyIs(field) + ", expected an integer");
  }
  if (status != std::errc() || value < min || value > max) {
    throw ParseFailure(field.offset, keyIs(field) + ", expected " + std::to_string(min) + " to " +
                                         std::to_string(max));
  }
  return value;
}

double parseNumber(Field const& field) {
  char const* const end = field.text.data() + field.text.size();
  double value = 0;
  auto const [stop, status] = std::from_chars(field.text.data(), end, value);
  if (status == std::errc::invalid_argument || stop != end) {
    throw ParseFailure(field.offset, keyIs(field) + ", expected a number");
  }
  if (status != std::errc()) {
    throw ParseFailure(field.offset, keyIs(field) + ", which is outside the range of a float64");
  }
  return value;
}

std::vector<std::int32_t> parseIntegers(Field const& field, std::size_t count, std::int64_t min,
                                        std::int64_t max, std::string_view expected) {
  return parseList<std::int32_t>(field, count, expected,
                                 [=](Field const& word) { return parseInteger(word, min, max); });
}

std::vector<double> parseNumbers(Field const& field, std::size_t count, std::string_view expected) {
  return parseList<double>(field, count, expected, parseNumber);
}

std::vector<std::uint32_t> parseBitsetWords(Field const& field, std::size_t count,
                                            std::string_view expected) {
  return parseList<std::uint32_t>(field, count, expected, [](Field const& word) {
    return parseInteger(word, 0, std::numeric_limits<std::uint32_t>::max());
  });
}

}  // namespace larder::lightgbm
