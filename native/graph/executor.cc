#include "graph/executor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "graph/list_ops.h"
#include "graph/number_ops.h"
#include "graph/vector_ops.h"

namespace larder::graph {

namespace {

// The lists of one block's rows, as f64.
struct ListBlock {
  double const* values = nullptr;
  // Of each row's elements in `values`, and the end of the last's.
  std::vector<std::size_t> starts;
  bool isBroadcast = false;
  // Where the next block's elements begin.
  std::size_t next = 0;
  std::vector<double> widened;

  List at(std::size_t row) const {
    std::size_t const i = isBroadcast ? 0 : row;
    return {values + starts[i], starts[i + 1] - starts[i]};
  }
};

// A vector operand: `stride` elements from row to row, 0 where one stands for all.
template <typename T>
struct Vectors {
  T const* values;
  std::size_t stride;

  T const* at(std::size_t row) const { return values + row * stride; }
};

class Run {
 public:
  Run(Program const& program, std::span<Column const> columns)
      : program_(program),
        columns_(columns),
        registers_(program.registerCount),
        lists_(columns.size()),
        scratch_(columns.size()),
        counters_(program.instructions.size()) {
    std::size_t const written = program.registerCount - program.constantCount;
    // Not cleared: the program writes a register before it reads it.
    storage_.reset(new double[written * kBlockRows]);
    for (std::uint32_t i = 0; i < program.registerCount; ++i) {
      if (i < program.constantCount) registers_[i] = {&program.constants[i], true};
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (program.columns[i].kind == ColumnKind::list) beginList(i);
      if (program.columns[i].kind == ColumnKind::scratch) {
        scratch_[i].cells.resize(program.columns[i].dim * kBlockRows);
      }
    }
  }

  void block(std::size_t begin, std::size_t count) {
    begin_ = begin;
    count_ = count;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (program_.columns[i].kind == ColumnKind::list) takeLists(i);
    }
    for (std::size_t i = 0; i < program_.instructions.size(); ++i) step(i);
  }

 private:
  struct Scratch {
    std::vector<double> cells;
    bool isUniform = false;
  };
  struct Counters {
    MatchCounter matches;
    ListSet set;
  };
  using Operands = std::span<std::uint32_t const>;

  // A broadcast list is taken once, for all blocks.
  void beginList(std::size_t index) {
    Column const& column = columns_[index];
    ListBlock& list = lists_[index];
    list.isBroadcast = column.isBroadcast;
    list.starts.assign(kBlockRows + 1, 0);
    if (list.isBroadcast) takeElements(index, 0, column.valueCount, 1);
  }

  void takeLists(std::size_t index) {
    ListBlock& list = lists_[index];
    if (list.isBroadcast) return;
    std::uint32_t const* const lengths = columns_[index].lengths + begin_;
    std::size_t elementCount = 0;
    for (std::size_t row = 0; row < count_; ++row) elementCount += lengths[row];
    takeElements(index, list.next, elementCount, count_);
    list.next += elementCount;
  }

  void takeElements(std::size_t index, std::size_t begin, std::size_t elementCount,
                    std::size_t rowCount) {
    Column const& column = columns_[index];
    ListBlock& list = lists_[index];
    std::uint32_t const* const lengths = column.lengths + (list.isBroadcast ? 0 : begin_);
    for (std::size_t row = 0; row < rowCount; ++row) {
      list.starts[row + 1] = list.starts[row] + lengths[row];
    }
    if (auto const* const doubles = std::get_if<double const*>(&column.values)) {
      list.values = *doubles + begin;
      return;
    }
    float const* const floats = std::get<float const*>(column.values) + begin;
    list.widened.assign(floats, floats + elementCount);
    list.values = list.widened.data();
  }

  // A register to write `isUniform ? 1 : count_` numbers to.
  double* open(std::uint32_t index, bool isUniform) {
    double* const values =
        storage_.get() + (std::size_t{index} - program_.constantCount) * kBlockRows;
    registers_[index] = {values, isUniform};
    return values;
  }

