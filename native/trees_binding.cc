// Between JavaScript and the tree engine. TypeScript has checked types, lengths and ranges
// (`src/predict/tree-model.ts`); here they are required. None of the engine's logic is here.
#include "trees_binding.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lightgbm/parse_text.h"
#include "pool_promise.h"
#include "tagged_external.h"
#include "trees/choose_kernel.h"
#include "trees/contributions.h"
#include "trees/predict.h"
#include "xgboost/parse_bytes.h"

namespace {

using larder::trees::Column;
using larder::trees::InexactInteger;
using larder::trees::KernelChoice;
using larder::trees::KernelRefusal;
using larder::trees::Model;
using larder::trees::ParseError;
using larder::trees::ParseLimits;
using larder::trees::RowRange;
using larder::trees::Score;

constexpr napi_type_tag kModelTag = {0x6c61726465720003, 0x6c67626d6d6f6465};

using SharedModel = std::shared_ptr<Model const>;

// Tells the collector how much lies behind a small handle.
void adjustMemory(Napi::Env env, std::int64_t bytes) {
  Napi::MemoryManagement::AdjustExternalMemory(env, bytes);
}

// What a JavaScript handle points to. Emptied by treesFree; work under way keeps its own share.
class Handle {
 public:
  Handle(Napi::Env env, std::shared_ptr<Model> model) : env_(env), model_(std::move(model)) {
    tellMemory();
  }
  Handle(Handle const&) = delete;
  Handle& operator=(Handle const&) = delete;
  ~Handle() { release(); }

  SharedModel model() const { return model_; }
  // To change the model: null once something else may be reading it.
  Model* unshared() { return model_.use_count() == 1 ? model_.get() : nullptr; }
  // After the model changed.
  void tellMemory() {
    std::int64_t const bytes = model_ ? static_cast<std::int64_t>(model_->bytes()) : 0;
    adjustMemory(env_, bytes - toldBytes_);
    toldBytes_ = bytes;
  }
  void release() {
    model_.reset();
    tellMemory();
  }

 private:
  Napi::Env env_;
  std::shared_ptr<Model> model_;
  std::int64_t toldBytes_ = 0;
};

Handle& handleOf(Napi::Value value) {
  return larder::fromExternal<Handle>(value, kModelTag, "handle: of a parsed model");
}

// The numbers are shared with `runModes` in src/native-trees.ts.
enum class Mode : std::uint32_t { raw = 0, transformed = 1, leaf = 2, contributions = 3 };

// One run over rows [begin, end): plain pointers, so that any thread can do it.
struct Run {
  SharedModel model;
  std::vector<Column> columns;
  std::size_t begin;
  std::size_t end;
  Mode mode;
  void* output;

  std::optional<InexactInteger> execute() const { return execute(begin, end); }

