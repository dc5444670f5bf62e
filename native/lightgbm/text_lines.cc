#include "lightgbm/text_lines.h"

namespace larder::lightgbm {

bool Lines::peek(Line& line) const {
  if (position_ >= text_.size()) return false;
  std::size_t const end = text_.find('\n', position_);
  line.offset = position_;
  line.isTerminated = end != std::string_view::npos;
  line.text = text_.substr(position_, line.isTerminated ? end - position_ : end);
  if (line.text.ends_with('\r')) line.text.remove_suffix(1);
  return true;
}

void Lines::skip(Line const& line) {
  std::size_t const end = text_.find('\n', line.offset);
  position_ = end == std::string_view::npos ? text_.size() : end + 1;
}

bool Lines::next(Line& line) {
  if (!peek(line)) return false;
  skip(line);
  return true;
}

Field splitLine(Line const& line) {
  std::size_t const cut = line.text.find('=');
  if (cut == std::string_view::npos) return {line.text, line.offset + line.text.size(), {}};
  return {line.text.substr(0, cut), line.offset + cut + 1, line.text.substr(cut + 1)};
}

}  // namespace larder::lightgbm
