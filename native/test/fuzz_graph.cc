// Mutates the words of a program that has one of every op; what is taken, runs. Run under
// sanitizers.
//
// Usage: fuzz_graph [RUNS [SEED]]. Deterministic: the same seed gives the same inputs.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "graph_example.h"

using namespace larder::graph;
using namespace larder::graph::test;

namespace {

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t bound) { return random() % bound; }

std::uint32_t word(Random& random) {
  switch (below(random, 4)) {
    case 0:
      return static_cast<std::uint32_t>(random());
    case 1:
      return 0xffffffff - static_cast<std::uint32_t>(below(random, 3));
    default:
      return static_cast<std::uint32_t>(below(random, 9));
  }
}

std::vector<std::uint32_t> mutate(Random& random, std::vector<std::uint32_t> words) {
  for (std::size_t edits = 1 + below(random, 3); edits > 0; --edits) {
    std::size_t const at = below(random, words.size());
    switch (below(random, 6)) {
      case 0:
        words.resize(at + 1);
        break;
      case 1:
        words.insert(words.begin() + static_cast<std::ptrdiff_t>(at), word(random));
        break;
      default:
        words[at] = word(random);
    }
  }
  return words;
}

// Columns of exactly the sizes that the program asks for, so that any step beyond them is met.
void runSomething(Program const& program, Random& random) {
  std::size_t const rowCount = 1 + below(random, 140);
  std::size_t cellCount = 0;
  for (ColumnShape const& shape : program.columns) cellCount += shape.dim * rowCount;
  if (cellCount > 1 << 20) return;
  std::vector<std::vector<double>> values(program.columns.size());
  std::vector<std::vector<std::uint32_t>> lengths(program.columns.size());
  std::vector<Column> columns(program.columns.size());
  double const inf = std::numeric_limits<double>::infinity();
  double const numbers[] = {NAN, 0, 1, 2, -1, inf, -inf, 1e300, 0.5};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    ColumnShape const& shape = program.columns[i];
    columns[i].isBroadcast = below(random, 3) == 0;
    std::size_t const rows = columns[i].isBroadcast ? 1 : rowCount;
    std::size_t count = shape.kind == ColumnKind::vector ? rows * shape.dim : rows;
    if (shape.kind == ColumnKind::list) {
      count = 0;
      for (std::size_t row = 0; row < rows; ++row) {
        lengths[i].push_back(
            static_cast<std::uint32_t>(below(random, below(random, 40) == 0 ? 300 : 4)));
        count += lengths[i].back();
      }
    }
    if (shape.kind == ColumnKind::output) count = rowCount;
    for (std::size_t k = 0; k < count; ++k) values[i].push_back(numbers[below(random, 9)]);
    columns[i].values = static_cast<double const*>(values[i].data());
    columns[i].lengths = lengths[i].data();
    columns[i].valueCount = count;
    columns[i].output = values[i].data();
  }
  run(program, columns, rowCount);
}

}  // namespace

int main(int argc, char** argv) {
  long const runs = argc > 1 ? std::atol(argv[1]) : 10'000;
  Random random(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
  auto const whole = everyOp();
  long acceptedCount = 0;
  for (long run = 0; run < runs; ++run) {
    auto const words = run == 0 ? whole : mutate(random, whole);
    auto const parsed = parseProgram(words, kConstants);
    auto const* const program = std::get_if<Program>(&parsed);
    if (program == nullptr) continue;
    ++acceptedCount;
    runSomething(*program, random);
  }
  check(acceptedCount > 0, "some programs are taken");
  std::printf("fuzz_graph: %ld runs, %ld accepted: ok\n", runs, acceptedCount);
}
