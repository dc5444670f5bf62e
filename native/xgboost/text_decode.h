// Texts of JSON files -> UTF-8, and back.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace larder::xgboost {

// Resolves the escapes of a JSON text that stands at `offset`. Throws trees::ParseFailure for one
// that is none, or for half a surrogate pair.
std::string resolveEscapes(std::string_view text, std::size_t offset);

bool isUtf8(std::string_view text);

// `text`, which is UTF-8, as JSON with its quotes.
std::string quoteJson(std::string_view text);

}  // namespace larder::xgboost
