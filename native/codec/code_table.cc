#include "codec/code_table.h"

#include <algorithm>

namespace larder::codec {

namespace {

// Prefixes are given highest bit first, streams come lowest bit first.
std::uint32_t reversed(std::uint32_t bits, unsigned bitCount) {
  std::uint32_t result = 0;
  for (unsigned index = 0; index < bitCount; index++) {
    result |= ((bits >> index) & 1) << (bitCount - 1 - index);
  }
  return result;
}

std::optional<std::string> rangeProblem(CodeClass const& range) {
  if (range.width > 64) {
    return "a width of " + std::to_string(range.width) + " bits, at most 64 are allowed";
  }
  if (range.exponent < -22 || range.exponent > 22) {
    return "exponent " + std::to_string(range.exponent) + " is not from -22 to 22";
  }
  return std::nullopt;
}

std::optional<std::string> prefixProblem(std::vector<CodeClass> const& classes) {
  if (classes.size() == 1 && classes[0].prefixBits == 0) return std::nullopt;
  unsigned const prefixBitsMin = classes.size() == 1 ? 0 : 1;
  unsigned previousBits = prefixBitsMin;
  std::uint64_t covered = 0;
  for (CodeClass const& each : classes) {
    if (each.prefixBits < previousBits || each.prefixBits > kPrefixBitsMax) {
      return "a prefix of " + std::to_string(each.prefixBits) + " bits is not from " +
             std::to_string(previousBits) + " to " + std::to_string(kPrefixBitsMax);
    }
    previousBits = each.prefixBits;
    covered += std::uint64_t{1} << (kPrefixBitsMax - each.prefixBits);
  }
  if (covered == std::uint64_t{1} << kPrefixBitsMax) return std::nullopt;
  return "the prefixes are not a complete code";
}

}  // namespace

std::optional<std::string> classesProblem(std::vector<CodeClass> const& classes) {
  if (classes.empty() || classes.size() > kCodeClassesMax) {
    return std::to_string(classes.size()) + " classes, from 1 to " +
           std::to_string(kCodeClassesMax) + " are allowed";
  }
  for (CodeKind const kind : {CodeKind::null, CodeKind::literal}) {
    if (std::ranges::count(classes, kind, &CodeClass::kind) > 1) {
      return kind == CodeKind::null ? "more than one null class" : "more than one literal class";
    }
  }
  for (CodeClass const& each : classes) {
    if (each.kind != CodeKind::range) continue;
    if (auto problem = rangeProblem(each)) return problem;
  }
  return prefixProblem(classes);
}

CodeTable::CodeTable(std::vector<CodeClass> const& classes) {
  std::uint32_t next = 0;
  unsigned previousBits = classes[0].prefixBits;
  for (CodeClass const& each : classes) {
    next <<= each.prefixBits - previousBits;
    previousBits = each.prefixBits;
    bool const isRange = each.kind == CodeKind::range;
    if (each.kind == CodeKind::null) null_ = static_cast<int>(codes_.size());
    if (each.kind == CodeKind::literal) literal_ = static_cast<int>(codes_.size());
    auto const exponent = static_cast<std::int8_t>(isRange ? each.exponent : 0);
    codes_.push_back({isRange ? each.base : 0, each.kind,
                      static_cast<std::uint8_t>(each.prefixBits),
                      static_cast<std::uint8_t>(isRange ? each.width : 0), exponent,
                      static_cast<std::uint16_t>(reversed(next++, each.prefixBits))});
    bitCountMax_ = std::max(bitCountMax_, codes_.back().bitCount());
  }
  codesPerPeek_ = BitReader::kPeekBits / std::max(bitCountMax_, 1u);
  unsigned const longestBits = previousBits;
  prefixMask_ = (std::uint64_t{1} << longestBits) - 1;
  byPrefix_.resize(std::size_t{1} << longestBits);
  for (Code const& code : codes_) {
    std::size_t const step = std::size_t{1} << code.prefixBits;
    auto const place = static_cast<std::uint8_t>(readCodes_.size());
    for (std::size_t at = code.prefix; at < byPrefix_.size(); at += step) byPrefix_[at] = place;
    bool const isPlain = code.kind != CodeKind::literal && code.bitCount() <= BitReader::kPeekBits;
    readCodes_.push_back({code.base, BitReader::lowBits(code.width), code.prefixBits,
                          static_cast<std::uint8_t>(code.bitCount()), code.exponent, code.kind,
                          isPlain});
  }
}

bool CodeTable::takeWide(BitReader& from, ReadCode const& code, std::uint64_t& symbol) {
  std::uint64_t above = 0;
  if (!from.skip(code.prefixBits) || !from.take(code.bitCount - code.prefixBits, above)) {
    return false;
  }
  symbol = static_cast<std::uint64_t>(code.base) + above;
  return true;
}

}  // namespace larder::codec
