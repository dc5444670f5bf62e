// The objective of a model file, and what its `base_score` means: the formulas are XGBoost 3.2's,
// in its order of operations and in float32, with the C library's expf and logf.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trees/objective.h"
#include "xgboost/document.h"

namespace larder::xgboost {

// How a score in the objective's own space becomes a margin.
enum class Link : std::uint8_t { identity, logit, log, logAboveZero };

struct ObjectiveWords {
  trees::Objective objective;
  Link link = Link::identity;
  bool isKnown = true;  // else scores stay raw
};

ObjectiveWords objectiveOf(std::string const& name);

struct BaseScore {
  std::vector<float> scores;  // one, or one per output
  // Written as a list, as XGBoost does since 3.1.
  bool isList = false;
};

// The text of `base_score`: `5E-1`, `[5E-1]` or `[1E-1,2E-1]`. Throws ParseFailure.
BaseScore parseBaseScore(Document const& document, Value const& value, std::size_t outputCount);

// What each output's sum begins with. Throws ParseFailure for a score the link has no margin for.
std::vector<double> marginsOf(BaseScore const& base, Link link, Value const& value,
                              std::size_t outputCount);

}  // namespace larder::xgboost
