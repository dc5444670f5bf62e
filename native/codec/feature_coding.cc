#include "codec/feature_coding.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "codec/number_types.h"

namespace larder::codec {

namespace {

using Problem = std::optional<std::string>;

bool isText(FeatureType const& type) { return elementClassOf(type.scalar) == ColumnClass::var; }

bool isFloat(FeatureType const& type) {
  if (type.shape == Shape::embedding) return type.storage != EmbeddingStorage::int8;
  return type.scalar == Scalar::float32 || type.scalar == Scalar::float64;
}

unsigned storedBits(FeatureType const& type) {
  return withNumber(type, [](auto number) { return decltype(number)::kStoredBits; });
}

Problem shapeProblem(FeatureType const& type, CodingKind kind) {
  bool const isScalar = type.shape == Shape::scalar;
  bool const fits = kind == CodingKind::plain || (kind == CodingKind::coded && isScalar) ||
                    (kind == CodingKind::packedList && !isScalar) ||
                    (kind == CodingKind::block && (!isScalar || isText(type)));
  if (fits) return std::nullopt;
  return "an encoding that values of type " + describe(type) + " cannot have";
}

Problem mappingProblem(FeatureType const& type, DeclaredCoding const& declared) {
  bool const isHalf = type.shape == Shape::embedding && type.storage == EmbeddingStorage::f16;
  bool fits = false;
  switch (declared.mapping) {
    case MappingKind::integer:
      fits = !isText(type) && !isFloat(type);
      break;
    case MappingKind::decimal:
      fits = isFloat(type) && !isHalf;
      break;
    case MappingKind::floatBits:
      fits = isFloat(type);
      break;
    case MappingKind::dictionary:
      fits = isText(type);
      break;
  }
  if (!fits) return "a mapping that values of type " + describe(type) + " cannot have";
  if (declared.mapping == MappingKind::integer && declared.unit < 1) {
    return "unit " + std::to_string(declared.unit) + " is less than 1";
  }
  if (declared.mapping == MappingKind::floatBits &&
      (declared.shift < 0 || declared.shift >= storedBits(type))) {
    return "shift " + std::to_string(declared.shift) + " is not from 0 to " +
           std::to_string(storedBits(type) - 1);
  }
  return std::nullopt;
}

Problem dictionaryProblem(std::vector<Bytes> const& values) {
  std::set<std::string_view> distinct;
  for (Bytes const value : values) {
    distinct.emplace(reinterpret_cast<char const*>(value.data()), value.size());
  }
  if (distinct.size() == values.size()) return std::nullopt;
  return "a dictionary that has a value twice";
}

// The range's greatest symbol, if it is at most `max`.
bool endsBy(CodeClass const& range, std::int64_t max) {
  if (range.base > max || range.width > 63) return false;
  auto const above = static_cast<std::uint64_t>(max) - static_cast<std::uint64_t>(range.base);
  return BitReader::lowBits(range.width) <= above;
}

Problem symbolsProblem(DeclaredCoding const& declared, bool areElements) {
  constexpr std::int64_t kExactMax = std::int64_t{1} << 53;
  bool const isDecimal = declared.mapping == MappingKind::decimal;
  for (CodeClass const& each : declared.symbols) {
    if (areElements && each.kind == CodeKind::null)
      return "a null class, but elements are not null";
    if (each.kind != CodeKind::range) continue;
    if (!isDecimal && each.exponent != 0) return "an exponent, but it is not of decimals";
    if (isDecimal && (each.base < -kExactMax || !endsBy(each, kExactMax))) {
      return "a range of decimals beyond 2^53";
    }
  }
  return std::nullopt;
}

Problem lengthsProblem(std::vector<CodeClass> const& lengths) {
  for (CodeClass const& each : lengths) {
    if (each.kind == CodeKind::literal) return "a literal class, but lengths are never literal";
    if (each.kind != CodeKind::range) continue;
    bool const fits = each.base >= 0 && each.exponent == 0 && endsBy(each, UINT32_MAX);
    if (!fits) return "a range of lengths that is not from 0 to 4294967295";
  }
  return std::nullopt;
}

// A literal text has its byte count at least.
unsigned elementBitsMin(FeatureType const& type, CodeTable const& table) {
  unsigned const literalBitsMin = isText(type) ? 8 : storedBits(type);
  unsigned bitsMin = UINT32_MAX;
  for (CodeTable::Code const& code : table.codes()) {
    bool const isLiteral = code.kind == CodeKind::literal;
    bitsMin = std::min(bitsMin, code.bitCount() + (isLiteral ? literalBitsMin : 0));
  }
  return bitsMin;
}

}  // namespace

Problem codingProblem(FeatureType const& type, DeclaredCoding const& declared) {
  CodingKind const kind = declared.kind;
  if (auto problem = shapeProblem(type, kind)) return problem;
  if (kind == CodingKind::packedList || kind == CodingKind::block) {
    if (auto problem = classesProblem(declared.lengths)) return "lengths: " + *problem;
    if (auto problem = lengthsProblem(declared.lengths)) return "lengths: " + *problem;
  }
  if (kind == CodingKind::coded || kind == CodingKind::packedList) {
    if (auto problem = mappingProblem(type, declared)) return problem;
    if (auto problem = dictionaryProblem(declared.dictionary)) return problem;
    if (auto problem = classesProblem(declared.symbols)) return problem;
    return symbolsProblem(declared, kind == CodingKind::packedList);
  }
  return std::nullopt;
}

FeatureCoding compileCoding(FeatureType const& type, DeclaredCoding const& declared) {
  FeatureCoding coding;
  coding.kind = declared.kind;
  coding.mapping.kind = declared.mapping;
  coding.mapping.unit = declared.unit;
  coding.mapping.shift = static_cast<unsigned>(declared.shift);
  coding.mapping.dictionary = Dictionary(declared.dictionary);
  if (!declared.symbols.empty()) coding.symbols = CodeTable(declared.symbols);
  if (!declared.lengths.empty()) coding.lengths = CodeTable(declared.lengths);
  coding.symbolFinder = CodeFinder(coding.symbols, declared.mapping == MappingKind::decimal);
  coding.lengthFinder = CodeFinder(coding.lengths, false);
  if (coding.kind == CodingKind::packedList) {
    coding.elementBitsMin = elementBitsMin(type, coding.symbols);
  }
  coding.lz4BytesMin = declared.lz4BytesMin;
  return coding;
}

}  // namespace larder::codec
