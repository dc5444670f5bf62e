#include "xgboost/parse_tree.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "trees/limits.h"
#include "trees/parse_error.h"

namespace larder::xgboost {

using trees::ParseFailure;
using trees::RawTree;

namespace {

constexpr std::array<std::string_view, 14> kTreeKeys = {
    "left_children",    "right_children",
    "split_indices",    "split_conditions",
    "default_left",     "split_type",
    "sum_hessian",      "categories",
    "categories_nodes", "categories_segments",
    "categories_sizes", "tree_param",
    "leaf_weights",     "id",
};

constexpr std::int64_t kIndexMax = std::numeric_limits<std::int32_t>::max();
// What a deleted node's split index is.
constexpr std::int64_t kDeleted = kIndexMax;
// From 2^24 on XGBoost takes no category: a float32 does not hold every one.
constexpr std::int64_t kCategoryMax = (1 << 24) - 1;
// decision_type of the engine: categorical 1, default left 2, missing NaN 8.
constexpr std::int32_t kNumerical = 8;
constexpr std::int32_t kDefaultLeft = 2;
constexpr std::int32_t kCategorical = 1;

using Integers = std::vector<std::int64_t>;

// The arrays of a tree as they are in the file.
class FileTree {
 public:
  FileTree(Document const& document, Value const& object, TreeContext const& context)
      : document_(document), fields_(document, object, kTreeKeys) {
    requireIndex(context.index);
    readShape(context);
    left = document_.integers(fields_.require("left_children"), count_, -1, lastNode());
    requireCount("left_children", left.size());
    right = nodeIntegers("right_children", -1, lastNode());
    splitIndex = nodeIntegers("split_indices", 0, kIndexMax);
    defaultLeft = nodeIntegers("default_left", 0, 1);
    splitType = fields_.find("split_type") ? nodeIntegers("split_type", 0, 1) : Integers(count_);
    splitCondition = nodeFloats("split_conditions");
    if (fields_.find("sum_hessian")) sumHessian = nodeFloats("sum_hessian");
    if (std::find(splitType.begin(), splitType.end(), 1) != splitType.end()) readCategories();
  }

  std::size_t nodeCount() const { return count_; }
  bool isLeaf(std::size_t node) const { return left[node] == -1; }
  bool isCategorical(std::size_t node) const { return splitType[node] == 1; }

  // A refusal of one item of an array: `key` of node N is V, `why`.
  [[noreturn]] void fail(std::string_view key, std::size_t node, std::int64_t value,
                         std::string const& why) const {
    throw ParseFailure(document_.itemPlace(fields_.require(key), node),
                       std::string(key) + " of node " + std::to_string(node) + " is " +
                           std::to_string(value) + ", " + why);
  }
  [[noreturn]] void fail(std::string_view key, std::string const& why) const {
    throw ParseFailure(fields_.require(key).place, std::string(key) + " " + why);
  }

  Integers left, right, splitIndex, defaultLeft, splitType;
  std::vector<float> splitCondition;
  std::vector<float> sumHessian;  // empty where unknown

  // Categories of the i-th categorical node are categories[segments[i] .. + sizes[i]).
  Integers categories, categoryNodes, categorySegments, categorySizes;
  // By node: its place in categoryNodes, or -1.
  std::vector<std::int32_t> setOfNode;

 private:
  std::int64_t lastNode() const { return static_cast<std::int64_t>(count_) - 1; }

  void readShape(TreeContext const& context) {
    static constexpr std::array<std::string_view, 2> kKeys = {"num_nodes", "size_leaf_vector"};
    Fields const parameters(document_, fields_.require("tree_param"), kKeys);
    Value const nodes = parameters.require("num_nodes");
    count_ = static_cast<std::size_t>(document_.count(nodes, 1, kIndexMax));
    if (static_cast<std::int64_t>(count_) > context.nodesLeft) {
      throw ParseFailure(nodes.place, "num_nodes is " + std::to_string(count_) + ", but only " +
                                          std::to_string(context.nodesLeft) +
                                          " nodes are left of the model's limit");
    }
    auto const width = parameters.find("size_leaf_vector");
    bool const isWide = width && document_.count(*width, 0, kIndexMax) > 1;
    if (!isWide && !fields_.find("leaf_weights")) return;
    throw ParseFailure(
        isWide ? width->place : fields_.require("leaf_weights").place,
        "the tree has vector leaves (multi_strategy 'multi_output_tree'): not supported; train "
        "with multi_strategy 'one_output_per_tree'");
  }