  // The part of it that is rows [from, to).
  std::optional<InexactInteger> execute(std::size_t from, std::size_t to) const {
    RowRange const rows{columns, from, to};
    if (auto const inexact = findInexactInteger(rows)) return inexact;
    if (mode == Mode::leaf) {
      predictLeaves(*model, rows, static_cast<std::int32_t*>(output));
    } else if (mode == Mode::contributions) {
      predictContributions(*model, model->contributions, rows, static_cast<double*>(output));
    } else {
      Score const score = mode == Mode::raw ? Score::raw : Score::transformed;
      predictScores(*model, rows, score, static_cast<double*>(output));
    }
    return std::nullopt;
  }
};

// What fails here is a bug of our TypeScript, stopped before memory is read.
void require(Napi::Env env, bool condition, char const* what) {
  if (!condition) throw Napi::TypeError::New(env, what);
}

struct TypedArrayView {
  napi_typedarray_type type = napi_uint8_array;
  std::size_t elementCount = 0;
  void* data = nullptr;
};

TypedArrayView viewOf(Napi::Env env, napi_value value, char const* what) {
  TypedArrayView view;
  napi_status const status = napi_get_typedarray_info(env, value, &view.type, &view.elementCount,
                                                      &view.data, nullptr, nullptr);
  require(env, status == napi_ok, what);
  return view;
}

Column columnOf(Napi::Env env, napi_value value, std::size_t rowCount) {
  TypedArrayView const view = viewOf(env, value, "columns: typed arrays");
  require(env, view.elementCount == rowCount || view.elementCount == 1,
          "columns: a value per row, or one");
  bool const isBroadcast = view.elementCount != rowCount;
  switch (view.type) {
    case napi_float32_array:
      return {static_cast<float const*>(view.data), isBroadcast};
    case napi_float64_array:
      return {static_cast<double const*>(view.data), isBroadcast};
    case napi_bigint64_array:
      return {static_cast<std::int64_t const*>(view.data), isBroadcast};
    default:
      throw Napi::TypeError::New(env, "columns: float32, float64 or int64");
  }
}

// Straight Node-API: a call for a single row is as short as the reading of its columns. They are
// few enough for the caller's scope to hold their handles.
std::vector<Column> columnsOf(Napi::Env env, Napi::Value value, std::size_t rowCount) {
  std::uint32_t count = 0;
  require(env, napi_get_array_length(env, value, &count) == napi_ok, "columns: an array");
  std::vector<Column> columns;
  columns.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    napi_value column = nullptr;
    require(env, napi_get_element(env, value, i, &column) == napi_ok, "columns: readable");
    columns.push_back(columnOf(env, column, rowCount));
  }
  return columns;
}

std::size_t countOf(Napi::Env env, Napi::Value value, char const* what) {
  require(env, value.IsNumber() && value.As<Napi::Number>().Int64Value() >= 0, what);
  return static_cast<std::size_t>(value.As<Napi::Number>().Int64Value());
}

std::size_t cellsPerRow(Run const& run) {
  if (run.mode == Mode::leaf) return run.model->trees.size();
  std::size_t const outputs = run.model->outputCount;
  return run.mode == Mode::contributions ? outputs * (run.model->featureNames.size() + 1) : outputs;
}

void* outputOf(Napi::Env env, Napi::Value value, Run const& run, std::size_t rowCount) {
  TypedArrayView const view = viewOf(env, value, "output: a typed array");
  bool const isLeaf = run.mode == Mode::leaf;
  std::size_t const cells = cellsPerRow(run);
  require(env, view.type == (isLeaf ? napi_int32_array : napi_float64_array),
          "output: float64, or int32 for leaves");
  // Divided, not multiplied: a row count may be anything when every column is broadcast.
  bool const isWhole =
      cells == 0 ? view.elementCount == 0
                 : view.elementCount % cells == 0 && view.elementCount / cells == rowCount;
  require(env, isWhole, "output: a cell per row and output");
  return view.data;
}

// Arguments: handle, columns, row count, begin, end, output, mode.
constexpr std::size_t kColumnsArgument = 1;
constexpr std::size_t kOutputArgument = 5;
constexpr std::size_t kSliceRowsArgument = 7;
constexpr std::size_t kCancelArgument = 8;

Run runOf(Napi::CallbackInfo const& info) {
  Napi::Env const env = info.Env();
  Run run;
  run.model = handleOf(info[0]).model();
  require(env, run.model != nullptr, "handle: not freed");
  std::size_t const rowCount = countOf(env, info[2], "rowCount: a count");
  run.columns = columnsOf(env, info[kColumnsArgument], rowCount);
  require(env, run.columns.size() == run.model->featureNames.size(), "columns: one per feature");
  run.begin = countOf(env, info[3], "begin: a row");
  run.end = countOf(env, info[4], "end: a row");
  require(env, run.begin <= run.end && run.end <= rowCount, "begin and end: rows in order");
  std::size_t const mode = countOf(env, info[6], "mode: of runModes");
  require(env, mode <= static_cast<std::size_t>(Mode::contributions), "mode: of runModes");
  run.mode = static_cast<Mode>(mode);
  require(env, run.mode != Mode::contributions || run.model->contributions.refusal.empty(),
          "mode: of a model that has contributions");
  run.output = outputOf(env, info[kOutputArgument], run, rowCount);
  return run;
}

