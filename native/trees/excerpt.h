// Pieces of a model file for error messages: short, printable ASCII only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace larder::trees {

// `text` in quotes, cut to a length fit for a message.
std::string quoted(std::string_view text);

// What stands at `offset`, up to the end of the line.
std::string excerptAt(std::string_view text, std::size_t offset);

}  // namespace larder::trees