  // XGBoost puts a tree where its id says.
  void requireIndex(std::int64_t index) const {
    auto const id = fields_.find("id");
    if (!id || document_.count(*id, 0, kIndexMax) == index) return;
    throw ParseFailure(id->place, "id is " + std::to_string(document_.count(*id, 0, kIndexMax)) +
                                      ", expected the tree's place " + std::to_string(index));
  }

  void requireCount(std::string_view key, std::size_t found) const {
    if (found == count_) return;
    fail(key, "has " + std::to_string(found) + " items, expected " + std::to_string(count_) +
                  " (num_nodes)");
  }

  Integers nodeIntegers(std::string_view key, std::int64_t min, std::int64_t max) const {
    Integers values = document_.integers(fields_.require(key), count_, min, max);
    requireCount(key, values.size());
    return values;
  }

  std::vector<float> nodeFloats(std::string_view key) const {
    std::vector<float> values = document_.floats(fields_.require(key), count_);
    requireCount(key, values.size());
    return values;
  }

  void readCategories() {
    constexpr std::size_t kCountMax = static_cast<std::size_t>(trees::kCategoryWordsMax);
    categories = document_.integers(fields_.require("categories"), kCountMax, 0, kCategoryMax);
    categoryNodes = document_.integers(fields_.require("categories_nodes"), count_, 0, lastNode());
    std::int64_t const end = static_cast<std::int64_t>(categories.size());
    categorySegments = setIntegers("categories_segments", end);
    categorySizes = setIntegers("categories_sizes", end);
    setOfNode.assign(count_, -1);
    for (std::size_t set = 0; set < categoryNodes.size(); ++set) {
      std::size_t const node = static_cast<std::size_t>(categoryNodes[set]);
      if (setOfNode[node] != -1) {
        fail("categories_nodes", "names node " + std::to_string(node) + " twice");
      }
      setOfNode[node] = static_cast<std::int32_t>(set);
      if (categorySegments[set] + categorySizes[set] <= end) continue;
      fail("categories_segments", "and categories_sizes of node " + std::to_string(node) +
                                      " reach to " +
                                      std::to_string(categorySegments[set] + categorySizes[set]) +
                                      ", but there are " + std::to_string(end) + " categories");
    }
  }

  Integers setIntegers(std::string_view key, std::int64_t max) const {
    Integers values = document_.integers(fields_.require(key), count_, 0, max);
    if (values.size() == categoryNodes.size()) return values;
    fail(key, "has " + std::to_string(values.size()) + " items, expected " +
                  std::to_string(categoryNodes.size()) + " (as categories_nodes)");
  }

  Document const& document_;
  Fields fields_;
  std::size_t count_ = 0;
};

// The engine's number of each node that can be reached: i >= 0 an inner node, ~i a leaf.
class Numbering {
 public:
  explicit Numbering(FileTree const& file) : numbers_(file.nodeCount(), kUnreached) {
    std::vector<std::size_t> waiting;
    reach(file, 0, waiting);
    while (!waiting.empty()) {
      std::size_t const node = waiting.back();
      waiting.pop_back();
      visit(file, "right_children", node, file.right[node], waiting);
      visit(file, "left_children", node, file.left[node], waiting);
    }
    requireDeleted(file);
  }

  std::int32_t of(std::int64_t node) const { return numbers_[static_cast<std::size_t>(node)]; }
  std::vector<std::size_t> inner;   // the file's node of each inner node
  std::vector<std::size_t> leaves;  // and of each leaf

 private:
  static constexpr std::int32_t kUnreached = std::numeric_limits<std::int32_t>::min();

  void visit(FileTree const& file, std::string_view key, std::size_t parent, std::int64_t child,
             std::vector<std::size_t>& waiting) {
    if (child < 0) file.fail(key, parent, child, "but it has another child");
    std::size_t const node = static_cast<std::size_t>(child);
    if (numbers_[node] != kUnreached) {
      file.fail(key, parent, child, "which is reached twice: not a tree");
    }
    reach(file, node, waiting);
  }

  void reach(FileTree const& file, std::size_t node, std::vector<std::size_t>& waiting) {
    if (!file.isLeaf(node)) {
      numbers_[node] = static_cast<std::int32_t>(inner.size());
      inner.push_back(node);
      waiting.push_back(node);
      return;
    }
    if (file.right[node] != -1) {
      file.fail("right_children", node, file.right[node], "but it has no left child");
    }
    numbers_[node] = ~static_cast<std::int32_t>(leaves.size());
    leaves.push_back(node);
  }

