#include "lightgbm/parse_header.h"

#include <algorithm>
#include <array>

#include "lightgbm/parse_objective.h"
#include "trees/excerpt.h"
#include "trees/parse_error.h"

namespace larder::lightgbm {

using namespace trees;

namespace {

struct HeaderFields {
  std::optional<Field> version;
  std::optional<Field> classCount;
  std::optional<Field> treesPerIteration;
  std::optional<Field> featureIndexMax;
  std::optional<Field> objective;
  std::optional<Field> averageOutput;
  std::optional<Field> featureNames;
  std::optional<Field> featureInfos;
  std::optional<Field> treeSizes;
};

struct HeaderKey {
  std::string_view text;
  std::optional<Field> HeaderFields::*field;
};

constexpr std::array kHeaderKeys = {
    HeaderKey{"version", &HeaderFields::version},
    HeaderKey{"num_class", &HeaderFields::classCount},
    HeaderKey{"num_tree_per_iteration", &HeaderFields::treesPerIteration},
    HeaderKey{"max_feature_idx", &HeaderFields::featureIndexMax},
    HeaderKey{"objective", &HeaderFields::objective},
    HeaderKey{"average_output", &HeaderFields::averageOutput},
    HeaderKey{"feature_names", &HeaderFields::featureNames},
    HeaderKey{"feature_infos", &HeaderFields::featureInfos},
    HeaderKey{"tree_sizes", &HeaderFields::treeSizes},
};

void addHeaderLine(Line const& line, HeaderFields& fields) {
  Field const field = splitLine(line);
  for (HeaderKey const& key : kHeaderKeys) {
    if (key.text != field.key) continue;
    if (fields.*key.field) {
      throw ParseFailure(line.offset, std::string(field.key) + " is given twice in the header");
    }
    fields.*key.field = field;
  }
}

HeaderFields readHeaderFields(Lines& lines) {
  Line line;
  if (!lines.next(line) || line.text != "tree") {
    throw ParseFailure(0, "not a LightGBM text model: the first line is " + quoted(line.text) +
                              ", expected 'tree'");
  }
  HeaderFields fields;
  while (lines.peek(line) && !line.text.starts_with("Tree=") && line.text != "end of trees") {
    if (!line.isTerminated) {
      throw ParseFailure(line.offset, "the file ends within its header: it was cut short");
    }
    addHeaderLine(line, fields);
    lines.skip(line);
  }
  return fields;
}

Field const& require(std::optional<Field> const& field, std::string_view key, std::size_t offset) {
  if (field) return *field;
  throw ParseFailure(offset, "the header has no " + std::string(key));
}

std::vector<std::string> parseFeatureNames(Field const& field, std::int64_t featureCount) {
  std::size_t const count = countWords(field);
  if (count != static_cast<std::size_t>(featureCount)) {
    throw ParseFailure(field.offset, "feature_names has " + std::to_string(count) +
                                         " names, expected " + std::to_string(featureCount) +
                                         " (max_feature_idx + 1)");
  }
  std::vector<std::string> names;
  names.reserve(count);
  Words words(field);
  Field word;
  while (words.next(word)) names.emplace_back(word.text);
  return names;
}

// A numerical feature's info is `[min:max]`, an unused one's `none`; else it lists categories.
std::vector<bool> parseCategoricalInfos(std::optional<Field> const& field,
                                        std::int64_t featureCount) {
  std::vector<bool> isCategorical(static_cast<std::size_t>(featureCount));
  if (!field) return isCategorical;
  if (countWords(*field) != isCategorical.size()) {
    throw ParseFailure(field->offset, "feature_infos has " + std::to_string(countWords(*field)) +
                                          " entries, expected " + std::to_string(featureCount) +
                                          " (max_feature_idx + 1)");
  }
  Words words(*field);
  Field word;
  for (std::size_t i = 0; words.next(word); ++i) {
    isCategorical[i] = !word.text.starts_with('[') && word.text != "none";
  }
  return isCategorical;
}

bool mustEndTrees(Model& model) {
  if (model.version == "v3" || model.version == "v4") return true;
  if (model.version == "v2") return false;
  if (model.version.empty()) {
    model.warnings.push_back("the file does not state its version");
    return false;
  }
  model.warnings.push_back("version " + quoted(model.version) +
                           " is unknown: read as if it were v4");
  return true;
}

}  // namespace

Header parseHeader(Lines& lines, ParseLimits const& limits, Model& model) {
  HeaderFields const fields = readHeaderFields(lines);
  std::size_t const end = lines.offset();
  Header header;
  if (fields.version) model.version = fields.version->text;
  header.mustEndTrees = mustEndTrees(model);

  Field const& classCount = require(fields.classCount, "num_class", end);
  Field const outputCount = fields.treesPerIteration.value_or(classCount);
  parseInteger(classCount, 1, kOutputsPerRowMax);  // must be sound, even where it is not used
  model.outputCount = static_cast<std::size_t>(parseInteger(outputCount, 1, kOutputsPerRowMax));

  Field const& indexMax = require(fields.featureIndexMax, "max_feature_idx", end);
  header.featureCount = parseInteger(indexMax, 0, limits.featuresMax - 1) + 1;
  model.featureNames =
      parseFeatureNames(require(fields.featureNames, "feature_names", end), header.featureCount);
  model.isFeatureCategorical = parseCategoricalInfos(fields.featureInfos, header.featureCount);
  model.isFeatureUsed.resize(static_cast<std::size_t>(header.featureCount));

  model.averageOutput = fields.averageOutput.has_value();
  if (fields.objective) model.objective = parseObjective(*fields.objective, model.outputCount);
  if (fields.treeSizes) header.treeCount = countWords(*fields.treeSizes);
  return header;
}

}  // namespace larder::lightgbm
