// Random learned layouts: valid profiles for every type of feature, from a seed.
#pragma once

#include <algorithm>

#include "codec_example.h"

namespace larder::codec::test {

// The lengths of a random complete prefix code, rising: leaves of a tree that grew at random.
inline std::vector<unsigned> randomPrefixes(std::size_t leafCount, Random& random) {
  std::vector<unsigned> lengths = {0};
  while (lengths.size() < leafCount) {
    std::size_t const leaf = random.below(lengths.size());
    if (lengths[leaf] == kPrefixBitsMax) continue;
    lengths.push_back(++lengths[leaf]);
  }
  std::ranges::sort(lengths);
  return lengths;
}

struct TableRules {
  bool hasNull;
  bool hasLiteral;
  bool areLengths;
  bool areDecimals;
};

inline std::vector<CodeClass> randomClasses(TableRules const& rules, Random& random) {
  std::vector<CodeClass> classes;
  for (unsigned const prefixBits : randomPrefixes(1 + random.below(6), random)) {
    auto base = static_cast<std::int64_t>(random.below(4)) - (rules.areLengths ? 0 : 1);
    auto width = static_cast<unsigned>(random.below(4));
    bool const isWide = !rules.areLengths && !rules.areDecimals && random.below(8) == 0;
    if (isWide) width = 50 + static_cast<unsigned>(random.below(15));
    int const exponent = rules.areDecimals ? static_cast<int>(random.below(5)) - 2 : 0;
    classes.push_back({CodeKind::range, prefixBits, base, width, exponent});
  }
  auto const mark = [&](CodeKind kind) {
    CodeClass& each = classes[random.below(classes.size())];
    if (random.below(3) != 0 && each.kind == CodeKind::range)
      each = {kind, each.prefixBits, 0, 0, 0};
  };
  if (rules.hasNull) mark(CodeKind::null);
  if (rules.hasLiteral) mark(CodeKind::literal);
  return classes;
}

inline void setRandomSymbols(FeatureType const& type, bool areElements, DeclaredCoding& declared,
                             Random& random) {
  static std::uint8_t const kText[] = {'a'};
  bool const isHalf = type.shape == Shape::embedding && type.storage == EmbeddingStorage::f16;
  bool const isSteps = type.shape == Shape::embedding && type.storage == EmbeddingStorage::int8;
  if (elementClassOf(type.scalar) == ColumnClass::var) {
    declared.mapping = MappingKind::dictionary;
    if (random.below(2) == 0) declared.dictionary.push_back(kText);
    if (random.below(2) == 0) declared.dictionary.push_back({});
  } else if (isSteps || integerRangeOf(type.scalar)) {
    declared.unit = random.below(3) == 0 ? 3 : 1;
  } else if (isHalf || random.below(2) == 0) {
    declared.mapping = MappingKind::floatBits;
    declared.shift = static_cast<std::int64_t>(random.below(16));
  } else {
    declared.mapping = MappingKind::decimal;
  }
  bool const areDecimals = declared.mapping == MappingKind::decimal;
  declared.symbols = randomClasses({!areElements, true, false, areDecimals}, random);
}

// One of the codings that the type can have.
inline DeclaredCoding randomDeclared(FeatureType const& type, Random& random) {
  DeclaredCoding declared;
  bool const isScalar = type.shape == Shape::scalar;
  bool const isText = elementClassOf(type.scalar) == ColumnClass::var;
  std::size_t const choice = random.below(4);
  if (choice == 0) return declared;
  bool const isBlock = (!isScalar || isText) && choice == 1;
  declared.kind = isBlock    ? CodingKind::block
                  : isScalar ? CodingKind::coded
                             : CodingKind::packedList;
  if (declared.kind != CodingKind::coded) {
    declared.lengths = randomClasses({true, false, true, false}, random);
    if (random.below(2) == 0) declared.lz4BytesMin = static_cast<std::uint32_t>(random.below(4));
  }
  if (!isBlock) setRandomSymbols(type, !isScalar, declared, random);
  return declared;
}

// Every type, codings at random, versions compact or full.
inline SharedLayout randomLearnedLayout(std::uint32_t layoutId, Random& random) {
  RowLayout layout = everyTypeLayout(layoutId);
  std::vector<FeatureCoding> codings;
  for (LayoutFeature const& feature : layout.features) {
    DeclaredCoding const declared = randomDeclared(feature.type, random);
    auto const problem = codingProblem(feature.type, declared);
    check(!problem, "a valid coding of " + describe(feature.type) + ": " + problem.value_or(""));
    codings.push_back(compileCoding(feature.type, declared));
  }
  layout.codings = std::make_shared<std::vector<FeatureCoding> const>(std::move(codings));
  if (random.below(2) == 0) layout.compactVersion = CompactVersion{999'990, 5, 1, 7};
  return share(std::move(layout));
}

}  // namespace larder::codec::test
