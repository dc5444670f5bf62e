// The LightGBM parser alone: what a good file becomes, and where a bad one is refused. The full
// table of broken files is in test/lightgbm-bad-files.test.ts.
#include <cmath>
#include <limits>

#include "lightgbm/parse_text.h"
#include "lightgbm_example.h"

using namespace larder::trees;
using larder::lightgbm::parseText;
using larder::lightgbm::test::check;
using larder::lightgbm::test::kExample;
using larder::lightgbm::test::kLimits;
using larder::lightgbm::test::replaced;

namespace {

Model parseGood(std::string_view text) {
  auto parsed = parseText(text, kLimits);
  auto const* const error = std::get_if<ParseError>(&parsed);
  check(error == nullptr, error == nullptr ? "" : "parses: " + error->message);
  return std::get<Model>(std::move(parsed));
}

void checkRefused(std::string const& text, std::string_view at, std::string_view says) {
  auto const parsed = parseText(text, kLimits);
  auto const* const error = std::get_if<ParseError>(&parsed);
  check(error != nullptr, "refused: " + std::string(says));
  check(error->offset == text.find(at), error->message + " is told where it is");
  check(error->message.find(says) != std::string::npos, error->message + " says " + says.data());
}

void testGoodFile() {
  Model const model = parseGood(kExample);
  check(model.trees.size() == 4 && model.outputCount == 2, "four trees, two outputs");
  check(model.iterationCount() == 2, "two iterations");
  check(model.nodes.size() == 5 + 1 + 3 + 3, "inner nodes and leaves of all trees");
  check(model.objective.name == "multiclassova", "the objective");
  check(model.pandasCategorical == "null", "the pandas line is handed on");
  check(model.isFeatureCategorical[2] && !model.isFeatureCategorical[0], "categorical features");
}

void testLayout() {
  Model const model = parseGood(kExample);
  for (Tree const& tree : model.trees) check(tree.depth <= 2, "depth of each tree");
  Node const& root = model.nodes[0];
  check(root.next == 1 && !root.isLeaf(), "the children of the root are next to it");
  check(model.leafIds[0] == -1 && model.leafIds[2] == 1, "the right child is leaf 1");
  check(model.nodes[2].isLeaf() && model.nodes[2].next == 2, "a leaf rests on itself");
  check(model.nodes[1].isCategorical() && model.nodes[1].bitCount() == 32, "a set of one word");
  check(model.nodes[11].next == 10 && std::isnan(model.nodes[11].threshold()),
        "a leaf of value NaN rests by stepping right");
}

void testNumbers() {
  auto const valueOf = [](std::string_view number) {
    return parseGood(replaced(kExample, "leaf_value=0.5", "leaf_value=" + std::string(number)))
        .nodes[5]
        .threshold();
  };
  check(valueOf("1.0000000180025095e-35") == static_cast<double>(1e-35f), "just above zero");
  check(valueOf("4.9406564584124654e-324") == std::numeric_limits<double>::denorm_min(),
        "denormal");
  check(valueOf("1.7976931348623157e+308") == std::numeric_limits<double>::max(), "largest");
  check(valueOf("-inf") == -std::numeric_limits<double>::infinity(), "-inf");
  check(std::signbit(valueOf("-0")), "-0");
  check(std::isnan(valueOf("nan")), "nan");
  check(valueOf("0.1000000000000000055511151231257827") == 0.1, "more digits than needed");
}

void testRefusals() {
  checkRefused(replaced(kExample, "left_child=1 -1", "left_child=1 0"), "0\nright_child=-2 -3",
               "reached twice");
  checkRefused(replaced(kExample, "num_leaves=3", "num_leaves=131072"), "1 2 4",
               "expected 131072 (num_leaves)");
  checkRefused(replaced(kExample, "max_feature_idx=2", "max_feature_idx=1000"), "1000",
               "expected 0 to 999");
  checkRefused(replaced(kExample, "num_class:2", "num_class:3"), "multiclassova",
               "has 3 outputs, but num_tree_per_iteration is 2");
}

void testEveryCutIsRefused() {
  std::size_t const end = kExample.find("end of trees");
  for (std::size_t cut = 0; cut < end; ++cut) {
    auto const parsed = parseText(kExample.substr(0, cut), kLimits);
    check(std::holds_alternative<ParseError>(parsed), "cut at " + std::to_string(cut));
    check(std::get<ParseError>(parsed).offset <= cut, "the offset lies in the file");
  }
}

void testNodeLimit() {
  ParseLimits limits = kLimits;
  limits.nodesMax = 8;
  auto const parsed = parseText(kExample, limits);
  check(std::holds_alternative<ParseError>(parsed), "nine nodes do not fit eight");
  limits.nodesMax = 12;
  check(std::holds_alternative<Model>(parseText(kExample, limits)), "twelve nodes fit twelve");
}

}  // namespace

int main() {
  testGoodFile();
  testLayout();
  testNumbers();
  testRefusals();
  testEveryCutIsRefused();
  testNodeLimit();
  std::puts("lightgbm_parse_test: ok");
}
