#include "xgboost/parse_categories.h"

#include <algorithm>
#include <array>
#include <optional>

#include "trees/parse_error.h"
#include "xgboost/text_decode.h"

namespace larder::xgboost {

using trees::ParseFailure;

namespace {

// JSON numbers are exact up to here.
constexpr std::int64_t kExactMax = std::int64_t{1} << 53;
// Items of a list, or bytes of its texts.
constexpr std::size_t kCountMax = 1 << 26;
constexpr std::array<std::string_view, 2> kEncodingKeys = {"offsets", "values"};

// Texts lie one after the other in `values`, text i from offsets[i] to offsets[i + 1].
std::vector<std::string> textItems(Document const& document, Value const& offsetsValue,
                                   Value const& bytesValue) {
  auto const bytes = document.integers(bytesValue, kCountMax, -128, 255);
  auto const offsets =
      document.integers(offsetsValue, kCountMax, 0, static_cast<std::int64_t>(bytes.size()));
  if (!std::is_sorted(offsets.begin(), offsets.end())) {
    throw ParseFailure(offsetsValue.place, "offsets of categories must not decrease");
  }
  std::vector<std::string> items;
  for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
    std::string text;
    for (std::int64_t at = offsets[i]; at < offsets[i + 1]; ++at) {
      text += static_cast<char>(bytes[static_cast<std::size_t>(at)]);
    }
    if (!isUtf8(text)) throw ParseFailure(bytesValue.place, "a category is not UTF-8");
    items.push_back(quoteJson(text));
  }
  return items;
}

std::vector<std::string> numberItems(Document const& document, Value const& values) {
  std::vector<std::string> items;
  for (std::int64_t const value : document.integers(values, kCountMax, -kExactMax, kExactMax)) {
    items.push_back(std::to_string(value));
  }
  return items;
}

std::string listOf(std::vector<std::string> const& items) {
  std::string list = "[";
  for (std::string const& item : items) list += (list.size() > 1 ? "," : "") + item;
  return list + "]";
}

}  // namespace

void parseCategories(Document const& document, Value const& cats, trees::Model& model) {
  static constexpr std::array<std::string_view, 1> kKeys = {"enc"};
  auto const encodings = Fields(document, cats, kKeys).find("enc");
  if (!encodings) return;
  std::vector<std::string> lists;
  std::size_t feature = 0;
  std::size_t missingCount = 0;
  document.eachItem(*encodings, [&](Event const& item) {
    if (feature == model.featureNames.size()) {
      throw ParseFailure(item.offset, "enc has more items than the model has features");
    }
    Fields const fields(document, {"enc", item.offset}, kEncodingKeys);
    Value const values = fields.require("values");
    auto const offsets = fields.find("offsets");
    auto const items =
        offsets ? textItems(document, *offsets, values) : numberItems(document, values);
    // A feature without categories has an empty list.
    if (!items.empty()) {
      lists.push_back(listOf(items));
      model.isFeatureCategorical[feature] = true;
    } else if (model.isFeatureCategorical[feature]) {
      ++missingCount;
    }
    ++feature;
  });
  if (lists.empty()) return;
  if (missingCount > 0) {
    model.warnings.push_back("the file has no list of categories for " +
                             std::to_string(missingCount) +
                             " of its categorical features: inputs must be codes");
    return;
  }
  model.hasPandasCategorical = true;
  model.pandasCategoricalOffset = cats.place;
  model.pandasCategorical = listOf(lists);
}

}  // namespace larder::xgboost