Napi::Value resultOf(Napi::Env env, std::optional<InexactInteger> const& inexact) {
  if (!inexact) return env.Undefined();
  Napi::Object result = Napi::Object::New(env);
  result["featureIndex"] = Napi::Number::New(env, static_cast<double>(inexact->feature));
  result["rowIndex"] = Napi::Number::New(env, static_cast<double>(inexact->row));
  result["value"] = Napi::BigInt::New(env, inexact->value);
  return result;
}

Napi::Value run(Napi::CallbackInfo const& info) {
  return resultOf(info.Env(), runOf(info).execute());
}

// A run cut into slices. What they find belongs to whoever ends last.
struct SlicedRun {
  Run run;
  std::size_t sliceRows;
  std::atomic_ref<std::int32_t> isCancelled;
  std::mutex mutex;
  std::optional<InexactInteger> inexact;  // of the first row that has one

  void runSlice(std::size_t slice) {
    if (isCancelled.load(std::memory_order_relaxed) != 0) return;
    std::size_t const from = run.begin + slice * sliceRows;
    auto const found = run.execute(from, std::min(run.end, from + sliceRows));
    if (!found) return;
    std::lock_guard const lock(mutex);
    if (!inexact || found->row < inexact->row) inexact = found;
  }
};

// Arguments: those of a run, rows per slice, and an Int32Array whose element is not 0 once the
// slices that have not begun are to be left out.
Napi::Value runAsync(Napi::CallbackInfo const& info) {
  Napi::Env const env = info.Env();
  Run run = runOf(info);
  std::size_t const sliceRows = countOf(env, info[kSliceRowsArgument], "sliceRows: a count");
  require(env, sliceRows > 0, "sliceRows: at least 1");
  TypedArrayView const flag = viewOf(env, info[kCancelArgument], "cancel: Int32Array");
  require(env, flag.type == napi_int32_array && flag.elementCount == 1, "cancel: one int32");
  std::size_t const rowCount = run.end - run.begin;
  std::size_t const sliceCount = std::max<std::size_t>((rowCount + sliceRows - 1) / sliceRows, 1);
  auto const sliced = std::make_shared<SlicedRun>(
      std::move(run), sliceRows,
      std::atomic_ref<std::int32_t>(*static_cast<std::int32_t*>(flag.data)));
  return larder::runOnPool(
      env, {sliceCount,
            [sliced](std::size_t slice) { sliced->runSlice(slice); },
            [sliced](Napi::Env e) { return resultOf(e, sliced->inexact); },
            {info[kColumnsArgument].As<Napi::Object>(), info[kOutputArgument].As<Napi::Object>(),
             info[kCancelArgument].As<Napi::Object>()}});
}

template <typename Items, typename Convert>
Napi::Array arrayOf(Napi::Env env, Items const& items, Convert convert) {
  Napi::Array array = Napi::Array::New(env, items.size());
  std::uint32_t index = 0;
  for (auto const& item : items) array[index++] = convert(env, item);
  return array;
}

Napi::String textOf(Napi::Env env, std::string const& value) {
  return Napi::String::New(env, value);
}

Napi::Object failureOf(Napi::Env env, ParseError const& error) {
  Napi::Object failure = Napi::Object::New(env);
  failure["ok"] = false;
  failure["offset"] = static_cast<double>(error.offset);
  failure["message"] = error.message;
  failure["excerpt"] = error.excerpt;
  return failure;
}

