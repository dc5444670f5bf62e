#include "xgboost/parse_objective.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "trees/excerpt.h"
#include "trees/parse_error.h"

namespace larder::xgboost {

using trees::Objective;
using trees::ParseFailure;
using trees::quoted;

namespace {

float floatAt(double const* scores, std::size_t i) { return static_cast<float>(scores[i]); }

void sigmoid(double* scores, std::size_t count, double) {
  constexpr float kExponentMax = 88.7f;
  constexpr float kNotZero = 1e-16f;
  for (std::size_t i = 0; i < count; ++i) {
    float const exponent = std::min(-floatAt(scores, i), kExponentMax);
    float const denominator = std::exp(exponent) + 1.0f + kNotZero;
    scores[i] = static_cast<double>(1.0f / denominator);
  }
}

void exponential(double* scores, std::size_t count, double) {
  for (std::size_t i = 0; i < count; ++i) {
    scores[i] = static_cast<double>(std::exp(floatAt(scores, i)));
  }
}

void hinge(double* scores, std::size_t count, double) {
  for (std::size_t i = 0; i < count; ++i) scores[i] = scores[i] > 0 ? 1 : 0;
}

void softmax(double* scores, std::size_t count, double) {
  float max = floatAt(scores, 0);
  for (std::size_t i = 1; i < count; ++i) max = std::fmax(floatAt(scores, i), max);
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    scores[i] = static_cast<double>(std::exp(floatAt(scores, i) - max));
    sum += scores[i];
  }
  float const divisor = static_cast<float>(sum);
  for (std::size_t i = 0; i < count; ++i) {
    scores[i] = static_cast<double>(floatAt(scores, i) / divisor);
  }
}

// The class with the greatest margin, the first of equals, in place of the first margin. The others
// become 0: `src/predict/xgboost-model.ts` hands out the first alone.
void classIndex(double* scores, std::size_t count, double) {
  auto const index = std::max_element(scores, scores + count) - scores;
  std::fill_n(scores, count, 0.0);
  scores[0] = static_cast<double>(index);
}

struct Kind {
  std::string_view name;
  Objective::Transform transform;
  Link link;
};

constexpr std::array kKinds = {
    Kind{"reg:squarederror", nullptr, Link::identity},
    Kind{"reg:linear", nullptr, Link::identity},
    Kind{"reg:squaredlogerror", nullptr, Link::identity},
    Kind{"reg:pseudohubererror", nullptr, Link::identity},
    Kind{"reg:absoluteerror", nullptr, Link::identity},
    Kind{"reg:quantileerror", nullptr, Link::identity},
    Kind{"reg:logistic", sigmoid, Link::logit},
    Kind{"reg:gamma", exponential, Link::logAboveZero},
    Kind{"reg:tweedie", exponential, Link::log},
    Kind{"binary:logistic", sigmoid, Link::logit},
    Kind{"binary:logitraw", nullptr, Link::identity},
    Kind{"binary:hinge", hinge, Link::identity},
    Kind{"count:poisson", exponential, Link::log},
    Kind{"survival:cox", exponential, Link::log},
    Kind{"survival:aft", exponential, Link::log},
    Kind{"multi:softmax", classIndex, Link::identity},
    Kind{"multi:softprob", softmax, Link::identity},
    Kind{"rank:pairwise", nullptr, Link::identity},
    Kind{"rank:ndcg", nullptr, Link::identity},
    Kind{"rank:map", nullptr, Link::identity},
};

float marginOf(float score, Link link, Value const& value) {
  // XGBoost keeps a probability this far from 0 and 1, beyond which there is no logit.
  constexpr float kEdge = 1e-6f;
  auto const require = [&](bool holds, std::string_view expected) {
    if (holds) return;
    throw ParseFailure(value.place, "base_score is " + std::to_string(score) + ", expected " +
                                        std::string(expected) + " for this objective");
  };
  switch (link) {
    case Link::identity:
      require(std::isfinite(score), "a finite number");
      return score;
    case Link::logit:
      require(score >= 0 && score <= 1, "0 to 1");
      return -std::log(1.0f / std::clamp(score, kEdge, 1.0f - kEdge) - 1.0f);
    case Link::log:
      require(std::isfinite(score) && score >= 0, "a finite number from 0");
      return std::log(score);
    case Link::logAboveZero:
      require(std::isfinite(score) && score > 0, "a finite number above 0");
      return std::log(score);
  }
  return score;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  std::size_t const begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace

ObjectiveWords objectiveOf(std::string const& name) {
  auto const found = std::find_if(kKinds.begin(), kKinds.end(),
                                  [&](Kind const& kind) { return kind.name == name; });
  if (found == kKinds.end()) return {{name, nullptr, 0}, Link::identity, false};
  return {{name, found->transform, 0}, found->link, true};
}

BaseScore parseBaseScore(Document const& document, Value const& value, std::size_t outputCount) {
  std::string const text = document.text(value);
  std::string_view rest = trimmed(text);
  BaseScore base;
  base.isList = rest.starts_with('[');
  if (base.isList && !rest.ends_with(']')) {
    throw ParseFailure(value.place, "base_score is " + quoted(text) + ", a list without its end");
  }
  if (base.isList) rest = rest.substr(1, rest.size() - 2);
  while (true) {
    std::size_t const comma = rest.find(',');
    base.scores.push_back(parseFloat(value.key, trimmed(rest.substr(0, comma)), value.place));
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  if (base.scores.size() == 1 || base.scores.size() == outputCount) return base;
  throw ParseFailure(value.place, "base_score has " + std::to_string(base.scores.size()) +
                                      " numbers, expected " + std::to_string(outputCount) +
                                      ", the model's outputs");
}

std::vector<double> marginsOf(BaseScore const& base, Link link, Value const& value,
                              std::size_t outputCount) {
  std::vector<double> margins(outputCount);
  for (std::size_t i = 0; i < outputCount; ++i) {
    float const score = base.scores.size() == 1 ? base.scores.front() : base.scores[i];
    margins[i] = static_cast<double>(marginOf(score, link, value));
  }
  return margins;
}

}  // namespace larder::xgboost
