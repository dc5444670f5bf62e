#include "xgboost/parse_bytes.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "trees/excerpt.h"
#include "trees/model_layout.h"
#include "xgboost/parse_categories.h"
#include "xgboost/parse_objective.h"
#include "xgboost/parse_tree.h"

namespace larder::xgboost {

using namespace trees;

namespace {

constexpr std::int64_t kCountMax = std::numeric_limits<std::int32_t>::max();

// The parts of the file, found before any is read: their order is of no meaning.
struct Parts {
  std::optional<Value> version;
  Value learner;
  Value booster;  // with the keys of a gbtree
  Value model;
  std::optional<Value> weightDrop;  // of a dart
};

Parts findParts(Document const& document) {
  static constexpr std::array<std::string_view, 2> kFileKeys = {"learner", "version"};
  static constexpr std::array<std::string_view, 1> kLearnerKeys = {"gradient_booster"};
  static constexpr std::array<std::string_view, 4> kBoosterKeys = {"name", "model", "gbtree",
                                                                   "weight_drop"};
  Fields const file(document, document.root(), kFileKeys);
  Parts parts{file.find("version"), file.require("learner"), {}, {}, std::nullopt};
  parts.booster = Fields(document, parts.learner, kLearnerKeys).require("gradient_booster");
  Fields booster(document, parts.booster, kBoosterKeys);
  Value const nameValue = booster.require("name");
  std::string const name = document.text(nameValue);
  if (name == "dart") {
    parts.weightDrop = booster.require("weight_drop");
    parts.booster = booster.require("gbtree");
    booster = Fields(document, parts.booster, kBoosterKeys);
  } else if (name != "gbtree") {
    std::string const why =
        name == "gblinear" ? "has no trees; write it as a linear model instead" : "is unknown";
    throw ParseFailure(nameValue.place, "the booster " + quoted(name) + " " + why);
  }
  parts.model = booster.require("model");
  return parts;
}

std::string versionOf(Document const& document, std::optional<Value> const& value) {
  std::string text;
  if (!value) return text;
  for (std::int64_t const part : document.integers(*value, 3, 0, kCountMax)) {
    text += (text.empty() ? "" : ".") + std::to_string(part);
  }
  return text;
}

void parseFeatures(Document const& document, Fields const& learner, std::int64_t featureCount,
                   Model& model) {
  auto const count = static_cast<std::size_t>(featureCount);
  auto const textsOf = [&](std::string_view key) {
    auto const value = learner.find(key);
    std::vector<std::string> texts;
    if (value) texts = document.texts(*value, count);
    if (texts.empty() || texts.size() == count) return texts;
    throw ParseFailure(value->place, std::string(key) + " has " + std::to_string(texts.size()) +
                                         " items, expected " + std::to_string(count) +
                                         " (num_feature)");
  };
  model.featureNames = textsOf("feature_names");
  if (model.featureNames.empty() && count > 0) {
    for (std::size_t i = 0; i < count; ++i) model.featureNames.push_back("f" + std::to_string(i));
    model.warnings.push_back("the file names no features: they are f0 to f" +
                             std::to_string(count - 1));
  }
  model.isFeatureUsed.resize(count);
  model.isFeatureCategorical.resize(count);
  auto const types = textsOf("feature_types");
  for (std::size_t i = 0; i < types.size(); ++i) model.isFeatureCategorical[i] = types[i] == "c";
}

struct Parameters {
  std::int64_t featureCount = 0;
  bool isBoostedFromAverage = true;
  Value baseScoreValue;
  BaseScore baseScore;
};

Parameters parseParameters(Document const& document, Fields const& learner,
                           ParseLimits const& limits, Model& model) {
  static constexpr std::array<std::string_view, 5> kKeys = {
      "base_score", "boost_from_average", "num_class", "num_feature", "num_target"};
  Fields const fields(document, learner.require("learner_model_param"), kKeys);
  Parameters parameters;
  parameters.featureCount = document.count(fields.require("num_feature"), 0, limits.featuresMax);
  std::int64_t outputCount = 1;
  for (std::string_view const key : {"num_class", "num_target"}) {
    auto const value = fields.find(key);
    if (value) outputCount = std::max(outputCount, document.count(*value, 0, kOutputsPerRowMax));
  }
  model.outputCount = static_cast<std::size_t>(outputCount);
  if (auto const value = fields.find("boost_from_average")) {
    parameters.isBoostedFromAverage = document.count(*value, 0, 1) == 1;
  }
  parameters.baseScoreValue = fields.require("base_score");
  parameters.baseScore = parseBaseScore(document, parameters.baseScoreValue, model.outputCount);
  return parameters;
}

// Which outputs the trees add to, and how much.
struct TreePlan {
  std::vector<std::int64_t> outputs;
  std::vector<float> weights;
};

TreePlan planTrees(Document const& document, Parts const& parts, Fields const& fields,
                   ParseLimits const& limits, Model const& model) {
  static constexpr std::array<std::string_view, 1> kKeys = {"num_trees"};
  Fields const parameters(document, fields.require("gbtree_model_param"), kKeys);
  Value const countValue = parameters.require("num_trees");
  auto const count = static_cast<std::size_t>(document.count(countValue, 0, limits.treesMax));
  auto const requireCount = [&](Value const& value, std::size_t found) {
    if (found == count) return;
    throw ParseFailure(value.place, std::string(value.key) + " has " + std::to_string(found) +
                                        " items, expected " + std::to_string(count) +
                                        " (num_trees)");
  };
  TreePlan plan;
  Value const outputs = fields.require("tree_info");
  plan.outputs =
      document.integers(outputs, count, 0, static_cast<std::int64_t>(model.outputCount) - 1);
  requireCount(outputs, plan.outputs.size());
  plan.weights.assign(count, 1.0f);
  if (parts.weightDrop) {
    plan.weights = document.floats(*parts.weightDrop, count);
    requireCount(*parts.weightDrop, plan.weights.size());
  }
  return plan;
}

void parseTrees(Document const& document, Value const& trees, TreePlan const& plan,
                std::int64_t featureCount, ParseLimits const& limits, Model& model) {
  ModelLayout layout(model);
  document.eachItem(trees, [&](Event const& item) {
    std::size_t const index = model.trees.size();
    if (index == plan.outputs.size()) {
      throw ParseFailure(item.offset,
                         "trees has more than " + std::to_string(index) + " items (num_trees)");
    }
    TreeContext const context{
        static_cast<std::int64_t>(index), featureCount,
        limits.nodesMax - static_cast<std::int64_t>(model.nodes.size()),
        kCategoryWordsMax - static_cast<std::int64_t>(model.categoryWords.size()),
        plan.weights[index]};
    try {
      layout.add(parseTree(document, {"it", item.offset}, context),
                 static_cast<std::size_t>(plan.outputs[index]));
    } catch (ParseFailure const& failure) {
      throw ParseFailure(failure.offset(),
                         "tree " + std::to_string(index) + ": " + failure.message());
    }
  });
  layout.finish();
  if (model.trees.size() == plan.outputs.size()) return;
  throw ParseFailure(trees.place, "trees has " + std::to_string(model.trees.size()) +
                                      " items, expected " + std::to_string(plan.outputs.size()) +
                                      " (num_trees)");
}

// XGBoost's Booster predicts with all iterations, its scikit-learn classes with the best ones only.
void warnOfBestIteration(Document const& document, Fields const& learner, Fields const& modelFields,
                         Model& model) {
  static constexpr std::array<std::string_view, 1> kKeys = {"best_iteration"};
  auto const attributes = learner.find("attributes");
  auto const ends = modelFields.find("iteration_indptr");
  if (!attributes) return;
  auto const best = Fields(document, *attributes, kKeys).find("best_iteration");
  if (!best) return;
  std::int64_t iterationCount = static_cast<std::int64_t>(model.iterationCount());
  if (ends) {
    auto const bounds = document.integers(*ends, model.trees.size() + 1, 0, kCountMax);
    iterationCount = static_cast<std::int64_t>(bounds.size()) - 1;
  }
  std::int64_t const bestIteration = document.count(*best, -1, kCountMax);
  if (bestIteration + 1 >= iterationCount) return;
  model.warnings.push_back("the file names iteration " + std::to_string(bestIteration) +
                           " as its best, but all " + std::to_string(iterationCount) +
                           " are used, as XGBoost's Booster.predict does; to serve the best ones, "
                           "save booster[: booster.best_iteration + 1]");
}

void parseObjective(Document const& document, Fields const& learner, Parameters const& parameters,
                    Model& model) {
  static constexpr std::array<std::string_view, 1> kKeys = {"name"};
  Fields const fields(document, learner.require("objective"), kKeys);
  ObjectiveWords words = objectiveOf(document.text(fields.require("name")));
  if (!words.isKnown) {
    model.warnings.push_back("objective " + quoted(words.objective.name) +
                             " is unknown: scores stay as the trees add up");
  }
  // Since 3.1 a model that was never trained takes its default base_score for a margin.
  bool const isUntrained =
      model.trees.empty() && parameters.isBoostedFromAverage && parameters.baseScore.isList;
  model.baseScores = marginsOf(parameters.baseScore, isUntrained ? Link::identity : words.link,
                               parameters.baseScoreValue, model.outputCount);
  model.objective = std::move(words.objective);
}

Model parseOrThrow(std::string_view bytes, ParseLimits const& limits) {
  static constexpr std::array<std::string_view, 5> kLearnerKeys = {
      "attributes", "feature_names", "feature_types", "learner_model_param", "objective"};
  static constexpr std::array<std::string_view, 5> kModelKeys = {
      "cats", "gbtree_model_param", "iteration_indptr", "tree_info", "trees"};
  if (static_cast<std::int64_t>(bytes.size()) > limits.modelBytesMax) {
    throw ParseFailure(0, "the file has " + std::to_string(bytes.size()) + " bytes, at most " +
                              std::to_string(limits.modelBytesMax) + " are read");
  }
  Document const document(bytes);
  Parts const parts = findParts(document);
  Model model;
  model.rules = kXgboostRules;
  model.version = versionOf(document, parts.version);
  if (model.version.empty()) model.warnings.push_back("the file does not state its version");
  Fields const learner(document, parts.learner, kLearnerKeys);
  Parameters const parameters = parseParameters(document, learner, limits, model);
  parseFeatures(document, learner, parameters.featureCount, model);
  Fields const fields(document, parts.model, kModelKeys);
  TreePlan const plan = planTrees(document, parts, fields, limits, model);
  parseTrees(document, fields.require("trees"), plan, parameters.featureCount, limits, model);
  parseObjective(document, learner, parameters, model);
  if (auto const cats = fields.find("cats")) parseCategories(document, *cats, model);
  warnOfBestIteration(document, learner, fields, model);
  return model;
}

}  // namespace

std::variant<Model, ParseError> parseBytes(std::string_view bytes, ParseLimits const& limits) {
  try {
    return parseOrThrow(bytes, limits);
  } catch (ParseFailure const& failure) {
    return ParseError{failure.offset(), failure.message(), excerptAt(bytes, failure.offset())};
  }
}

}  // namespace larder::xgboost
