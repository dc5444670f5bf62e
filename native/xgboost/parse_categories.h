// The `cats` of a model file: since 3.1 XGBoost keeps what a data frame's categories stood for.
#pragma once

#include <string>
#include <vector>

#include "trees/model.h"
#include "xgboost/document.h"

namespace larder::xgboost {

// Fills the model's pandasCategorical with a JSON list per categorical feature, in feature order: a
// category's place in its list is its code. Leaves it empty where the file has no list, and with a
// warning where it lacks some. Throws ParseFailure.
void parseCategories(Document const& document, Value const& cats, trees::Model& model);

}  // namespace larder::xgboost
