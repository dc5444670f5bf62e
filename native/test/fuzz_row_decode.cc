// Damaged rows through the decoder, plain ones and those of learned layouts: never a read outside
// the row. Rows that are not damaged decode to the same columns whatever their layout. That the
// decoder also agrees with the plain reference is tested in test/codec.test.ts.
//
//   fuzz_row_decode [RUNS [SEED]]
#include "learned_example.h"

using namespace larder::codec;
using namespace larder::codec::test;

namespace {

constexpr std::size_t kRowCount = 16;
// A new profile, and new rows, after so many damaged ones.
constexpr long kRunsPerLayout = 64;

std::vector<std::uint8_t> mutate(std::vector<std::uint8_t> mutated, Random& random) {
  for (std::size_t left = 1 + random.below(3); left > 0; left--) {
    auto const offset = static_cast<std::ptrdiff_t>(random.below(mutated.size() + 1));
    auto const at = mutated.begin() + offset;
    bool const isInside = at != mutated.end();
    switch (random.below(4)) {
      case 0:
        mutated.erase(at, mutated.end());
        break;
      case 1:
        mutated.insert(at, static_cast<std::uint8_t>(random.next()));
        break;
      case 2:
        if (isInside) mutated.erase(at);
        break;
      default:
        if (isInside) *at = static_cast<std::uint8_t>(*at ^ (1u << random.below(8)));
    }
  }
  return mutated;
}

// A layout, and a few rows of it.
struct Sample {
  RowDecoder decoder;
  EncodedRows rows;
};

Sample makeSample(Random& random) {
  SharedLayout const plain = share(everyTypeLayout(300));
  SharedLayout const learned = randomLearnedLayout(2, random);
  std::vector<SharedLayout> const layouts = {learned, plain};
  RowDecoder decoder = decoderOf(layouts);
  // The same columns twice, once in each layout.
  std::uint64_t const seed = random.next();
  Random same(seed);
  Random again(seed);
  EncodedRows rows = randomRows(layouts, kRowCount, same);
  EncodedRows const plainRows = randomRows({plain}, kRowCount, again);
  std::vector<std::uint32_t> const outputs = everyRow(rows);
  Decoded const decoded = decode(decoder, rows.bytes, rows.offsets, outputs);
  Decoded const expected = decode(decoder, plainRows.bytes, plainRows.offsets, outputs);
  check(!decoded.isCorrupt(), decoded.isCorrupt() ? decoded.findings.corrupt[0].reason : "");
  check(decoded.fixed == expected.fixed, "learned rows decode to the same fixed parts");
  check(decoded.varying == expected.varying, "learned rows decode to the same varying parts");
  return {std::move(decoder), random.below(4) == 0 ? plainRows : std::move(rows)};
}

// A corrupt row leaves nothing but the status of its cells.
void checkNoTrace(RowDecoder const& decoder, Decoded const& decoded) {
  std::size_t const statusesBegin = decoded.fixed.size() - decoder.wanted().size();
  for (std::size_t at = 0; at < statusesBegin; at++) check(decoded.fixed[at] == 0, "no value");
  for (std::size_t at = statusesBegin; at < decoded.fixed.size(); at++) {
    check(decoded.fixed[at] == static_cast<std::uint8_t>(CellStatus::unavailable), "UNAVAILABLE");
  }
  check(decoded.varying.empty(), "nothing varying");
}

}  // namespace

int main(int argc, char** argv) {
  long const runs = argc > 1 ? std::atol(argv[1]) : 10'000;
  Random random(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
  Judge const judge = {2'000'000, 1'500'000, INT64_MAX, true};
  long intactCount = 0;
  Sample sample = makeSample(random);
  for (long run = 1; run <= runs; run++) {
    if (run % kRunsPerLayout == 0) sample = makeSample(random);
    auto const row = mutate(rowAt(sample.rows, random.below(kRowCount)), random);
    Decoded const decoded = decodeOne(sample.decoder, row, judge);
    if (decoded.isCorrupt()) {
      checkNoTrace(sample.decoder, decoded);
    } else {
      intactCount++;
    }
  }
  std::printf("fuzz_row_decode: %ld runs, %ld not corrupt: ok\n", runs, intactCount);
}
