#include "lightgbm/parse_text.h"

#include <string>

#include "lightgbm/parse_header.h"
#include "lightgbm/parse_tree.h"
#include "lightgbm/text_lines.h"
#include "trees/excerpt.h"
#include "trees/model_layout.h"

namespace larder::lightgbm {

using namespace trees;

namespace {

constexpr std::string_view kPandasPrefix = "pandas_categorical:";

[[noreturn]] void failCutShort(std::size_t offset, std::string_view where) {
  throw ParseFailure(offset, "the file ends " + std::string(where) + ": it was cut short");
}

// Everything after a `Tree=` line up to the empty line that ends the block.
TreeFields readTreeFields(Lines& lines, std::size_t treeOffset) {
  TreeFields fields(treeOffset);
  Line line;
  while (lines.next(line)) {
    if (!line.isTerminated) failCutShort(line.offset, "within a tree");
    if (line.text.empty()) return fields;
    if (line.text.find('=') == std::string_view::npos) {
      throw ParseFailure(line.offset, "expected key=value in a tree, met " + quoted(line.text));
    }
    fields.add(splitLine(line));
  }
  failCutShort(lines.offset(), "within a tree");
}

// The sections that may follow the trees; very old files begin them without `end of trees`.
bool isSectionStart(std::string_view text) {
  return text.starts_with("feature_importances:") || text.starts_with("feature importances:") ||
         text.starts_with("parameters:") || text.starts_with(kPandasPrefix);
}

// Stops behind `end of trees`, before a later section, or at the end of the file.
void parseTrees(Lines& lines, Header const& header, ParseLimits const& limits, Model& model) {
  ModelLayout layout(model);
  bool isEnded = false;
  Line line;
  while (!isEnded && lines.peek(line) && !isSectionStart(line.text)) {
    lines.skip(line);
    if (line.text.empty()) continue;
    if (line.text == "end of trees") {
      isEnded = true;
    } else if (!line.text.starts_with("Tree=")) {
      throw ParseFailure(line.offset,
                         "expected 'Tree=' or 'end of trees', met " + quoted(line.text));
    } else if (static_cast<std::int64_t>(model.trees.size()) >= limits.treesMax) {
      throw ParseFailure(line.offset, "more than " + std::to_string(limits.treesMax) + " trees");
    } else {
      std::int64_t const nodesLeft =
          limits.nodesMax - static_cast<std::int64_t>(model.nodes.size());
      std::size_t const output = model.trees.size() % model.outputCount;
      layout.add(parseTree(readTreeFields(lines, line.offset), header.featureCount, nodesLeft),
                 output);
    }
  }
  layout.finish();
  if (isEnded) return;
  if (header.mustEndTrees) failCutShort(lines.offset(), "without 'end of trees'");
  model.warnings.push_back("the file has no 'end of trees' line: it may have been cut short");
}

void checkTreeCount(Header const& header, std::size_t offset, Model& model) {
  std::size_t const found = model.trees.size();
  if (header.treeCount && *header.treeCount != found) {
    throw ParseFailure(offset, "the file has " + std::to_string(found) +
                                   " trees, but tree_sizes announces " +
                                   std::to_string(*header.treeCount));
  }
  if (model.averageOutput && model.iterationCount() == 0) {
    throw ParseFailure(offset, "average_output needs at least one iteration of trees");
  }
  std::size_t const left = found % model.outputCount;
  if (left == 0) return;
  model.trees.resize(found - left);
  model.treeOutputs.resize(found - left);
  model.warnings.push_back("the last " + std::to_string(left) +
                           " trees are not a whole iteration and are ignored, as LightGBM does");
}

void parseSections(Lines& lines, Model& model) {
  bool isInParameters = false;
  Line line;
  while (lines.next(line)) {
    if (line.text.starts_with("parameters:")) isInParameters = true;
    if (line.text.starts_with("end of parameters")) isInParameters = false;
    if (!line.text.starts_with(kPandasPrefix)) continue;
    model.hasPandasCategorical = true;
    model.pandasCategoricalOffset = line.offset + kPandasPrefix.size();
    model.pandasCategorical = line.text.substr(kPandasPrefix.size());
  }
  if (isInParameters) failCutShort(lines.offset(), "without 'end of parameters'");
}

Model parseOrThrow(std::string_view text, ParseLimits const& limits) {
  if (static_cast<std::int64_t>(text.size()) > limits.modelBytesMax) {
    throw ParseFailure(0, "the file has " + std::to_string(text.size()) + " bytes, at most " +
                              std::to_string(limits.modelBytesMax) + " are read");
  }
  Model model;
  Lines lines(text);
  Header const header = parseHeader(lines, limits, model);
  parseTrees(lines, header, limits, model);
  checkTreeCount(header, lines.offset(), model);
  parseSections(lines, model);
  return model;
}

}  // namespace

std::variant<Model, ParseError> parseText(std::string_view text, ParseLimits const& limits) {
  try {
    return parseOrThrow(text, limits);
  } catch (ParseFailure const& failure) {
    return ParseError{failure.offset(), failure.message(), excerptAt(text, failure.offset())};
  }
}

}  // namespace larder::lightgbm
