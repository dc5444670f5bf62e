// Lines of a text file with their offsets; accepts LF and CRLF.
#pragma once

#include <cstddef>
#include <string_view>

#include "lightgbm/text_values.h"

namespace larder::lightgbm {

struct Line {
  std::size_t offset = 0;
  std::string_view text;      // without its line ending
  bool isTerminated = false;  // false: the file ended first
};

class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}
  // The line at the current place, not consumed; false at the end of the file.
  bool peek(Line& line) const;
  void skip(Line const& line);
  bool next(Line& line);
  std::size_t offset() const { return position_; }

 private:
  std::string_view text_;
  std::size_t position_ = 0;
};

// Cuts at the first `=`: a feature name may contain further ones. Without one, `text` is empty.
Field splitLine(Line const& line);

}  // namespace larder::lightgbm
