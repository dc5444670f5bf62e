// Between JavaScript and the graph engine. TypeScript has checked types, lengths and names
// (`src/predict/composite/`); here they are required. None of the engine's logic is here.
#include "graph_binding.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "codec_arguments.h"
#include "graph/executor.h"
#include "graph/program.h"
#include "tagged_external.h"

namespace larder {

namespace {

using graph::Column;
using graph::ColumnKind;
using graph::ColumnShape;
using graph::Program;

constexpr napi_type_tag kProgramTag = {0x6c61726465720004, 0x67726170680a0a0a};

Napi::Value create(Napi::CallbackInfo const& info) {
  Napi::Env const env = info.Env();
  auto parsed = graph::parseProgram(u32Span(info[0]), f64Span(info[1]));
  if (auto const* problem = std::get_if<std::string>(&parsed)) {
    throw Napi::TypeError::New(env, "program: " + *problem);
  }
  auto program = std::make_unique<Program>(std::move(std::get<Program>(parsed)));
  return toExternal(env, std::move(program), kProgramTag);
}

// The next parts of a flat list of typed arrays.
class Parts {
 public:
  explicit Parts(Napi::Value value) : parts_(value.As<Napi::Array>()) {}

  Napi::Value take() { return parts_.Get(next_++); }

 private:
  Napi::Array parts_;
  std::uint32_t next_ = 0;
};

// Sets the values; returns how many there are.
std::size_t takeValues(Napi::Value value, Column& column) {
  Napi::Env const env = value.Env();
  napi_typedarray_type type = napi_uint8_array;
  std::size_t elementCount = 0;
  void* data = nullptr;
  napi_status const status =
      napi_get_typedarray_info(env, value, &type, &elementCount, &data, nullptr, nullptr);
  bool const isFloat = type == napi_float32_array;
  require(env, status == napi_ok && (isFloat || type == napi_float64_array),
          "values: float32 or float64");
  if (isFloat) {
    column.values = static_cast<float const*>(data);
  } else {
    column.values = static_cast<double const*>(data);
  }
  return elementCount;
}

Column takeList(Napi::Env env, Parts& parts, std::size_t rowCount) {
  Column column;
  column.valueCount = takeValues(parts.take(), column);
  auto const lengths = u32Span(parts.take());
  require(env, lengths.size() == rowCount || lengths.size() == 1, "lengths: one per row, or one");
  std::uint64_t total = 0;
  for (std::uint32_t const length : lengths) total += length;
  require(env, total == column.valueCount, "lengths: they add up to the values");
  column.lengths = lengths.data();
  column.isBroadcast = lengths.size() != rowCount;
  return column;
}

Column takeColumn(Napi::Env env, ColumnShape shape, Parts& parts, std::size_t rowCount) {
  Column column;
  switch (shape.kind) {
    case ColumnKind::number:
    case ColumnKind::vector: {
      std::size_t const dim = shape.kind == ColumnKind::vector ? shape.dim : 1;
      std::size_t const count = takeValues(parts.take(), column);
      // Divided, not multiplied: a row count may be anything when every column is broadcast.
      bool const isPerRow = count % dim == 0 && count / dim == rowCount;
      require(env, isPerRow || count == dim, "values: those of each row, or of one");
      column.isBroadcast = !isPerRow;
      return column;
    }
    case ColumnKind::list:
      return takeList(env, parts, rowCount);
    case ColumnKind::output: {
      auto const output = f64Span(parts.take());
      require(env, output.size() == rowCount, "output: a number per row");
      column.output = output.data();
      return column;
    }
    case ColumnKind::scratch:
      return column;
  }
  return column;
}

// Arguments: program, parts, row count.
void run(Napi::CallbackInfo const& info) {
  Napi::Env const env = info.Env();
  auto const& program = fromExternal<Program>(info[0], kProgramTag, "program: of graphCreate");
  require(env, info[1].IsArray(), "parts: an array");
  require(env, info[2].IsNumber() && info[2].As<Napi::Number>().Int64Value() >= 0,
          "rowCount: a count");
  auto const rowCount = static_cast<std::size_t>(info[2].As<Napi::Number>().Int64Value());
  Parts parts(info[1]);
  std::vector<Column> columns;
  columns.reserve(program.columns.size());
  for (ColumnShape const shape : program.columns) {
    columns.push_back(takeColumn(env, shape, parts, rowCount));
  }
  graph::run(program, columns, rowCount);
}

}  // namespace

void registerGraph(Napi::Env env, Napi::Object exports) {
  exports["graphCreate"] = Napi::Function::New(env, create);
  exports["graphRun"] = Napi::Function::New(env, run);
}

}  // namespace larder
