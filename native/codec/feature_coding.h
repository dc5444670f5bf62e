// How the values of one feature are written in rows of a learned layout.
//
// A mapping makes symbols of values, tables make bits of symbols. What no class of a table has is
// an exception of its row. Immutable once compiled; docs/formats/row-v1.md has the rules.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/code_finder.h"
#include "codec/code_table.h"
#include "codec/dictionary.h"
#include "codec/feature_type.h"

namespace larder::codec {

enum class MappingKind : std::uint8_t { integer, decimal, floatBits, dictionary };

struct SymbolMapping {
  MappingKind kind = MappingKind::integer;
  std::int64_t unit = 1;  // of integers
  unsigned shift = 0;     // of float bits
  Dictionary dictionary;
};

enum class CodingKind : std::uint8_t { plain, coded, packedList, block };

struct FeatureCoding {
  CodingKind kind = CodingKind::plain;
  SymbolMapping mapping;  // of scalars, or of elements; none of `plain` and `block`
  CodeTable symbols;      // likewise
  CodeTable lengths;      // of `packedList` elements, of `block` bytes
  CodeFinder symbolFinder;
  CodeFinder lengthFinder;
  unsigned elementBitsMin = 0;  // of `packedList`: the fewest that one element takes
  // Blocks of at least so many bytes say whether they are compressed.
  std::optional<std::uint32_t> lz4BytesMin;
};

// What a profile declares of a feature, before it is checked.
struct DeclaredCoding {
  CodingKind kind = CodingKind::plain;
  MappingKind mapping = MappingKind::integer;
  std::int64_t unit = 1;
  std::int64_t shift = 0;
  std::vector<Bytes> dictionary;
  std::vector<CodeClass> symbols;
  std::vector<CodeClass> lengths;
  std::optional<std::uint32_t> lz4BytesMin;
};

// Why values of the type cannot be written like this, in words.
std::optional<std::string> codingProblem(FeatureType const& type, DeclaredCoding const& declared);

// Compiles what `codingProblem` has nothing against. The dictionary is copied.
FeatureCoding compileCoding(FeatureType const& type, DeclaredCoding const& declared);

}  // namespace larder::codec
