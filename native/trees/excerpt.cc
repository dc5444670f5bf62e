#include "trees/excerpt.h"

#include <algorithm>

namespace larder::trees {

namespace {

constexpr std::size_t kQuotedBytesMax = 40;
constexpr std::size_t kExcerptBytesMax = 60;

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  return out;
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string const rest = text.size() > kQuotedBytesMax ? "..." : "";
  return "'" + printable(text.substr(0, kQuotedBytesMax)) + rest + "'";
}

std::string excerptAt(std::string_view text, std::size_t offset) {
  std::string_view const rest = text.substr(std::min(offset, text.size()));
  return printable(rest.substr(0, std::min(rest.find_first_of("\r\n"), kExcerptBytesMax)));
}

}  // namespace larder::trees
