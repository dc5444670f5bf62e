// UTF-8 and halves against plain definitions, over every short input.
#include <bit>
#include <cmath>

#include "codec/float16.h"
#include "codec/utf8.h"
#include "codec_example.h"

using namespace larder::codec;
using namespace larder::codec::test;

namespace {

// The standard's table, read as code: decodes a character and asks whether it may be written so.
std::size_t plainCharacterBytes(Bytes text, std::size_t offset) {
  std::uint8_t const lead = text[offset];
  if (lead < 0x80) return 1;
  std::size_t const byteCount = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
  if (byteCount == 0 || lead >= 0xf8 || offset + byteCount > text.size()) return 0;
  std::uint32_t character = lead & (0x7f >> byteCount);
  for (std::size_t index = 1; index < byteCount; index++) {
    if ((text[offset + index] & 0xc0) != 0x80) return 0;
    character = character << 6 | (text[offset + index] & 0x3f);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  bool const isSurrogate = character >= 0xd800 && character < 0xe000;
  return character < kLeast[byteCount] || isSurrogate || character > 0x10ffff ? 0 : byteCount;
}

bool isPlainUtf8(Bytes text) {
  for (std::size_t offset = 0; offset < text.size();) {
    std::size_t const byteCount = plainCharacterBytes(text, offset);
    if (byteCount == 0) return false;
    offset += byteCount;
  }
  return true;
}

void testUtf8() {
  // Every lead and second byte, with third and fourth bytes at the edges of their range.
  constexpr std::uint8_t kEdges[] = {0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff};
  for (std::uint32_t pair = 0; pair < 0x10000; pair++) {
    for (std::uint8_t const third : kEdges) {
      for (std::uint8_t const fourth : kEdges) {
        std::uint8_t const text[] = {static_cast<std::uint8_t>(pair >> 8),
                                     static_cast<std::uint8_t>(pair), third, fourth};
        for (std::size_t byteCount = 0; byteCount <= 4; byteCount++) {
          Bytes const cut(text, byteCount);
          check(!firstBadUtf8(cut) == isPlainUtf8(cut), "UTF-8 of " + std::to_string(pair));
        }
      }
    }
  }
  std::string const longText = std::string(15, 'a') + "\xc3\xa9" + std::string(9, 'b') + "\xff";
  Bytes const bytes(reinterpret_cast<std::uint8_t const*>(longText.data()), longText.size());
  check(firstBadUtf8(bytes) == 26, "the offset of the first bad byte");
  check(!firstBadUtf8(bytes.first(26)), "good up to there");
}

double plainHalf(std::uint16_t half) {
  int const exponent = (half >> 10) & 0x1f;
  double const fraction = half & 0x3ff;
  return exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
}

void testHalves() {
  for (std::uint32_t half = 0; half < 0x10000; half++) {
    std::uint32_t const widened = floatFromHalf(static_cast<std::uint16_t>(half));
    check(halfFromFloat(widened) == half, "a half survives: " + std::to_string(half));
  }
  // Around every half: the half itself, the middle to the next, and the floats beside both.
  for (std::uint16_t half = 0; half < 0x7bff; half++) {
    auto const value = static_cast<float>(plainHalf(half));
    auto const middle =
        static_cast<float>((plainHalf(half) + plainHalf(static_cast<std::uint16_t>(half + 1))) / 2);
    auto const above = static_cast<std::uint16_t>(half + 1);
    auto const narrow = [](float from) {
      return halfFromFloat(std::bit_cast<std::uint32_t>(from));
    };
    check(std::bit_cast<float>(floatFromHalf(half)) == value, "the value of a half");
    check(narrow(std::nextafter(middle, 0.0f)) == half, "below the middle");
    check(narrow(middle) == (half % 2 == 0 ? half : above), "the middle goes to even");
    check(narrow(std::nextafter(middle, 1e9f)) == above, "above the middle");
    check(narrow(-value) == (half | 0x8000), "the sign");
  }
  check(!isFiniteHalf(halfFromFloat(std::bit_cast<std::uint32_t>(65520.0f))), "65520 is too much");
}

}  // namespace

int main() {
  testUtf8();
  testHalves();
  std::puts("codec_text_test: ok");
}