  void requireDeleted(FileTree const& file) const {
    for (std::size_t node = 0; node < numbers_.size(); ++node) {
      if (numbers_[node] != kUnreached || file.splitIndex[node] == kDeleted) continue;
      file.fail("split_indices", node, file.splitIndex[node],
                "but no other node leads there, and deleted ones have " + std::to_string(kDeleted));
    }
  }

  std::vector<std::int32_t> numbers_;
};

// The greatest x for which x < threshold. Below -inf there is none: as for NaN, nothing goes left.
double thresholdOf(float threshold) {
  constexpr float kLow = -std::numeric_limits<float>::infinity();
  if (threshold == kLow) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(std::nextafter(threshold, kLow));
}

// Adds the node's set, with bit 0 for NaN and category c as bit c + 1; its members go left.
void addSet(FileTree const& file, std::size_t node, TreeContext const& context, RawTree& tree) {
  std::int32_t const set = file.setOfNode[node];
  if (set < 0) file.fail("categories_nodes", "lacks categorical node " + std::to_string(node));
  auto const index = static_cast<std::size_t>(set);
  auto const begin = file.categories.begin() + file.categorySegments[index];
  auto const end = begin + file.categorySizes[index];
  std::int64_t const bitMax = begin == end ? 0 : *std::max_element(begin, end) + 1;
  auto const first = tree.categoryWords.size();
  auto const wordCount = static_cast<std::size_t>(bitMax / 32 + 1);
  if (static_cast<std::int64_t>(first + wordCount) > context.categoryWordsLeft) {
    file.fail("categories", "of all trees need more than the model's limit of 256 MiB");
  }
  tree.categoryWords.resize(first + wordCount);
  auto const add = [&](std::int64_t bit) {
    tree.categoryWords[first + static_cast<std::size_t>(bit / 32)] |= std::uint32_t{1} << bit % 32;
  };
  if (file.defaultLeft[node] == 0) add(0);
  std::for_each(begin, end, [&](std::int64_t category) { add(category + 1); });
  tree.categoryBounds.push_back(static_cast<std::int32_t>(tree.categoryWords.size()));
}

void addInner(FileTree const& file, Numbering const& numbering, std::size_t node,
              TreeContext const& context, RawTree& tree) {
  std::int64_t const feature = file.splitIndex[node];
  if (feature >= context.featureCount) {
    file.fail("split_indices", node, feature,
              "expected less than num_feature = " + std::to_string(context.featureCount));
  }
  bool const isCategorical = file.isCategorical(node);
  std::int32_t const left = numbering.of(file.left[node]);
  std::int32_t const right = numbering.of(file.right[node]);
  tree.splitFeature.push_back(static_cast<std::int32_t>(feature));
  tree.leftChild.push_back(isCategorical ? right : left);
  tree.rightChild.push_back(isCategorical ? left : right);
  if (isCategorical) {
    tree.decisionType.push_back(kCategorical);
    tree.threshold.push_back(static_cast<double>(tree.categoryBounds.size() - 1));
    addSet(file, node, context, tree);
    return;
  }
  tree.decisionType.push_back(kNumerical | (file.defaultLeft[node] == 1 ? kDefaultLeft : 0));
  tree.threshold.push_back(thresholdOf(file.splitCondition[node]));
}

}  // namespace

RawTree parseTree(Document const& document, Value const& object, TreeContext const& context) {
  FileTree const file(document, object, context);
  Numbering const numbering(file);
  RawTree tree;
  tree.hasMissingBit = true;
  tree.categoryBounds.push_back(0);
  for (std::size_t const node : numbering.inner) {
    addInner(file, numbering, node, context, tree);
    if (!file.sumHessian.empty()) tree.nodeCover.push_back(file.sumHessian[node]);
  }
  for (std::size_t const node : numbering.leaves) {
    // Dart weighs each leaf in float32 before it adds it.
    float const value = context.weight * file.splitCondition[node];
    tree.leafValue.push_back(static_cast<double>(value));
    tree.leafNumbers.push_back(static_cast<std::int32_t>(node));
    if (!file.sumHessian.empty()) tree.leafCover.push_back(file.sumHessian[node]);
  }
  return tree;
}

}  // namespace larder::xgboost
