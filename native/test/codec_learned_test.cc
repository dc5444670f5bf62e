// Learned rows alone: every mapping gives back its edge values bit for bit, what no class holds
// becomes an exception, and what breaks a rule of the format is corrupt.
#include <bit>
#include <cmath>
#include <limits>

#include "codec/lz4_block.h"

#include "learned_example.h"

using namespace larder::codec;
using namespace larder::codec::test;

namespace {

constexpr FeatureType kInt64 = {Shape::scalar, Scalar::int64, EmbeddingStorage::f32, 0};
constexpr FeatureType kInt8 = {Shape::scalar, Scalar::int8, EmbeddingStorage::f32, 0};
constexpr FeatureType kBool = {Shape::scalar, Scalar::boolean, EmbeddingStorage::f32, 0};
constexpr FeatureType kFloat32 = {Shape::scalar, Scalar::float32, EmbeddingStorage::f32, 0};
constexpr FeatureType kFloat64 = {Shape::scalar, Scalar::float64, EmbeddingStorage::f32, 0};
constexpr FeatureType kString = {Shape::scalar, Scalar::string, EmbeddingStorage::f32, 0};
constexpr FeatureType kBools = {Shape::list, Scalar::boolean, EmbeddingStorage::f32, 0};
constexpr FeatureType kStrings = {Shape::list, Scalar::string, EmbeddingStorage::f32, 0};
constexpr FeatureType kSteps = {Shape::embedding, Scalar::float32, EmbeddingStorage::int8, 2};

CodeClass range(unsigned prefixBits, std::int64_t base, unsigned width, int exponent = 0) {
  return {CodeKind::range, prefixBits, base, width, exponent};
}
CodeClass null(unsigned prefixBits) { return {CodeKind::null, prefixBits, 0, 0, 0}; }

DeclaredCoding coded(MappingKind mapping, std::vector<CodeClass> symbols) {
  DeclaredCoding declared;
  declared.kind = CodingKind::coded;
  declared.mapping = mapping;
  declared.symbols = std::move(symbols);
  return declared;
}

DeclaredCoding packed(std::vector<CodeClass> lengths, std::vector<CodeClass> elements) {
  DeclaredCoding declared = coded(MappingKind::integer, std::move(elements));
  declared.kind = CodingKind::packedList;
  declared.lengths = std::move(lengths);
  return declared;
}

DeclaredCoding block(std::vector<CodeClass> lengths, std::optional<std::uint32_t> lz4BytesMin) {
  DeclaredCoding declared;
  declared.kind = CodingKind::block;
  declared.lengths = std::move(lengths);
  declared.lz4BytesMin = lz4BytesMin;
  return declared;
}

// A learned layout of one feature, which takes no bytes of version, and the plain one.
std::vector<SharedLayout> layoutsOf(FeatureType const& type, DeclaredCoding const& declared) {
  auto const problem = codingProblem(type, declared);
  check(!problem, problem.value_or(""));
  RowLayout learned = {2, {{1, type}}, CompactVersion{0, 1, 0, 7}, nullptr};
  learned.codings = std::make_shared<std::vector<FeatureCoding> const>(
      std::vector{compileCoding(type, declared)});
  RowLayout plain = {3, {{1, type}}, std::nullopt, nullptr};
  return {share(std::move(learned)), share(std::move(plain))};
}

// Encodes one cell and decodes it: as plain rows give it back. Returns the learned row.
std::vector<std::uint8_t> roundTrip(FeatureType const& type, DeclaredCoding const& declared,
                                    OwnedColumn const& column) {
  auto const layouts = layoutsOf(type, declared);
  WireColumn const columns[] = {column.view(type)};
  std::int64_t const eventTimesUs[] = {0};
  ProblemList problems(1, 1);
  EncodedRows const learned = encodeRows(layouts, {columns, eventTimesUs, 7}, kLimits, problems);
  EncodedRows const plain =
      encodeRows({&layouts[1], 1}, {columns, eventTimesUs, 7}, kLimits, problems);
  check(problems.empty(), "the value fits its type");
  RowDecoder const decoder = decoderOf(layouts);
  Decoded const decoded = decodeOne(decoder, learned.bytes);
  Decoded const expected = decodeOne(decoder, plain.bytes);
  check(!decoded.isCorrupt(), decoded.isCorrupt() ? decoded.findings.corrupt[0].reason : "");
  check(decoded.fixed == expected.fixed && decoded.varying == expected.varying,
        "what was encoded decodes: " + describe(type));
  return learned.bytes;
}

template <typename T>
OwnedColumn oneNumber(T value) {
  OwnedColumn column;
  append(column.data, value);
  column.status.push_back(1);
  return column;
}

OwnedColumn oneText(std::string const& text) {
  OwnedColumn column;
  column.data.assign(text.begin(), text.end());
  append(column.lengths, static_cast<std::uint32_t>(text.size()));
  column.status.push_back(1);
  return column;
}

// The learned row's first bit: whether it has an exception.
bool hasException(std::vector<std::uint8_t> const& row) { return (row[1] & 1) != 0; }

void testIntegers() {
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  for (std::int64_t const value : {kMin, kMin + 1, std::int64_t{-1}, std::int64_t{0}, kMax}) {
    auto const everything = coded(MappingKind::integer, {range(0, kMin, 64)});
    check(!hasException(roundTrip(kInt64, everything, oneNumber(value))), "64 bits hold all");
    auto const wrapped = coded(MappingKind::integer, {range(1, kMax, 1), range(1, -1, 1)});
    check(!hasException(roundTrip(kInt64, wrapped, oneNumber(value))) == (value != kMin + 1),
          "a range wraps around");
    auto by3 = coded(MappingKind::integer, {range(0, kMin, 64)});
    by3.unit = 3;
    check(hasException(roundTrip(kInt64, by3, oneNumber(value))) == (value % 3 != 0), "a unit");
  }
  auto const none = coded(MappingKind::integer, {range(0, 5, 0)});
  check(roundTrip(kInt64, none, oneNumber(std::int64_t{5})).size() == 2, "a constant is free");
}

void testDecimals() {
  auto const cents = coded(MappingKind::decimal, {range(1, -100000, 18, 2), null(1)});
  auto const wide = coded(MappingKind::decimal, {range(0, -(std::int64_t{1} << 53), 53, 22)});
  auto const tens = coded(MappingKind::decimal, {range(0, 0, 10, -22)});
  for (float const value : {0.0f, 0.01f, -999.99f, 1621.43f, 7.25f}) {
    check(!hasException(roundTrip(kFloat32, cents, oneNumber(value))), "cents");
    roundTrip(kFloat32, wide, oneNumber(value));
  }
  float const nan = std::numeric_limits<float>::quiet_NaN();
  for (float const value : {-0.0f, nan, INFINITY, -INFINITY, 1e-45f, 3.4028235e38f, 0.001f}) {
    check(hasException(roundTrip(kFloat32, cents, oneNumber(value))), "no cents");
  }
  for (double const value : {0.1, 9.3e24, 5e-324, 1.7976931348623157e308, -0.0, 1e22}) {
    roundTrip(kFloat64, cents, oneNumber(value));
    roundTrip(kFloat64, wide, oneNumber(value));
    roundTrip(kFloat64, tens, oneNumber(value));
  }
  check(!hasException(roundTrip(kFloat64, tens, oneNumber(9.3e24))), "tens");
}

void testFloatBits() {
  auto const all = coded(MappingKind::floatBits, {range(0, 0, 32)});
  auto coarse = coded(MappingKind::floatBits, {range(0, 0, 16)});
  coarse.shift = 16;
  for (std::uint32_t const bits : {0u, 0x80000000u, 0x7fc00001u, 0xffffffffu, 1u, 0x40000000u}) {
    check(!hasException(roundTrip(kFloat32, all, oneNumber(bits))), "all bits");
    bool const isCoarse = (bits & 0xffff) == 0;
    check(!hasException(roundTrip(kFloat32, coarse, oneNumber(bits))) == isCoarse, "a shift");
  }
  auto const wide = coded(MappingKind::floatBits, {range(0, INT64_MIN, 64)});
  for (std::uint64_t const bits : {0ull, 0x8000000000000000ull, 0xfff8dead0000beefull, ~0ull}) {
    check(!hasException(roundTrip(kFloat64, wide, oneNumber(bits))), "all bits of a double");
  }
}

void testTexts() {
  std::vector<std::uint8_t> const values = {'a', 'b', 'c'};
  auto letters = coded(MappingKind::dictionary, {range(1, 0, 2), null(1)});
  letters.dictionary = {Bytes(values).subspan(0, 1), Bytes(values).subspan(1, 2)};
  check(!hasException(roundTrip(kString, letters, oneText("bc"))), "in the dictionary");
  check(hasException(roundTrip(kString, letters, oneText("x"))), "not in the dictionary");
  auto const lz4 = block({range(0, 0, 18)}, 8);
  std::string const repeated(100'000, 'x');
  check(roundTrip(kString, lz4, oneText(repeated)).size() < 1000, "compressed");
  check(roundTrip(kString, lz4, oneText("12345678")).size() == 12, "not compressed");
  for (char const* const text : {"", "a", "1234567"}) roundTrip(kString, lz4, oneText(text));
  check(hasException(roundTrip(kString, block({range(0, 1, 3)}, {}), oneText(""))), "too short");
}

// A learned row of these bits, given as its bytes, is corrupt for this reason.
void checkCorrupt(FeatureType const& type, DeclaredCoding const& declared,
                  std::vector<std::uint8_t> body, std::string const& reason) {
  body.insert(body.begin(), 2);
  Decoded const decoded = decodeOne(decoderOf(layoutsOf(type, declared)), body);
  std::string const told = decoded.isCorrupt() ? decoded.findings.corrupt[0].reason : "nothing";
  check(told.ends_with(reason), "expected '" + reason + "', not '" + told + "'");
}

void testCorruption() {
  auto const nibble = coded(MappingKind::integer, {range(0, 0, 4)});
  auto const byte = coded(MappingKind::integer, {range(0, 0, 8)});
  auto const nine = coded(MappingKind::integer, {range(0, 0, 9)});
  checkCorrupt(kInt8, nibble, {}, "layout id, version or presence bits");
  checkCorrupt(kInt8, nine, {0x00}, "ends within the value");
  checkCorrupt(kInt8, nibble, {0x20}, "unused bit behind the last value is set");
  checkCorrupt(kInt8, nibble, {0x00, 0x00}, "bytes follow the last value");
  checkCorrupt(kInt8, nibble, {0x01}, "announced, but there is none");
  checkCorrupt(kInt8, byte, {0x00, 0x01}, "stands for no value of the type");
  checkCorrupt(kBool, nibble, {0x04}, "stands for no value of the type");
  checkCorrupt(kBool, nibble, {0x17, 0x00}, "a bool is neither 0 nor 1");
  auto shifted = coded(MappingKind::floatBits, {range(0, 0, 17)});
  shifted.shift = 16;
  checkCorrupt(kFloat32, shifted, {0x00, 0x00, 0x02}, "stands for no value of the type");
  auto const empty = coded(MappingKind::dictionary, {range(0, 0, 1)});
  checkCorrupt(kString, empty, {0x00}, "stands for no value of the type");
}

void testCorruptLists() {
  // A count of 2^17 - 1 elements that take a bit each, or none.
  checkCorrupt(kBools, packed({range(0, 0, 17)}, {range(0, 0, 1)}), {0xfe, 0xff, 0x03},
               "ends within the value");
  checkCorrupt(kBools, packed({range(0, 0, 17)}, {range(0, 0, 0)}), {0xfe, 0xff, 0x03},
               "ends within the value");
  auto const steps = packed({range(0, 0, 2)}, {range(0, 0, 8)});
  checkCorrupt(kSteps, steps, {0x02}, "is not that of the embedding");
  checkCorrupt(kSteps, steps, {0x04, 0, 0, 0, 0x04, 0, 0}, "not a positive, finite float");
  checkCorrupt(kSteps, steps, {0x04, 0, 0, 0, 0x00, 0x04, 0}, "stands for no value of the type");
  auto const list = block({range(0, 0, 3)}, {});
  checkCorrupt(kStrings, list, {0x04, 0x00, 0x00}, "not exactly one value");
  checkCorrupt(kStrings, list, {0x08}, "ends within the value");
  auto const lz4 = block({range(0, 0, 4)}, 0);
  checkCorrupt(kString, lz4, {0x20}, "not exactly one value");
  // Eight bytes of a block of none, and of one that is no block.
  checkCorrupt(kString, lz4, {0x30, 0x00}, "not exactly one value");
  checkCorrupt(kString, lz4, {0x70, 0x00, 0x00}, "not exactly one value");
}

// A text of 2^32 - 1 bytes in a block that could hold them: beyond a row's bound, and refused
// before memory is asked for.
void testHugeBlock() {
  auto const layouts = layoutsOf(kString, block({range(0, 0, 32)}, 0));
  std::size_t const blockBytes = UINT32_MAX / kLz4GainMax + 1;
  std::vector<std::uint8_t> row(1 + 9 + blockBytes);
  row[0] = 2;
  BitWriter bits(row.data() + 1);
  bits.put(0, 1);
  bits.put(UINT32_MAX, 32);
  bits.put(1, 1);
  bits.put(blockBytes, 32);
  Decoded const decoded = decodeOne(decoderOf(layouts), row);
  check(decoded.isCorrupt() && !decoded.isTooLong, "the row is corrupt, its call goes on");
  check(decoded.findings.corrupt[0].reason.ends_with("come to more than 4 MiB"), "the row's bound");
}

void testChoice() {
  RowLayout compact = {300, {}, CompactVersion{1000, 10, 1, 7}, nullptr};
  std::vector<SharedLayout> const layouts = {share(compact), share({2, {}, {}, {}})};
  std::int64_t const eventTimesUs[] = {1000, 3550, 3560, 999, 1005, -INT64_MAX, INT64_MAX};
  ProblemList problems(7, 1);
  EncodedRows const rows = encodeRows(layouts, {{}, eventTimesUs, 7}, kLimits, problems);
  std::vector<std::uint32_t> const expected = {0, 3, 6, 23, 40, 57, 74, 91};
  check(rows.offsets == expected, "rows whose version fits are compact");
  check(encodeRows(layouts, {{}, eventTimesUs, 8}, kLimits, problems).offsets[1] == 17,
        "another sequence does not fit");
  Decoded const decoded = decode(decoderOf(layouts), rows.bytes, rows.offsets, everyRow(rows));
  for (std::size_t row = 0; row < 7; row++) {
    check(loadLittle<std::int64_t>(&decoded.fixed[8 * row]) == eventTimesUs[row], "event times");
  }
}

}  // namespace

int main() {
  testIntegers();
  testDecimals();
  testFloatBits();
  testTexts();
  testCorruption();
  testCorruptLists();
  testHugeBlock();
  testChoice();
  std::puts("codec_learned_test: ok");
}
