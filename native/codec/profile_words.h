// Encoding profiles as `src/codec/profile-words.ts` writes them: integers, one feature after the
// other in layout order, and the bytes of all dictionaries.
//
//   feature      kind (0 plain, 1 coded, 2 packed list, 3 block), then
//                  coded         mapping, classes
//                  packed list   lengths as classes, mapping, classes
//                  block         lengths as classes, lz4BytesMin (-1: none)
//   mapping      kind (0 integer, 1 decimal, 2 float bits, 3 dictionary), then its unit, 0, its
//   shift,
//                or the number of values and the byte count of each
//   classes      their number, then of each: kind (0 null, 1 literal, 2 range), prefix bits, base,
//                width, exponent
#pragma once

#include <span>
#include <string>
#include <variant>
#include <vector>

#include "codec/feature_coding.h"
#include "codec/row_layout.h"

namespace larder::codec {

// A coding for each feature, or what is wrong: names the feature's id, the value and the bound.
std::variant<std::vector<FeatureCoding>, std::string> parseProfile(
    std::span<LayoutFeature const> features, std::span<std::int64_t const> words, Bytes dictionary);

}  // namespace larder::codec
