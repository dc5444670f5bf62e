// Bit streams and code tables alone: what was put is taken, and what breaks a rule of profiles is
// told.
#include "learned_example.h"

using namespace larder::codec;
using namespace larder::codec::test;

namespace {

void testBits() {
  Random random(3);
  for (int run = 0; run < 2000; run++) {
    std::vector<std::uint64_t> values;
    std::vector<unsigned> widths;
    std::vector<std::uint8_t> const text = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    std::vector<std::uint8_t> stream(16 * 8 + text.size() + BitWriter::kSlackBytes + 1);
    BitWriter writer(stream.data());
    for (int at = 0; at < 16; at++) {
      widths.push_back(static_cast<unsigned>(random.below(65)));
      values.push_back(random.next() & BitReader::lowBits(widths.back()));
      writer.put(values.back(), widths.back());
    }
    writer.putBytes(text);
    stream.resize(static_cast<std::size_t>(writer.finish() - stream.data()));
    std::size_t const byteCount = stream.size();
    stream.resize(byteCount + BitReader::kPaddingBytes, 0xff);
    BitReader reader(stream.data(), byteCount);
    for (int at = 0; at < 16; at++) {
      std::uint64_t value = 0;
      check(reader.take(widths[at], value) && value == values[at], "a number comes back");
    }
    std::vector<std::uint8_t> back(text.size());
    check(reader.takeBytes(back.data(), back.size()) && back == text, "bytes come back");
    check(reader.left() < 8 && !reader.skip(8), "the stream ends within a byte");
  }
}

void testTables() {
  Random random(4);
  for (int run = 0; run < 2000; run++) {
    auto const classes = randomClasses({true, true, false, false}, random);
    check(!classesProblem(classes), classesProblem(classes).value_or(""));
    CodeTable const table(classes);
    for (CodeTable::Code const& code : table.codes()) {
      std::uint64_t const above = random.next() & BitReader::lowBits(code.width);
      std::vector<std::uint8_t> stream(64);
      BitWriter writer(stream.data());
      putCode(writer, code, above);
      BitReader reader(stream.data(), 16);
      std::uint64_t symbol;
      auto const* const taken = table.reading().take(reader, symbol);
      check(taken != nullptr, "a code is taken");
      check(taken->prefixBits == code.prefixBits && taken->kind == code.kind,
            "the code that was put");
      check(symbol == static_cast<std::uint64_t>(code.base) + above, "the symbol that was put");
      check(reader.position() == code.bitCount(), "as many bits");
    }
  }
}

// Canonical codes: 0, 10, 110, 111, the highest bit first.
void testPrefixes() {
  auto const of = [](unsigned prefixBits) {
    return CodeClass{CodeKind::range, prefixBits, 0, 0, 0};
  };
  CodeTable const table({of(1), of(2), of(3), of(3)});
  std::uint32_t const expected[] = {0b0, 0b01, 0b011, 0b111};
  for (std::size_t at = 0; at < 4; at++) {
    check(table.codes()[at].prefix == expected[at], "prefix " + std::to_string(at));
  }
}

struct Refused {
  FeatureType type;
  CodingKind kind;
  MappingKind mapping;
  std::int64_t unit;
  std::int64_t shift;
  std::vector<CodeClass> symbols;
  std::vector<CodeClass> lengths;
  std::string reason;
};

void testProblems() {
  constexpr FeatureType kInt = {Shape::scalar, Scalar::int16, EmbeddingStorage::f32, 0};
  constexpr FeatureType kFloat = {Shape::scalar, Scalar::float32, EmbeddingStorage::f32, 0};
  constexpr FeatureType kList = {Shape::list, Scalar::int16, EmbeddingStorage::f32, 0};
  constexpr auto kCoded = CodingKind::coded;
  constexpr auto kPacked = CodingKind::packedList;
  constexpr auto kInteger = MappingKind::integer;
  constexpr auto kDecimal = MappingKind::decimal;
  CodeClass const any = {CodeKind::range, 0, 0, 4, 0};
  CodeClass const half = {CodeKind::range, 1, 0, 4, 0};
  CodeClass const null = {CodeKind::null, 1, 0, 0, 0};
  CodeClass const literal = {CodeKind::literal, 1, 0, 0, 0};
  std::vector<CodeClass> const many(33, any);
  Refused const cases[] = {
      {kList, kCoded, kInteger, 1, 0, {any}, {}, "values of type list<int16> cannot have"},
      {kInt, kPacked, kInteger, 1, 0, {any}, {any}, "values of type int16 cannot have"},
      {kInt, CodingKind::block, kInteger, 1, 0, {}, {any}, "values of type int16 cannot have"},
      {kInt, kCoded, kDecimal, 1, 0, {any}, {}, "a mapping that values of type int16 cannot have"},
      {kInt, kCoded, kInteger, 0, 0, {any}, {}, "unit 0 is less than 1"},
      {kFloat, kCoded, MappingKind::floatBits, 1, 32, {any}, {}, "shift 32 is not from 0 to 31"},
      {kInt, kCoded, kInteger, 1, 0, {}, {}, "0 classes, from 1 to 32 are allowed"},
      {kInt, kCoded, kInteger, 1, 0, many, {}, "33 classes, from 1 to 32 are allowed"},
      {kInt, kCoded, kInteger, 1, 0, {half}, {}, "the prefixes are not a complete code"},
      {kInt, kCoded, kInteger, 1, 0, {half, half, half}, {}, "not a complete code"},
      {kInt, kCoded, kInteger, 1, 0, {any, half}, {}, "a prefix of 0 bits is not from 1 to 10"},
      {kInt, kCoded, kInteger, 1, 0, {null, null}, {}, "more than one null class"},
      {kInt, kCoded, kInteger, 1, 0, {literal, literal}, {}, "more than one literal class"},
      {kInt,
       kCoded,
       kInteger,
       1,
       0,
       {{CodeKind::range, 0, 0, 65, 0}},
       {},
       "at most 64 are allowed"},
      {kInt, kCoded, kInteger, 1, 0, {{CodeKind::range, 0, 0, 1, 2}}, {}, "it is not of decimals"},
      {kFloat, kCoded, kDecimal, 1, 0, {{CodeKind::range, 0, 0, 1, 23}}, {}, "not from -22 to 22"},
      {kFloat, kCoded, kDecimal, 1, 0, {{CodeKind::range, 0, 1, 54, 0}}, {}, "beyond 2^53"},
      {kList, kPacked, kInteger, 1, 0, {half, null}, {any}, "elements are not null"},
      {kList, kPacked, kInteger, 1, 0, {any}, {half, literal}, "lengths are never literal"},
      {kList, kPacked, kInteger, 1, 0, {any}, {{CodeKind::range, 0, 1, 32, 0}}, "not from 0 to"},
      {kList, kPacked, kInteger, 1, 0, {any}, {{CodeKind::range, 0, -1, 2, 0}}, "not from 0 to"},
  };
  for (Refused const& each : cases) {
    DeclaredCoding declared;
    declared.kind = each.kind;
    declared.mapping = each.mapping;
    declared.unit = each.unit;
    declared.shift = each.shift;
    declared.symbols = each.symbols;
    declared.lengths = each.lengths;
    std::string const told = codingProblem(each.type, declared).value_or("nothing");
    check(told.find(each.reason) != std::string::npos,
          "expected '" + each.reason + "', not '" + told + "'");
  }
}

void testVersions() {
  constexpr std::int64_t kBound = std::int64_t{1} << 53;
  check(!versionProblem({0, 1, 6, 0}).has_value(), "six bytes of microseconds");
  check(!versionProblem({1 - kBound, 1, 0, 0}).has_value(), "the least base");
  check(versionProblem({0, 1, 7, 0}).has_value(), "seven bytes");
  check(versionProblem({0, 0, 1, 0}).has_value(), "no unit");
  check(versionProblem({kBound, 1, 0, 0}).has_value(), "a base of 2^53");
  check(versionProblem({-kBound, 1, 0, 0}).has_value(), "a base of -2^53");
  check(versionProblem({0, INT64_MAX, 6, 0}).has_value(), "an end beyond 2^53");
}

}  // namespace

int main() {
  testBits();
  testTables();
  testPrefixes();
  testProblems();
  testVersions();
  std::puts("codec_table_test: ok");
}
