// Between JavaScript and the tree engine. TypeScript has checked types, lengths and ranges
// (`src/predict/tree-model.ts`); here they are required. None of the engine's logic is here.
#include "trees_binding.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lightgbm/parse_text.h"
#include "tagged_external.h"
#include "trees/predict.h"
#include "xgboost/parse_bytes.h"

namespace {

using larder::trees::Column;
using larder::trees::InexactInteger;
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
  Handle(Napi::Env env, SharedModel model) : env_(env), model_(std::move(model)) {
    adjustMemory(env_, static_cast<std::int64_t>(model_->bytes()));
  }
  Handle(Handle const&) = delete;
  Handle& operator=(Handle const&) = delete;
  ~Handle() { release(); }

  SharedModel const& model() const { return model_; }
  void release() {
    if (!model_) return;
    adjustMemory(env_, -static_cast<std::int64_t>(model_->bytes()));
    model_.reset();
  }

 private:
  Napi::Env env_;
  SharedModel model_;
};

Handle& handleOf(Napi::Value value) {
  return larder::fromExternal<Handle>(value, kModelTag, "handle: of a parsed model");
}

// The numbers are shared with `runModes` in src/native-trees.ts.
enum class Mode : std::uint32_t { raw = 0, transformed = 1, leaf = 2 };

// One run over rows [begin, end): plain pointers, so that any thread can do it.
struct Run {
  SharedModel model;
  std::vector<Column> columns;
  std::size_t begin;
  std::size_t end;
  Mode mode;
  void* output;

  std::optional<InexactInteger> execute() const {
    RowRange const rows{columns, begin, end};
    if (auto const inexact = findInexactInteger(rows)) return inexact;
    if (mode == Mode::leaf) {
      predictLeaves(*model, rows, static_cast<std::int32_t*>(output));
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

TypedArrayView viewOf(Napi::Env env, Napi::Value value, char const* what) {
  TypedArrayView view;
  napi_status const status = napi_get_typedarray_info(env, value, &view.type, &view.elementCount,
                                                      &view.data, nullptr, nullptr);
  require(env, status == napi_ok, what);
  return view;
}

Column columnOf(Napi::Env env, Napi::Value value, std::size_t rowCount) {
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

std::vector<Column> columnsOf(Napi::Env env, Napi::Value value, std::size_t rowCount) {
  require(env, value.IsArray(), "columns: an array");
  Napi::Array const array = value.As<Napi::Array>();
  std::vector<Column> columns;
  columns.reserve(array.Length());
  for (std::uint32_t i = 0; i < array.Length(); ++i) {
    Napi::HandleScope const scope(env);
    columns.push_back(columnOf(env, array.Get(i), rowCount));
  }
  return columns;
}

std::size_t countOf(Napi::Env env, Napi::Value value, char const* what) {
  require(env, value.IsNumber() && value.As<Napi::Number>().Int64Value() >= 0, what);
  return static_cast<std::size_t>(value.As<Napi::Number>().Int64Value());
}

void* outputOf(Napi::Env env, Napi::Value value, Run const& run, std::size_t rowCount) {
  TypedArrayView const view = viewOf(env, value, "output: a typed array");
  bool const isLeaf = run.mode == Mode::leaf;
  std::size_t const cells = isLeaf ? run.model->trees.size() : run.model->outputCount;
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
  require(env, mode <= static_cast<std::size_t>(Mode::leaf), "mode: of runModes");
  run.mode = static_cast<Mode>(mode);
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

class RunWorker : public Napi::AsyncWorker {
 public:
  explicit RunWorker(Napi::CallbackInfo const& info)
      : Napi::AsyncWorker(info.Env()),
        promise_(info.Env()),
        columns_(Napi::Persistent(info[kColumnsArgument].As<Napi::Object>())),
        output_(Napi::Persistent(info[kOutputArgument].As<Napi::Object>())),
        run_(runOf(info)) {}

  Napi::Promise promise() const { return promise_.Promise(); }

 protected:
  // What it throws becomes the rejection.
  void Execute() override { inexact_ = run_.execute(); }
  void OnOK() override { promise_.Resolve(resultOf(Env(), inexact_)); }
  void OnError(Napi::Error const& error) override { promise_.Reject(error.Value()); }

 private:
  Napi::Promise::Deferred promise_;
  // Keep the buffers that run_ points into.
  Napi::ObjectReference columns_;
  Napi::ObjectReference output_;
  Run run_;
  std::optional<InexactInteger> inexact_;
};

Napi::Value runAsync(Napi::CallbackInfo const& info) {
  auto* const worker = new RunWorker(info);  // deletes itself when done
  Napi::Promise const promise = worker->promise();
  worker->Queue();
  return promise;
}

template <typename Items, typename Convert>
Napi::Array arrayOf(Napi::Env env, Items const& items, Convert convert) {
  Napi::Array array = Napi::Array::New(env, items.size());
  std::uint32_t index = 0;
  for (auto const& item : items) array[index++] = convert(env, item);
  return array;
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
  auto const text = [](Napi::Env e, std::string const& value) {
    return Napi::String::New(e, value);
  };
  auto const flag = [](Napi::Env e, bool value) { return Napi::Boolean::New(e, value); };
  auto model = std::make_shared<Model const>(std::move(parsed));
  Napi::Object result = Napi::Object::New(env);
  result["ok"] = true;
  result["objective"] = model->objective.name;
  result["version"] = model->version;
  result["outputCount"] = static_cast<double>(model->outputCount);
  result["treeCount"] = static_cast<double>(model->trees.size());
  result["stepCount"] = static_cast<double>(model->stepCount());
  result["modelBytes"] = static_cast<double>(model->bytes());
  result["featureNames"] = arrayOf(env, model->featureNames, text);
  result["usedFeatures"] = arrayOf(env, model->isFeatureUsed, flag);
  result["categoricalFeatures"] = arrayOf(env, model->isFeatureCategorical, flag);
  result["warnings"] = arrayOf(env, model->warnings, text);
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

void freeModel(Napi::CallbackInfo const& info) { handleOf(info[0]).release(); }

}  // namespace

void registerTrees(Napi::Env env, Napi::Object exports) {
  exports["lightgbmParse"] = Napi::Function::New(env, parse<larder::lightgbm::parseText>);
  exports["xgboostParse"] = Napi::Function::New(env, parse<larder::xgboost::parseBytes>);
  exports["treesRun"] = Napi::Function::New(env, run);
  exports["treesRunAsync"] = Napi::Function::New(env, runAsync);
  exports["treesFree"] = Napi::Function::New(env, freeModel);
}
