// Bytes of an XGBoost model in JSON or UBJSON -> Model, or where and why not.
//
// Of the file `learner` matters: its features, its parameters, the objective's name and the booster
// gbtree or dart. Unknown keys are skipped. Files of XGBoost 1.x, 2.x and 3.x differ in what they
// leave out; each is read as the version that wrote it reads it.
//
// Never crashes, hangs, recurses or allocates by an unchecked number, whatever the bytes.
#pragma once

#include <string_view>
#include <variant>

#include "trees/limits.h"
#include "trees/model.h"
#include "trees/parse_error.h"

namespace larder::xgboost {

std::variant<trees::Model, trees::ParseError> parseBytes(std::string_view bytes,
                                                         trees::ParseLimits const& limits);

}  // namespace larder::xgboost
