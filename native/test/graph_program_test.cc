// Programs: what is refused and where, and that block borders and broadcasting change nothing. What
// ops compute is compared with a plain evaluator in test/composite-ops.test.ts.
#include <array>
#include <cmath>
#include <span>

#include "graph/list_ops.h"
#include "graph_example.h"

using namespace larder::graph;
using namespace larder::graph::test;

namespace {

std::string problemOf(std::vector<std::uint32_t> const& words,
                      std::vector<double> const& constants = kConstants) {
  auto const parsed = parseProgram(words, constants);
  auto const* const problem = std::get_if<std::string>(&parsed);
  return problem == nullptr ? "" : *problem;
}

void refuses(Words const& words, std::string const& expected) {
  std::string const problem = problemOf(words.words());
  check(problem == expected, "expected '" + expected + "', got '" + problem + "'");
}

Words start() { return Words(2, 4, kColumns); }

void testRefusals() {
  check(problemOf(everyOp()).empty(), "one of every op is taken: " + problemOf(everyOp()));
  check(problemOf({}) == "no header", "an empty program");
  check(problemOf({6, 6, 0}) == "too few constants", "more constant registers than constants");
  check(problemOf({2, 1, 0}) == "too few registers", "fewer registers than constants");
  check(problemOf({0, 1u << 31, 0}) == "too many registers", "absurd registers");
  check(problemOf({0, 0, 5}) == "columns are cut", "cut columns");
  check(problemOf({0, 0, 0xffffffff}) == "too many columns", "absurd columns");
  check(problemOf({0, 0, 1, 5, 0}) == "no such column kind", "a column kind");
  check(problemOf({0, 0, 1, 1, 0}) == "a wrong dimension", "a vector of none");
  check(problemOf({0, 0, 1, 0, 3}) == "a wrong dimension", "a number with a dimension");
  check(problemOf({0, 0, 1, 4, 40000}) == "too many scratch cells", "scratch");
  check(problemOf({0, 0, 0, 0}) == "cut words in instruction 0", "a lone op");
  check(problemOf({0, 0, 0, kOpCount, 0}) == "no such op in instruction 0", "an op");
  check(problemOf({0, 0, 0, 0, 9}) == "cut operands in instruction 0", "cut operands");
  refuses(start().add(Op::load, {2}), "wrong arity in instruction 0");
  refuses(start().add(Op::load, {1, 0}), "operand 0 is wrong in instruction 0");
  refuses(start().add(Op::load, {4, 0}), "operand 0 is wrong in instruction 0");
  refuses(start().add(Op::load, {2, 4}), "operand 1 is wrong in instruction 0");
  refuses(start().add(Op::load, {2, 8}), "operand 1 is wrong in instruction 0");
  refuses(start().add(Op::negate, {2, 2}), "operand 1 is wrong in instruction 0");
  refuses(start().add(Op::load, {2, 0}).add(Op::add, {2, 2, 3}),
          "operand 2 is wrong in instruction 1");
  refuses(start().add(Op::store, {5, 0}), "operand 0 is wrong in instruction 0");
  refuses(start().add(Op::bucketize, {2, 0, 3, 3}), "operand 2 is wrong in instruction 0");
  refuses(start().add(Op::bucketize, {2, 0, 0xffffffff, 2}), "operand 2 is wrong in instruction 0");
  refuses(start().add(Op::lookup, {2, 0, 2, 3}), "operand 2 is wrong in instruction 0");
  refuses(start().add(Op::lookup, {2, 0, 0, 0xffffffff}), "operand 2 is wrong in instruction 0");
  refuses(start().add(Op::weighVector, {2, 0, 2, 3}), "operand 3 is wrong in instruction 0");
  refuses(start().add(Op::dot, {2, 2, 7}), "operand 2 is wrong in instruction 0");
  refuses(start().add(Op::oneHot, {2, 0}), "operand 0 is wrong in instruction 0");
  refuses(start().add(Op::size, {2, 2}), "operand 1 is wrong in instruction 0");
  refuses(start().add(Op::countMatchesAt, {2, 0, 4}), "wrong arity in instruction 0");
  refuses(start().add(Op::itemAt, {2, 0, 4, 5}), "wrong arity in instruction 0");
  std::vector<ColumnShape> shapes = kColumns;
  shapes[3].dim = 4;
  refuses(Words(2, 4, shapes).add(Op::cosine, {2, 2, 3}), "operand 2 is wrong in instruction 0");
}

struct Inputs {
  std::vector<double> numbers;
  std::vector<float> vectors;
  std::vector<double> items;
  std::vector<std::uint32_t> lengths;
};

Inputs manyRows(std::size_t rowCount) {
  Inputs inputs;
  for (std::size_t row = 0; row < rowCount; ++row) {
    inputs.numbers.push_back(row % 11 == 3 ? NAN : static_cast<double>(row % 5));
    for (std::size_t i = 0; i < 3; ++i) {
      inputs.vectors.push_back(static_cast<float>((row * 3 + i) % 7) - 2.5f);
    }
    inputs.lengths.push_back(static_cast<std::uint32_t>(row % 4));
    for (std::size_t i = 0; i < row % 4; ++i) {
      inputs.items.push_back(static_cast<double>((row + i) % 6));
    }
  }
  return inputs;
}

// Rows [begin, end) of the inputs; the second of each pair of columns is broadcast.
std::vector<double> outputsOf(Program const& program, Inputs const& inputs, std::size_t begin,
                              std::size_t end) {
  static double const number = 1.5;
  static std::array<float, 3> const vector = {1, -2, 0.5f};
  static std::array<double, 4> const items = {1, 2, 2, 5};
  static std::uint32_t const length = 4;
  std::size_t firstItem = 0;
  for (std::size_t row = 0; row < begin; ++row) firstItem += inputs.lengths[row];
  std::size_t itemCount = 0;
  for (std::size_t row = begin; row < end; ++row) itemCount += inputs.lengths[row];
  std::vector<double> output(end - begin);
  std::vector<Column> columns(kColumns.size());
  columns[0].values = inputs.numbers.data() + begin;
  columns[1] = {&number, true, nullptr, 0, nullptr};
  columns[2].values = inputs.vectors.data() + begin * 3;
  columns[3] = {vector.data(), true, nullptr, 0, nullptr};
  columns[4] = {inputs.items.data() + firstItem, false, inputs.lengths.data() + begin, itemCount,
                nullptr};
  columns[5] = {items.data(), true, &length, items.size(), nullptr};
  columns[6].output = output.data();
  run(program, columns, end - begin);
  return output;
}

void testRowCounts() {
  auto const parsed = parseProgram(everyOp(), kConstants);
  Program const& program = std::get<Program>(parsed);
  std::size_t const rowsMax = 2 * kBlockRows + 3;
  Inputs const inputs = manyRows(rowsMax);
  auto const whole = outputsOf(program, inputs, 0, rowsMax);
  for (std::size_t row = 0; row < rowsMax; ++row) {
    auto const alone = outputsOf(program, inputs, row, row + 1);
    check(whole[row] == alone[0] || (std::isnan(whole[row]) && std::isnan(alone[0])),
          "row " + std::to_string(row) + " alone is as it is among others");
  }
  auto const later = outputsOf(program, inputs, 5, rowsMax);
  check(std::isnan(whole[5]) == std::isnan(later[0]), "rows from the sixth on");
  check(outputsOf(program, inputs, 0, 0).empty(), "no rows are no work");
}

// The same counts whatever the lengths: compared, hashed and sorted, also where all values collide.
void testListSets() {
  for (std::size_t const count : {0, 1, 3, 16, 200, 256, 257, 1000}) {
    std::vector<double> a;
    std::vector<double> b;
    for (std::size_t i = 0; i < count; ++i) {
      // Values whose hashes begin alike.
      a.push_back(std::ldexp(1.0, static_cast<int>(i % 900) - 450));
      if (i % 2 == 0) b.push_back(a.back());
      if (i % 5 == 0) b.push_back(NAN);
    }
    std::size_t expected = 0;
    for (double const x : a) expected += holds(b, x) ? 1 : 0;
    MatchCounter counter;
    check(counter.count(a, b, false) == expected, "matches of " + std::to_string(count));
    check(counter.count(a, b, false) == expected, "the same again");
    check(MatchCounter().count(a, b, true) == expected, "with a set from the first call on");
    ListSet set;
    std::size_t const distinct = std::min<std::size_t>(count, 900);
    check(distinctCountOf(a, set) == distinct, "distinct of " + std::to_string(count));
    check(set.distinctCount() == distinct, "distinct in the set");
  }
}

}  // namespace

int main() {
  testRefusals();
  testRowCounts();
  testListSets();
  std::puts("graph_program_test: ok");
}
