// Damaged rows through the decoder, plain ones and those of learned layouts: never a read outside
// the row. Rows that are not damaged decode to the same columns whatever their layout, and rows
// that are decoded together to what each is by itself. That the decoder also agrees with the plain
// reference is tested in test/codec.test.ts.
//
//   fuzz_row_decode [RUNS [SEED]]
#include "learned_example.h"

using namespace larder::codec;
using namespace larder::codec::test;

namespace {

constexpr std::size_t kRowCount = 16;
// A new profile, and new rows, after so many damaged ones.
constexpr long kRunsPerLayout = 64;
// Rows are decoded together once in so many runs.
constexpr long kRunsPerBatch = 5;

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

// The fixed parts of one of `rowCount` rows, and of each column what varies of all rows.
struct Parts {
  std::vector<std::uint8_t> fixed;
  std::vector<std::vector<std::uint8_t>> varying;
};

Parts partsOf(RowDecoder const& decoder, Decoded const& decoded, std::size_t row,
              std::size_t rowCount) {
  std::vector<std::size_t> cellBytes = {8};
  for (std::size_t const bytes : {8, 4}) {
    for (WantedFeature const& feature : decoder.wanted()) {
      if (columnCellBytes(columnClassOf(feature.type)) == bytes) cellBytes.push_back(bytes);
    }
  }
  cellBytes.resize(cellBytes.size() + decoder.wanted().size(), 1);
  Parts parts;
  std::uint8_t const* cells = decoded.fixed.data();
  for (std::size_t part = 0; part < 2 * decoder.wanted().size(); part++, cells += 8) {
    auto const begin = decoded.varying.begin() + loadLittle<std::uint32_t>(cells);
    auto const end = decoded.varying.begin() + loadLittle<std::uint32_t>(cells + 4);
    parts.varying.emplace_back(begin, end);
  }
  for (std::size_t const bytes : cellBytes) {
    parts.fixed.insert(parts.fixed.end(), cells + row * bytes, cells + (row + 1) * bytes);
    cells += rowCount * bytes;
  }
  return parts;
}

// Rows of which some are damaged, decoded together and one by one.
void checkTogether(Sample const& sample, Judge const& judge, Random& random) {
  EncodedRows rows = {{}, {0}};
  for (std::size_t row = 0; row < kRowCount; row++) {
    auto bytes = rowAt(sample.rows, row);
    if (random.below(kRowCount) == 0) bytes = mutate(std::move(bytes), random);
    rows.bytes.insert(rows.bytes.end(), bytes.begin(), bytes.end());
    rows.offsets.push_back(static_cast<std::uint32_t>(rows.bytes.size()));
  }
  Decoded const together = decode(sample.decoder, rows.bytes, rows.offsets, everyRow(rows), judge);
  std::size_t corruptCount = 0;
  std::vector<std::vector<std::uint8_t>> varying(2 * sample.decoder.wanted().size());
  for (std::size_t row = 0; row < kRowCount; row++) {
    Decoded const alone = decodeOne(sample.decoder, rowAt(rows, row), judge);
    Parts const parts = partsOf(sample.decoder, alone, 0, 1);
    check(parts.fixed == partsOf(sample.decoder, together, row, kRowCount).fixed, "same cells");
    for (std::size_t part = 0; part < varying.size(); part++) {
      auto const& more = parts.varying[part];
      varying[part].insert(varying[part].end(), more.begin(), more.end());
    }
    if (!alone.isCorrupt()) continue;
    check(corruptCount < together.findings.corrupt.size(), "as many corrupt rows");
    CorruptSlot const& corrupt = together.findings.corrupt[corruptCount++];
    check(corrupt.slot == row && corrupt.reason == alone.findings.corrupt[0].reason, "same fault");
  }
  check(corruptCount == together.findings.corrupt.size(), "as many corrupt rows");
  check(varying == partsOf(sample.decoder, together, 0, kRowCount).varying, "same varying parts");
}

}  // namespace

int main(int argc, char** argv) {
  long const runs = argc > 1 ? std::atol(argv[1]) : 10'000;
  Random random(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
  Judge const judge = {2'000'000, 1'500'000, INT64_MAX, true};
  // Stale rows are not to be seen.
  Judge const strict = {2'000'000, 1'500'000, INT64_MAX, false};
  long intactCount = 0;
  Sample sample = makeSample(random);
  for (long run = 1; run <= runs; run++) {
    if (run % kRunsPerLayout == 0) sample = makeSample(random);
    if (run % kRunsPerBatch == 0) checkTogether(sample, run % 2 == 0 ? judge : strict, random);
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
