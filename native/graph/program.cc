#include "graph/program.h"

#include <optional>
#include <string_view>

namespace larder::graph {

namespace {

constexpr std::size_t kHeaderWords = 3;

// The operands of an op as letters, in order: see `Op`. A last '*' repeats the letter before it,
// at least once.
std::string_view signatureOf(Op op) {
  switch (op) {
    case Op::load:
      return "wN";
    case Op::store:
      return "Or";
    case Op::negate:
    case Op::abs:
    case Op::exp:
    case Op::log:
    case Op::sigmoid:
    case Op::logicalNot:
    case Op::isMissing:
      return "wr";
    case Op::add:
    case Op::subtract:
    case Op::multiply:
    case Op::divide:
    case Op::min:
    case Op::max:
    case Op::equal:
    case Op::notEqual:
    case Op::less:
    case Op::lessOrEqual:
    case Op::greater:
    case Op::greaterOrEqual:
    case Op::logicalAnd:
    case Op::logicalOr:
    case Op::firstPresent:
      return "wrr";
    case Op::select:
      return "wrrr";
    case Op::bucketize:
      return "wrkn";
    case Op::lookup:
      return "wrkm";
    case Op::weigh:
      return "wrrk";
    case Op::weighVector:
      return "wrVk";
    case Op::oneHot:
      return "Sr";
    case Op::dot:
    case Op::cosine:
      return "wVV";
    case Op::size:
    case Op::sizeUnique:
      return "wL";
    case Op::countMatches:
    case Op::countMatchesUnique:
      return "wLL";
    case Op::countMatchesAt:
    case Op::countMatchesAtUnique:
      return "wrLL*";
    case Op::itemAt:
      return "wrL";
  }
  return "";
}

// Checks a program's words one after the other. Lives for one parse.
class Checker {
 public:
  Checker(std::span<std::uint32_t const> words, std::span<double const> constants) : words_(words) {
    program_.constants.assign(constants.begin(), constants.end());
  }

  std::variant<Program, std::string> parse() {
    for (auto const step : {&Checker::readHeader, &Checker::readColumns}) {
      if (auto problem = (this->*step)()) return *problem;
    }
    while (at_ < words_.size()) {
      if (auto problem = readInstruction()) {
        return *problem + " in instruction " + std::to_string(program_.instructions.size());
      }
    }
    return std::move(program_);
  }

 private:
  using Problem = std::optional<std::string>;

  Problem readHeader() {
    if (words_.size() < kHeaderWords) return "no header";
    program_.constantCount = words_[0];
    program_.registerCount = words_[1];
    if (program_.constantCount > program_.constants.size()) return "too few constants";
    if (program_.registerCount < program_.constantCount) return "too few registers";
    if (program_.registerCount > kRegistersMax) return "too many registers";
    if (program_.registerCount - program_.constantCount > kWrittenRegistersMax) {
      return "too many registers";
    }
    isWritten_.assign(program_.registerCount, false);
    for (std::uint32_t index = 0; index < program_.constantCount; ++index) {
      isWritten_[index] = true;
    }
    return std::nullopt;
  }

  Problem readColumns() {
    std::uint32_t const count = words_[2];
    if (count > kColumnsMax) return "too many columns";
    if (words_.size() - kHeaderWords < std::size_t{count} * 2) return "columns are cut";
    std::size_t scratchCells = 0;
    for (std::uint32_t index = 0; index < count; ++index) {
      std::uint32_t const kind = words_[kHeaderWords + index * 2];
      std::uint32_t const dim = words_[kHeaderWords + index * 2 + 1];
      if (kind > static_cast<std::uint32_t>(ColumnKind::scratch)) return "no such column kind";
      ColumnShape const shape{static_cast<ColumnKind>(kind), dim};
      bool const isVector = shape.kind == ColumnKind::vector || shape.kind == ColumnKind::scratch;
      if (isVector ? dim == 0 || dim > kDimMax : dim != 0) return "a wrong dimension";
      if (shape.kind == ColumnKind::scratch) scratchCells += dim;
      program_.columns.push_back(shape);
    }
    if (scratchCells > kScratchCellsMax) return "too many scratch cells";
    isFilled_.assign(count, false);
    at_ = kHeaderWords + std::size_t{count} * 2;
    return std::nullopt;
  }

