#include "lightgbm/parse_tree.h"

#include <algorithm>
#include <string>

#include "trees/excerpt.h"
#include "trees/limits.h"
#include "trees/parse_error.h"

namespace larder::lightgbm {

using namespace trees;

namespace {

constexpr std::array<std::string_view, kTreeKeyCount> kTreeKeyTexts = {
    "num_leaves", "num_cat",        "split_feature", "threshold",      "decision_type",
    "left_child", "right_child",    "leaf_value",    "cat_boundaries", "cat_threshold",
    "is_linear",  "leaf_const",     "num_features",  "leaf_features",  "leaf_coeff",
    "leaf_count", "internal_count",
};

constexpr std::int32_t kDecisionTypeMax = 11;  // categorical | default left | missing NaN

std::string_view keyText(TreeKey key) { return kTreeKeyTexts[static_cast<std::size_t>(key)]; }

std::size_t parseLeafCount(TreeFields const& fields, std::int64_t nodesLeft) {
  Field const& field = fields.require(TreeKey::leafCount);
  std::int64_t const leafCount = parseInteger(field, 1, kLeavesPerTreeMax);
  if (2 * leafCount - 1 > nodesLeft) {
    throw ParseFailure(field.offset, "num_leaves is " + std::to_string(leafCount) + ", but only " +
                                         std::to_string(nodesLeft) +
                                         " nodes are left of the model's limit");
  }
  return static_cast<std::size_t>(leafCount);
}

void parseNodes(TreeFields const& fields, std::int64_t featureCount, std::size_t leafCount,
                RawTree& tree) {
  std::size_t const count = leafCount - 1;
  std::int64_t const leaves = static_cast<std::int64_t>(leafCount);
  std::string_view const expected = "num_leaves - 1";
  tree.splitFeature =
      parseIntegers(fields.require(TreeKey::splitFeature), count, 0, featureCount - 1, expected);
  tree.threshold = parseNumbers(fields.require(TreeKey::threshold), count, expected);
  tree.leftChild =
      parseIntegers(fields.require(TreeKey::leftChild), count, -leaves, leaves - 2, expected);
  tree.rightChild =
      parseIntegers(fields.require(TreeKey::rightChild), count, -leaves, leaves - 2, expected);
  if (!fields.has(TreeKey::decisionType)) {
    tree.decisionType.assign(count, 0);
    return;
  }
  Field const& types = fields.require(TreeKey::decisionType);
  tree.decisionType = parseIntegers(types, count, 0, kDecisionTypeMax, expected);
}

void parseCategories(TreeFields const& fields, std::int64_t setCount, RawTree& tree) {
  Field const& bounds = fields.require(TreeKey::categoryBounds);
  Field const& words = fields.require(TreeKey::categoryWords);
  std::size_t const wordCount = countWords(words);
  tree.categoryBounds = parseIntegers(bounds, static_cast<std::size_t>(setCount) + 1, 0,
                                      static_cast<std::int64_t>(wordCount), "num_cat + 1");
  if (!std::is_sorted(tree.categoryBounds.begin(), tree.categoryBounds.end())) {
    throw ParseFailure(bounds.offset, "cat_boundaries must not decrease");
  }
  if (tree.categoryBounds.front() != 0) {
    throw ParseFailure(bounds.offset, "cat_boundaries must begin with 0");
  }
  std::size_t const last = static_cast<std::size_t>(tree.categoryBounds.back());
  tree.categoryWords = parseBitsetWords(words, last, "the last of cat_boundaries");
}

// A categorical node's threshold is the index of its set.
void checkCategoryIndices(TreeFields const& fields, std::int64_t setCount, RawTree const& tree) {
  for (std::size_t node = 0; node < tree.nodeCount(); ++node) {
    if (!tree.isCategorical(node)) continue;
    double const index = tree.threshold[node];
    bool const isIndex = index >= 0 && index < static_cast<double>(setCount) &&
                         index == static_cast<double>(static_cast<std::int64_t>(index));
    if (isIndex) continue;
    Field const word = wordAt(fields.require(TreeKey::threshold), node);
    throw ParseFailure(word.offset,
                       "threshold of categorical node " + std::to_string(node) + " is " +
                           quoted(word.text) +
                           ", expected a set's index below num_cat = " + std::to_string(setCount));
  }
}

void parseLinearLeaves(TreeFields const& fields, std::int64_t featureCount, RawTree& tree) {
  std::size_t const leafCount = tree.leafCount();
  Field const& features = fields.require(TreeKey::linearFeature);
  std::size_t const termCount = countWords(features);
  tree.linearConstant =
      parseNumbers(fields.require(TreeKey::linearConstant), leafCount, "num_leaves");
  Field const& counts = fields.require(TreeKey::linearTermCount);
  tree.linearTermCount = parseIntegers(counts, leafCount, 0, featureCount, "num_leaves");
  std::int64_t sum = 0;
  for (std::int32_t const count : tree.linearTermCount) sum += count;
  tree.linearFeature = parseIntegers(features, static_cast<std::size_t>(sum), 0, featureCount - 1,
                                     "the sum of num_features");
  tree.linearCoefficient =
      parseNumbers(fields.require(TreeKey::linearCoefficient), termCount, "as leaf_features");
}

// Walks from the root, without recursion: a node met twice is a cycle or a shared branch. With n
// leaves and n - 1 nodes, each met at most once, anything left over is unreachable.
void checkShape(TreeFields const& fields, RawTree const& tree) {
  std::vector<bool> nodeSeen(tree.nodeCount());
  std::vector<bool> leafSeen(tree.leafCount());
  std::vector<std::size_t> waiting = {0};
  nodeSeen[0] = true;
  std::size_t seenCount = 1;
  auto const visit = [&](TreeKey key, std::size_t parent, std::int32_t child) {
    bool const isNode = child >= 0;
    std::size_t const index = static_cast<std::size_t>(isNode ? child : ~child);
    std::vector<bool>& seen = isNode ? nodeSeen : leafSeen;
    if (seen[index]) {
      Field const word = wordAt(fields.require(key), parent);
      throw ParseFailure(word.offset, std::string(keyText(key)) + " of node " +
                                          std::to_string(parent) + " is " + quoted(word.text) +
                                          ", which is reached twice: not a tree");
    }
    seen[index] = true;
    ++seenCount;
    if (isNode) waiting.push_back(index);
  };
  while (!waiting.empty()) {
    std::size_t const node = waiting.back();
    waiting.pop_back();
    visit(TreeKey::leftChild, node, tree.leftChild[node]);
    visit(TreeKey::rightChild, node, tree.rightChild[node]);
  }
  if (seenCount == tree.nodeCount() + tree.leafCount()) return;
  throw ParseFailure(fields.require(TreeKey::leftChild).offset,
                     "left_child and right_child reach " + std::to_string(seenCount) + " of " +
                         std::to_string(tree.nodeCount() + tree.leafCount()) +
                         " nodes and leaves: not a tree");
}

// Scores do not need the counts: without good ones the model only has no contributions.
void parseCovers(TreeFields const& fields, RawTree& tree) {
  try {
    tree.nodeCover =
        parseNumbers(fields.require(TreeKey::nodeCover), tree.nodeCount(), "num_leaves - 1");
    tree.leafCover =
        parseNumbers(fields.require(TreeKey::leafCover), tree.leafCount(), "num_leaves");
  } catch (ParseFailure const& failure) {
    tree.coverProblem = failure.message();
  }
}

}  // namespace

void TreeFields::add(Field const& field) {
  auto const found = std::find(kTreeKeyTexts.begin(), kTreeKeyTexts.end(), field.key);
  if (found == kTreeKeyTexts.end()) return;
  std::optional<Field>& place = fields_[static_cast<std::size_t>(found - kTreeKeyTexts.begin())];
  if (place) throw ParseFailure(field.offset, std::string(field.key) + " is given twice in a tree");
  place = field;
}

Field const& TreeFields::require(TreeKey key) const {
  std::optional<Field> const& found = field(key);
  if (found) return *found;
  std::string message = "the tree has no " + std::string(keyText(key));
  if (key == TreeKey::categorySetCount) {
    message +=
        ": the file is from a very old LightGBM; save the model again with version 2.1 or later";
  }
  throw ParseFailure(offset_, message);
}

RawTree parseTree(TreeFields const& fields, std::int64_t featureCount, std::int64_t nodesLeft) {
  RawTree tree;
  std::size_t const leafCount = parseLeafCount(fields, nodesLeft);
  std::int64_t const setCount =
      parseInteger(fields.require(TreeKey::categorySetCount), 0, kLeavesPerTreeMax - 1);
  tree.leafValue = parseNumbers(fields.require(TreeKey::leafValue), leafCount, "num_leaves");
  tree.isLinear =
      fields.has(TreeKey::isLinear) && parseInteger(fields.require(TreeKey::isLinear), 0, 1) == 1;
  // LightGBM reads nothing but the value of a tree with one leaf.
  if (leafCount > 1) {
    parseNodes(fields, featureCount, leafCount, tree);
    if (setCount > 0) parseCategories(fields, setCount, tree);
    checkCategoryIndices(fields, setCount, tree);
    checkShape(fields, tree);
  }
  if (tree.isLinear) parseLinearLeaves(fields, featureCount, tree);
  if (leafCount > 1) parseCovers(fields, tree);
  return tree;
}

}  // namespace larder::lightgbm