Napi::Object describe(Napi::Env env, Model&& parsed) {
  auto const flag = [](Napi::Env e, bool value) { return Napi::Boolean::New(e, value); };
  parsed.contributions = planContributions(parsed);
  auto model = std::make_shared<Model>(std::move(parsed));
  Napi::Object result = Napi::Object::New(env);
  result["ok"] = true;
  result["objective"] = model->objective.name;
  result["version"] = model->version;
  result["outputCount"] = static_cast<double>(model->outputCount);
  result["treeCount"] = static_cast<double>(model->trees.size());
  result["featureNames"] = arrayOf(env, model->featureNames, textOf);
  result["usedFeatures"] = arrayOf(env, model->isFeatureUsed, flag);
  result["categoricalFeatures"] = arrayOf(env, model->isFeatureCategorical, flag);
  if (model->contributions.refusal.empty()) {
    result["contributionStepCount"] = static_cast<double>(model->contributions.stepCount);
  } else {
    result["contributionRefusal"] = model->contributions.refusal;
  }
  if (model->hasPandasCategorical) {
    result["pandasCategorical"] = model->pandasCategorical;
    result["pandasCategoricalOffset"] = static_cast<double>(model->pandasCategoricalOffset);
  }
  auto handle = std::make_unique<Handle>(env, std::move(model));
  result["handle"] = larder::toExternal(env, std::move(handle), kModelTag);
  return result;
}

ParseLimits limitsOf(Napi::Object limits) {
  auto const read = [&](char const* name) {
    return limits.Get(name).As<Napi::Number>().Int64Value();
  };
  return {read("modelBytesMax"), read("treesMax"), read("nodesMax"), read("featuresMax")};
}

// Shared by the formats: each has a `Parse` of its own.
template <auto kParse>
Napi::Value parse(Napi::CallbackInfo const& info) {
  Napi::Env const env = info.Env();
  TypedArrayView const bytes = viewOf(env, info[0], "bytes: Uint8Array");
  require(env, bytes.type == napi_uint8_array, "bytes: Uint8Array");
  require(env, info[1].IsObject(), "limits: an object");
  std::string_view const text(static_cast<char const*>(bytes.data), bytes.elementCount);
  auto parsed = kParse(text, limitsOf(info[1].As<Napi::Object>()));
  if (auto const* error = std::get_if<ParseError>(&parsed)) return failureOf(env, *error);
  return describe(env, std::get<Model>(std::move(parsed)));
}

// Arguments: handle, name of the kernel. Once per model, before its first run.
Napi::Value chooseKernel(Napi::CallbackInfo const& info) {
  Napi::Env const env = info.Env();
  Handle& handle = handleOf(info[0]);
  Model* const model = handle.unshared();
  require(env, model != nullptr, "handle: neither freed nor in use");
  require(env, info[1].IsString(), "kernel: a name");
  auto const choice = larder::trees::chooseKernel(*model, info[1].As<Napi::String>().Utf8Value());
  handle.tellMemory();
  Napi::Object result = Napi::Object::New(env);
  if (auto const* refusal = std::get_if<KernelRefusal>(&choice)) {
    result["ok"] = false;
    result["message"] = refusal->message;
    return result;
  }
  result["ok"] = true;
  result["kernel"] = std::get<KernelChoice>(choice).description;
  result["stepCount"] = static_cast<double>(model->stepCount());
  result["leafStepCount"] = static_cast<double>(model->walkStepCount());
  result["modelBytes"] = static_cast<double>(model->bytes());
  result["warnings"] = arrayOf(env, model->warnings, textOf);
  return result;
}

void freeModel(Napi::CallbackInfo const& info) { handleOf(info[0]).release(); }

}  // namespace

void registerTrees(Napi::Env env, Napi::Object exports) {
  exports["lightgbmParse"] = Napi::Function::New(env, parse<larder::lightgbm::parseText>);
  exports["xgboostParse"] = Napi::Function::New(env, parse<larder::xgboost::parseBytes>);
  exports["treesChooseKernel"] = Napi::Function::New(env, chooseKernel);
  exports["treesRun"] = Napi::Function::New(env, run);
  exports["treesRunAsync"] = Napi::Function::New(env, runAsync);
  exports["treesFree"] = Napi::Function::New(env, freeModel);
}
