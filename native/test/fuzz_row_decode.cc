// Damaged rows through the decoder, alone: never a read outside the row. That it also agrees with
// the plain reference is tested in test/codec.test.ts.
//
//   fuzz_row_decode [RUNS [SEED]]
#include "codec/column_gather.h"
#include "codec_example.h"

using namespace larder::codec;
using namespace larder::codec::test;

namespace {

constexpr std::size_t kRowCount = 64;

std::vector<std::uint8_t> mutate(Bytes row, Random& random) {
  std::vector<std::uint8_t> mutated(row.begin(), row.end());
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

// All columns of one row, into memory of exactly the sizes that were asked for.
void gatherRow(RowDecoder const& decoder, FoundCells const& found, Bytes row) {
  ColumnGatherer const gatherer(decoder, found, row, true);
  std::size_t const columnCount = decoder.wanted().size();
  std::vector<std::uint8_t> memory(8 + 9 * columnCount);
  std::vector<std::uint32_t> valueOffsets;
  std::vector<std::uint32_t> statusOffsets;
  for (std::size_t index = 0; index < columnCount; index++) {
    valueOffsets.push_back(static_cast<std::uint32_t>(8 + 8 * index));
    statusOffsets.push_back(static_cast<std::uint32_t>(8 + 8 * columnCount + index));
  }
  auto const parts = gatherer.gatherFixed({memory.data(), 0, valueOffsets, statusOffsets});
  for (std::size_t index = 0; index < columnCount; index++) {
    std::vector<std::uint8_t> elements(parts[index].elementBytes);
    std::vector<std::uint8_t> data(parts[index].dataBytes);
    gatherer.gatherVarying(index, elements.data(), data.data());
  }
}

}  // namespace

int main(int argc, char** argv) {
  long const runs = argc > 1 ? std::atol(argv[1]) : 10'000;
  Random random(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
  RowLayout const layout = everyTypeLayout(300);
  RowDecoder const decoder = decoderOf(layout);
  EncodedRows const rows = randomRows(layout, kRowCount, random);
  long intactCount = 0;
  for (long run = 0; run < runs; run++) {
    std::size_t const base = random.below(kRowCount);
    std::size_t const byteCount = rows.offsets[base + 1] - rows.offsets[base];
    auto const row = mutate(Bytes(rows.bytes).subspan(rows.offsets[base], byteCount), random);
    std::uint32_t const starts[] = {0};
    std::uint32_t const lengths[] = {static_cast<std::uint32_t>(row.size())};
    std::uint8_t const states[] = {static_cast<std::uint8_t>(SlotState::row)};
    std::uint32_t const outputs[] = {0};
    Judge const judge = {2'000'000, 1'500'000, INT64_MAX};
    FoundCells const found = findCells(decoder, {row, starts, lengths, states}, judge, outputs);
    gatherRow(decoder, found, row);
    if (found.corrupt.empty()) intactCount++;
  }
  std::printf("fuzz_row_decode: %ld runs, %ld not corrupt: ok\n", runs, intactCount);
}