  std::size_t rowsOf(bool isUniform) const { return isUniform ? 1 : count_; }

  void load(std::uint32_t target, std::size_t index) {
    Column const& column = columns_[index];
    double* const out = open(target, column.isBroadcast);
    std::size_t const begin = column.isBroadcast ? 0 : begin_;
    std::visit(
        [&](auto const* values) { std::copy_n(values + begin, rowsOf(column.isBroadcast), out); },
        column.values);
  }

  void store(std::size_t index, std::uint32_t source) {
    Numbers const from = registers_[source];
    double* const out = columns_[index].output + begin_;
    if (from.isUniform) {
      std::fill_n(out, count_, from.values[0]);
    } else {
      std::copy_n(from.values, count_, out);
    }
  }

  template <typename F>
  void unary(Operands operands, F f) {
    Numbers const a = registers_[operands[1]];
    mapNumbers(a, rowsOf(a.isUniform), open(operands[0], a.isUniform), f);
  }

  // In place is safe: each number is read before it is written, and a uniform one first of all.
  template <typename F>
  void binary(Operands operands, F f) {
    Numbers const a = registers_[operands[1]];
    Numbers const b = registers_[operands[2]];
    bool const isUniform = a.isUniform && b.isUniform;
    mapNumbers(a, b, rowsOf(isUniform), open(operands[0], isUniform), f);
  }

  void select(Operands operands) {
    Numbers const condition = registers_[operands[1]];
    Numbers const then = registers_[operands[2]];
    Numbers const otherwise = registers_[operands[3]];
    bool const isUniform = condition.isUniform && then.isUniform && otherwise.isUniform;
    each(operands[0], isUniform, [&](std::size_t row) {
      return isTrue(at(condition, row)) ? at(then, row) : at(otherwise, row);
    });
  }

  // Writes f(row) for each row, after the last of them was read: f may read the register written.
  template <typename F>
  void each(std::uint32_t target, bool isUniform, F f) {
    std::size_t const rows = rowsOf(isUniform);
    std::array<double, kBlockRows> values;
    for (std::size_t row = 0; row < rows; ++row) values[row] = f(row);
    std::copy_n(values.data(), rows, open(target, isUniform));
  }

  template <typename F>
  void withVectors(std::size_t index, F f) const {
    std::size_t const dim = program_.columns[index].dim;
    if (program_.columns[index].kind == ColumnKind::scratch) {
      Scratch const& scratch = scratch_[index];
      f(Vectors<double>{scratch.cells.data(), scratch.isUniform ? 0 : dim});
      return;
    }
    Column const& column = columns_[index];
    std::size_t const stride = column.isBroadcast ? 0 : dim;
    std::visit(
        [&](auto const* values) {
          using Element = std::remove_const_t<std::remove_pointer_t<decltype(values)>>;
          f(Vectors<Element>{values + begin_ * stride, stride});
        },
        column.values);
  }

  void weighVector(Operands operands) {
    Numbers const sum = registers_[operands[1]];
    std::size_t const dim = program_.columns[operands[2]].dim;
    double const* const weights = program_.constants.data() + operands[3];
    withVectors(operands[2], [&](auto vectors) {
      bool const isUniform = sum.isUniform && vectors.stride == 0;
      each(operands[0], isUniform,
           [&](std::size_t row) { return at(sum, row) + dotOf(weights, vectors.at(row), dim); });
    });
  }

  void oneHot(Operands operands) {
    std::size_t const dim = program_.columns[operands[0]].dim;
    Scratch& scratch = scratch_[operands[0]];
    Numbers const from = registers_[operands[1]];
    scratch.isUniform = from.isUniform;
    std::size_t const rows = rowsOf(from.isUniform);
    std::fill_n(scratch.cells.data(), rows * dim, 0.0);
    for (std::size_t row = 0; row < rows; ++row) {
      double const x = from.values[row];
      if (isIndex(x, dim)) scratch.cells[row * dim + static_cast<std::size_t>(x)] = 1;
    }
  }