  Problem readInstruction() {
    if (words_.size() - at_ < 2) return "cut words";
    std::uint32_t const op = words_[at_];
    std::uint32_t const count = words_[at_ + 1];
    if (op >= kOpCount) return "no such op";
    if (words_.size() - at_ - 2 < count) return "cut operands";
    auto const operands = words_.subspan(at_ + 2, count);
    std::string_view signature = signatureOf(static_cast<Op>(op));
    bool const isOpen = signature.back() == '*';
    if (isOpen) signature.remove_suffix(1);
    if (isOpen ? count < signature.size() : count != signature.size()) return "wrong arity";
    for (std::size_t i = 0; i < count; ++i) {
      char const letter = i < signature.size() ? signature[i] : signature.back();
      if (!isRight(letter, operands, i)) {
        return std::string("operand ") + std::to_string(i) + " is wrong";
      }
    }
    // After the operands, so that an instruction does not read what it writes first.
    if (signature[0] == 'w') isWritten_[operands[0]] = true;
    if (signature[0] == 'S') isFilled_[operands[0]] = true;
    program_.instructions.push_back(
        {static_cast<Op>(op), static_cast<std::uint32_t>(program_.operands.size()), count});
    program_.operands.insert(program_.operands.end(), operands.begin(), operands.end());
    at_ += 2 + std::size_t{count};
    return std::nullopt;
  }

  bool isRight(char letter, std::span<std::uint32_t const> operands, std::size_t index) const {
    std::uint32_t const operand = operands[index];
    switch (letter) {
      case 'w':
        return operand >= program_.constantCount && operand < program_.registerCount;
      case 'r':
        return operand < program_.registerCount && isWritten_[operand];
      case 'N':
        return isColumn(operand, ColumnKind::number);
      case 'O':
        return isColumn(operand, ColumnKind::output);
      case 'L':
        return isColumn(operand, ColumnKind::list);
      case 'S':
        return isColumn(operand, ColumnKind::scratch);
      case 'V':
        return isFilledVector(operand) && hasDimOfFirst(operands, index);
      case 'k':
        return hasConstants(operand, constantsAt(operands, index));
      default:  // n and m: counts, checked together with the k before them
        return true;
    }
  }

  bool isColumn(std::uint32_t index, ColumnKind kind) const {
    return index < program_.columns.size() && program_.columns[index].kind == kind;
  }

  bool isFilledVector(std::uint32_t index) const {
    return isColumn(index, ColumnKind::vector) ||
           (isColumn(index, ColumnKind::scratch) && isFilled_[index]);
  }

  // Two vectors, of dot and cosine, stand at 1 and 2.
  bool hasDimOfFirst(std::span<std::uint32_t const> operands, std::size_t index) const {
    if (operands.size() != 3) return true;
    std::uint32_t const other = index == 2 ? operands[1] : operands[index];
    return program_.columns[operands[index]].dim == program_.columns[other].dim;
  }

  // How many constants the 'k' at `index` stands for: an n or m behind it, the weights of a vector
  // before it, or one.
  std::size_t constantsAt(std::span<std::uint32_t const> operands, std::size_t index) const {
    std::uint32_t const op = words_[at_];
    if (op == static_cast<std::uint32_t>(Op::bucketize)) return operands[index + 1];
    if (op == static_cast<std::uint32_t>(Op::lookup)) return std::size_t{operands[index + 1]} + 1;
    if (op == static_cast<std::uint32_t>(Op::weighVector)) {
      return program_.columns[operands[index - 1]].dim;
    }
    return 1;
  }

  bool hasConstants(std::uint32_t begin, std::size_t count) const {
    std::size_t const size = program_.constants.size();
    return begin <= size && count <= size - begin;
  }

  std::span<std::uint32_t const> words_;
  std::size_t at_ = 0;
  Program program_{};
  std::vector<bool> isWritten_;
  std::vector<bool> isFilled_;
};

}  // namespace

std::variant<Program, std::string> parseProgram(std::span<std::uint32_t const> words,
                                                std::span<double const> constants) {
  return Checker(words, constants).parse();
}

}  // namespace larder::graph
