// Bytes of a LightGBM text model -> Model, or where and why not.
//
// The file: header lines `key=value` up to the first `Tree=` line; tree blocks, each ended by an
// empty line; `end of trees`; then sections of which only `pandas_categorical:` matters. Blocks are
// found by their `Tree=` lines: the byte counts in `tree_sizes` break when an editor rewrites line
// endings, so only their number is used.
//
// Never crashes, hangs, recurses or allocates by an unchecked number, whatever the bytes.
#pragma once

#include <string_view>
#include <variant>

#include "trees/limits.h"
#include "trees/model.h"
#include "trees/parse_error.h"

namespace larder::lightgbm {

std::variant<trees::Model, trees::ParseError> parseText(std::string_view text,
                                                        trees::ParseLimits const& limits);

}  // namespace larder::lightgbm
