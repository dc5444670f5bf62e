#include "xgboost/text_decode.h"

#include <charconv>
#include <cstdint>

#include "trees/excerpt.h"
#include "trees/parse_error.h"

namespace larder::xgboost {

using trees::ParseFailure;

namespace {

constexpr std::string_view kEscapes = "\"\\/bfnrt";
constexpr std::string_view kEscaped = "\"\\/\b\f\n\r\t";

void appendUtf8(std::string& out, std::uint32_t code) {
  auto const tail = [&](std::uint32_t shift) {
    out += static_cast<char>(0x80 | ((code >> shift) & 0x3f));
  };
  if (code < 0x80) {
    out += static_cast<char>(code);
    return;
  }
  if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12);
    tail(6);
  } else {
    out += static_cast<char>(0xf0 | code >> 18);
    tail(12);
    tail(6);
  }
  tail(0);
}

// The four hexadecimal digits of `\uXXXX` that begins at `at`; 0xffffffff where it is none.
std::uint32_t unitAt(std::string_view text, std::size_t at) {
  constexpr std::uint32_t kNone = 0xffffffff;
  if (at + 6 > text.size() || text.substr(at, 2) != "\\u") return kNone;
  std::uint32_t unit = 0;
  char const* const begin = text.data() + at + 2;
  auto const [stop, status] = std::from_chars(begin, begin + 4, unit, 16);
  return status == std::errc() && stop == begin + 4 ? unit : kNone;
}

bool isHigh(std::uint32_t unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool isLow(std::uint32_t unit) { return unit >= 0xdc00 && unit < 0xe000; }

// Appends what the escape at `at` stands for; returns its bytes, 0 where it is none.
std::size_t appendEscape(std::string_view text, std::size_t at, std::string& out) {
  char const letter = at + 1 < text.size() ? text[at + 1] : '\0';
  std::size_t const simple = kEscapes.find(letter);
  if (simple != std::string_view::npos) {
    out += kEscaped[simple];
    return 2;
  }
  std::uint32_t const unit = unitAt(text, at);
  if (unit > 0xffff || isLow(unit)) return 0;
  if (!isHigh(unit)) {
    appendUtf8(out, unit);
    return 6;
  }
  std::uint32_t const low = unitAt(text, at + 6);
  if (!isLow(low)) return 0;
  appendUtf8(out, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
  return 12;
}

// Bytes of the character at the start of `text`; 0 where it is not UTF-8.
std::size_t characterBytes(std::string_view text) {
  auto const byteAt = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char const first = byteAt(0);
  if (first < 0x80) return 1;
  std::size_t const count = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < count) return 0;
  for (std::size_t i = 1; i < count; ++i) {
    if ((byteAt(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and what lies beyond Unicode, all told by the second byte.
  unsigned char const second = byteAt(1);
  bool const isTooLow = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  bool const isTooHigh = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
  return isTooLow || isTooHigh ? 0 : count;
}

}  // namespace

std::string resolveEscapes(std::string_view text, std::size_t offset) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '\\') {
      out += text[at++];
      continue;
    }
    std::size_t const used = appendEscape(text, at, out);
    if (used == 0) {
      throw ParseFailure(offset, "a text has the escape " + trees::quoted(text.substr(at, 6)) +
                                     ", which stands for no character");
    }
    at += used;
  }
  return out;
}

bool isUtf8(std::string_view text) {
  while (!text.empty()) {
    std::size_t const count = characterBytes(text);
    if (count == 0) return false;
    text.remove_prefix(count);
  }
  return true;
}

std::string quoteJson(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (char const c : text) {
    auto const byte = static_cast<unsigned char>(c);
    if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace larder::xgboost