  void dot(Operands operands) {
    std::size_t const dim = program_.columns[operands[1]].dim;
    withVectors(operands[1], [&](auto a) {
      withVectors(operands[2], [&](auto b) {
        each(operands[0], a.stride == 0 && b.stride == 0,
             [&](std::size_t row) { return dotOf(a.at(row), b.at(row), dim); });
      });
    });
  }

  void cosine(Operands operands) {
    std::size_t const dim = program_.columns[operands[1]].dim;
    withVectors(operands[1], [&](auto a) {
      withVectors(operands[2], [&](auto b) {
        double const firstNormA = normOf(a.at(0), dim);
        double const firstNormB = normOf(b.at(0), dim);
        each(operands[0], a.stride == 0 && b.stride == 0, [&](std::size_t row) {
          double const normA = a.stride == 0 ? firstNormA : normOf(a.at(row), dim);
          double const normB = b.stride == 0 ? firstNormB : normOf(b.at(row), dim);
          return dotOf(a.at(row), b.at(row), dim) / (normA * normB);
        });
      });
    });
  }

  void size(Operands operands) {
    ListBlock const& list = lists_[operands[1]];
    each(operands[0], list.isBroadcast,
         [&](std::size_t row) { return static_cast<double>(list.at(row).size()); });
  }

  void sizeUnique(Operands operands, Counters& counters) {
    ListBlock const& list = lists_[operands[1]];
    each(operands[0], list.isBroadcast, [&](std::size_t row) {
      return static_cast<double>(distinctCountOf(list.at(row), counters.set));
    });
  }

  void countMatches(Operands operands, Counters& counters, bool isUnique) {
    ListBlock const& a = lists_[operands[1]];
    ListBlock const& b = lists_[operands[2]];
    MatchCounter& matches = counters.matches;
    each(operands[0], a.isBroadcast && b.isBroadcast, [&](std::size_t row) {
      auto const [from, in] = std::pair(a.at(row), b.at(row));
      return static_cast<double>(isUnique ? matches.countUnique(from, in, b.isBroadcast)
                                          : matches.count(from, in, b.isBroadcast));
    });
  }

  void countMatchesAt(Operands operands, bool isUnique) {
    Numbers const index = registers_[operands[1]];
    ListBlock const& list = lists_[operands[2]];
    Operands const others = operands.subspan(3);
    bool isUniform = index.isUniform && list.isBroadcast;
    for (std::uint32_t const other : others) isUniform = isUniform && lists_[other].isBroadcast;
    each(operands[0], isUniform, [&](std::size_t row) {
      List const items = list.at(row);
      double const x = at(index, row);
      if (!isIndex(x, items.size())) return 0.0;
      double const value = items[static_cast<std::size_t>(x)];
      std::size_t matches = 0;
      for (std::uint32_t const other : others) {
        List const in = lists_[other].at(row);
        matches += isUnique ? std::size_t{holds(in, value)} : countOf(in, value);
      }
      return static_cast<double>(matches);
    });
  }

  void itemAt(Operands operands) {
    Numbers const index = registers_[operands[1]];
    ListBlock const& list = lists_[operands[2]];
    each(operands[0], index.isUniform && list.isBroadcast, [&](std::size_t row) {
      List const items = list.at(row);
      double const x = at(index, row);
      return isIndex(x, items.size()) ? items[static_cast<std::size_t>(x)] : kMissing;
    });
  }

  std::span<double const> table(std::uint32_t begin, std::size_t count) const {
    return std::span(program_.constants).subspan(begin, count);
  }

