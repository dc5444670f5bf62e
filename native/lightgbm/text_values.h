// Reads numbers and lists out of one `key=value` line.
//
// A `Field` is a view into the file together with its offset, so that every refusal can say where.
// Lists are separated by runs of spaces: LightGBM writes doubled and trailing ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace larder::lightgbm {

struct Field {
  std::string_view key;
  std::size_t offset = 0;  // of the first byte of `text`
  std::string_view text;
};

// Walks the space-separated words of a field, without allocating.
class Words {
 public:
  explicit Words(Field const& field) : field_(field) {}
  // False at the end of the field.
  bool next(Field& word);

 private:
  Field const& field_;
  std::size_t position_ = 0;
};

std::size_t countWords(Field const& field);
// The word at `index`, which must exist.
Field wordAt(Field const& field, std::size_t index);

// One integer in [min, max]; throws ParseFailure naming key, value and bound.
std::int64_t parseInteger(Field const& field, std::int64_t min, std::int64_t max);
// One exactly rounded f64; inf and nan are numbers here.
double parseNumber(Field const& field);

// Exactly `count` values; `expected` says in words where the count comes from.
std::vector<std::int32_t> parseIntegers(Field const& field, std::size_t count, std::int64_t min,
                                        std::int64_t max, std::string_view expected);
std::vector<double> parseNumbers(Field const& field, std::size_t count, std::string_view expected);
std::vector<std::uint32_t> parseBitsetWords(Field const& field, std::size_t count,
                                            std::string_view expected);

}  // namespace larder::lightgbm
