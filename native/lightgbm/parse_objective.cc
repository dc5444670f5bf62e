#include "lightgbm/parse_objective.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "trees/excerpt.h"
#include "trees/parse_error.h"

namespace larder::lightgbm {

using namespace trees;

namespace {

void sigmoid(double* scores, std::size_t count, double slope) {
  for (std::size_t i = 0; i < count; ++i) scores[i] = 1.0 / (1.0 + std::exp(-slope * scores[i]));
}

void softmax(double* scores, std::size_t count, double) {
  double const max = *std::max_element(scores, scores + count);
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    scores[i] = std::exp(scores[i] - max);
    sum += scores[i];
  }
  for (std::size_t i = 0; i < count; ++i) scores[i] /= sum;
}

void exponential(double* scores, std::size_t count, double) {
  for (std::size_t i = 0; i < count; ++i) scores[i] = std::exp(scores[i]);
}

void softplus(double* scores, std::size_t count, double) {
  for (std::size_t i = 0; i < count; ++i) scores[i] = std::log1p(std::exp(scores[i]));
}

void signedSquare(double* scores, std::size_t count, double) {
  for (std::size_t i = 0; i < count; ++i) {
    double const score = scores[i];
    double const sign = static_cast<double>((score > 0) - (score < 0));
    scores[i] = sign * score * score;
  }
}

struct Kind {
  std::string_view name;
  Objective::Transform transform;
  Objective::Transform transformIfSqrt;  // with the token `sqrt`
  bool needsSigmoid;
  bool needsClassCount;
  bool isMultiOutput;
};

constexpr std::array kKinds = {
    Kind{"regression", nullptr, signedSquare, false, false, false},
    Kind{"regression_l1", nullptr, signedSquare, false, false, false},
    Kind{"fair", nullptr, signedSquare, false, false, false},
    Kind{"quantile", nullptr, signedSquare, false, false, false},
    Kind{"mape", nullptr, signedSquare, false, false, false},
    Kind{"huber", nullptr, nullptr, false, false, false},
    Kind{"poisson", exponential, exponential, false, false, false},
    Kind{"gamma", exponential, exponential, false, false, false},
    Kind{"tweedie", exponential, exponential, false, false, false},
    Kind{"binary", sigmoid, sigmoid, true, false, false},
    Kind{"multiclass", softmax, softmax, false, true, true},
    Kind{"multiclassova", sigmoid, sigmoid, true, true, true},
    Kind{"cross_entropy", sigmoid, sigmoid, false, false, false},
    Kind{"cross_entropy_lambda", softplus, softplus, false, false, false},
    Kind{"lambdarank", nullptr, nullptr, false, false, false},
    Kind{"rank_xendcg", nullptr, nullptr, false, false, false},
    Kind{"custom", nullptr, nullptr, false, false, true},
};

struct Alias {
  std::string_view alias;
  std::string_view name;
};

constexpr std::array kAliases = {
    Alias{"regression_l2", "regression"},
    Alias{"mean_squared_error", "regression"},
    Alias{"mse", "regression"},
    Alias{"l2", "regression"},
    Alias{"l2_root", "regression"},
    Alias{"root_mean_squared_error", "regression"},
    Alias{"rmse", "regression"},
    Alias{"mean_absolute_error", "regression_l1"},
    Alias{"l1", "regression_l1"},
    Alias{"mae", "regression_l1"},
    Alias{"softmax", "multiclass"},
    Alias{"multiclass_ova", "multiclassova"},
    Alias{"ova", "multiclassova"},
    Alias{"ovr", "multiclassova"},
    Alias{"xentropy", "cross_entropy"},
    Alias{"xentlambda", "cross_entropy_lambda"},
    Alias{"mean_absolute_percentage_error", "mape"},
    Alias{"xendcg", "rank_xendcg"},
    Alias{"xe_ndcg", "rank_xendcg"},
    Alias{"xe_ndcg_mart", "rank_xendcg"},
    Alias{"xendcg_mart", "rank_xendcg"},
    Alias{"none", "custom"},
    Alias{"null", "custom"},
    Alias{"na", "custom"},
};

struct Tokens {
  bool hasSqrt = false;
  std::optional<Field> sigmoid;
  std::optional<Field> classCount;
};

std::optional<Field> parameterOf(Field const& word, std::string_view prefix) {
  if (!word.text.starts_with(prefix)) return std::nullopt;
  return Field{word.key, word.offset + prefix.size(), word.text.substr(prefix.size())};
}

Tokens parseTokens(Words& words) {
  Tokens tokens;
  Field word;
  while (words.next(word)) {
    if (word.text == "sqrt") tokens.hasSqrt = true;
    if (auto const slope = parameterOf(word, "sigmoid:")) tokens.sigmoid = slope;
    if (auto const count = parameterOf(word, "num_class:")) tokens.classCount = count;
  }
  return tokens;
}

Kind const& kindOf(Field const& word) {
  auto const found = std::find_if(kKinds.begin(), kKinds.end(),
                                  [&](Kind const& kind) { return kind.name == word.text; });
  if (found == kKinds.end()) {
    throw ParseFailure(word.offset, "objective " + quoted(word.text) + " is unknown");
  }
  return *found;
}

double parseSlope(Field const& field) {
  double const slope = parseNumber(field);
  if (!(slope > 0) || std::isinf(slope)) {
    throw ParseFailure(field.offset, "objective's sigmoid is " + quoted(field.text) +
                                         ", expected a number above 0");
  }
  return slope;
}

void requireOutputs(Field const& field, Kind const& kind, Tokens const& tokens,
                    std::size_t outputCount) {
  std::size_t expected = kind.isMultiOutput ? outputCount : 1;
  if (kind.needsClassCount) {
    if (!tokens.classCount) {
      throw ParseFailure(field.offset, "objective " + quoted(field.text) + " lacks num_class:K");
    }
    expected = static_cast<std::size_t>(parseInteger(*tokens.classCount, 1, INT32_MAX));
  }
  if (expected == outputCount) return;
  throw ParseFailure(field.offset,
                     "objective " + quoted(field.text) + " has " + std::to_string(expected) +
                         " outputs, but num_tree_per_iteration is " + std::to_string(outputCount));
}

}  // namespace

Objective parseObjective(Field const& field, std::size_t outputCount) {
  Words words(field);
  Field word;
  if (!words.next(word)) return Objective{};
  // LightGBM resolves an alias only where it is the whole value: `l2 sqrt` is unknown to it.
  for (Alias const& alias : kAliases) {
    if (field.text == alias.alias) word.text = alias.name;
  }
  Kind const& kind = kindOf(word);
  Tokens const tokens = parseTokens(words);
  requireOutputs(field, kind, tokens, outputCount);

  Objective objective;
  objective.name = kind.name;
  objective.transform = tokens.hasSqrt ? kind.transformIfSqrt : kind.transform;
  if (kind.transform == sigmoid) objective.parameter = 1.0;
  if (kind.needsSigmoid) {
    if (!tokens.sigmoid) {
      throw ParseFailure(field.offset, "objective " + quoted(field.text) + " lacks sigmoid:S");
    }
    objective.parameter = parseSlope(*tokens.sigmoid);
  }
  return objective;
}

}  // namespace larder::lightgbm