  void step(std::size_t index) {
    Instruction const& instruction = program_.instructions[index];
    Operands const operands = program_.operandsOf(instruction);
    switch (instruction.op) {
      case Op::load:
        return load(operands[0], operands[1]);
      case Op::store:
        return store(operands[0], operands[1]);
      case Op::select:
        return select(operands);
      case Op::weigh: {
        double const weight = program_.constants[operands[3]];
        return binary(operands, [weight](double sum, double x) { return sum + weight * x; });
      }
      case Op::bucketize:
        return unary(operands, [boundaries = table(operands[2], operands[3])](double x) {
          return bucketOf(x, boundaries);
        });
      case Op::lookup:
        return unary(operands, [entries = table(operands[2], operands[3] + std::size_t{1})](
                                   double x) { return entryOf(x, entries); });
      case Op::weighVector:
        return weighVector(operands);
      case Op::oneHot:
        return oneHot(operands);
      case Op::dot:
        return dot(operands);
      case Op::cosine:
        return cosine(operands);
      case Op::size:
        return size(operands);
      case Op::sizeUnique:
        return sizeUnique(operands, counters_[index]);
      case Op::countMatches:
        return countMatches(operands, counters_[index], false);
      case Op::countMatchesUnique:
        return countMatches(operands, counters_[index], true);
      case Op::countMatchesAt:
        return countMatchesAt(operands, false);
      case Op::countMatchesAtUnique:
        return countMatchesAt(operands, true);
      case Op::itemAt:
        return itemAt(operands);
      default:
        return numberStep(instruction.op, operands);
    }
  }

  // Ops on one or two numbers.
  void numberStep(Op op, Operands operands) {
    switch (op) {
      case Op::negate:
        return unary(operands, [](double x) { return -x; });
      case Op::abs:
        return unary(operands, [](double x) { return std::fabs(x); });
      case Op::exp:
        return unary(operands, [](double x) { return std::exp(x); });
      case Op::log:
        return unary(operands, [](double x) { return std::log(x); });
      case Op::sigmoid:
        return unary(operands, sigmoidOf);
      case Op::logicalNot:
        return unary(operands, [](double x) { return flag(!isTrue(x)); });
      case Op::isMissing:
        return unary(operands, [](double x) { return flag(x != x); });
      case Op::add:
        return binary(operands, [](double x, double y) { return x + y; });
      case Op::subtract:
        return binary(operands, [](double x, double y) { return x - y; });
      case Op::multiply:
        return binary(operands, [](double x, double y) { return x * y; });
      case Op::divide:
        return binary(operands, [](double x, double y) { return x / y; });
      case Op::min:
        return binary(operands, minOf);
      case Op::max:
        return binary(operands, maxOf);
      case Op::equal:
        return binary(operands, [](double x, double y) { return flag(x == y); });
      case Op::notEqual:
        return binary(operands, [](double x, double y) { return flag(x != y); });
      case Op::less:
        return binary(operands, [](double x, double y) { return flag(x < y); });
      case Op::lessOrEqual:
        return binary(operands, [](double x, double y) { return flag(x <= y); });
      case Op::greater:
        return binary(operands, [](double x, double y) { return flag(x > y); });
      case Op::greaterOrEqual:
        return binary(operands, [](double x, double y) { return flag(x >= y); });
      case Op::logicalAnd:
        return binary(operands, [](double x, double y) { return flag(isTrue(x) && isTrue(y)); });
      case Op::logicalOr:
        return binary(operands, [](double x, double y) { return flag(isTrue(x) || isTrue(y)); });
      case Op::firstPresent:
        return binary(operands, [](double x, double y) { return x == x ? x : y; });
      default:
        return;  // the others are in `step`
    }
  }

  Program const& program_;
  std::span<Column const> columns_;
  std::vector<Numbers> registers_;
  std::unique_ptr<double[]> storage_;
  std::vector<ListBlock> lists_;
  std::vector<Scratch> scratch_;
  std::vector<Counters> counters_;
  std::size_t begin_ = 0;
  std::size_t count_ = 0;
};

}  // namespace

void run(Program const& program, std::span<Column const> columns, std::size_t rowCount) {
  Run run(program, columns);
  for (std::size_t begin = 0; begin < rowCount; begin += kBlockRows) {
    run.block(begin, std::min(kBlockRows, rowCount - begin));
  }
}

}  // namespace larder::graph
