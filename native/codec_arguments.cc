#include "codec_arguments.h"

#include <cstring>

namespace larder {

namespace {

using codec::ColumnClass;

template <typename T, napi_typedarray_type kType>
std::span<T> typedSpan(Napi::Value value, char const* what) {
  Napi::Env const env = value.Env();
  napi_typedarray_type type = kType;
  std::size_t elementCount = 0;
  void* data = nullptr;
  // One call for all of it: there are several arrays to a column.
  napi_status const status =
      napi_get_typedarray_info(env, value, &type, &elementCount, &data, nullptr, nullptr);
  require(env, status == napi_ok && type == kType, what);
  return {static_cast<T*>(data), elementCount};
}

ColumnClass toColumnClass(Napi::Env env, std::uint32_t code) {
  require(env, code <= static_cast<std::uint32_t>(ColumnClass::list), "a column class's code");
  return static_cast<ColumnClass>(code);
}

// The next parts of a flat list of arrays.
class Parts {
 public:
  explicit Parts(Napi::Value value) : parts_(value.As<Napi::Array>()) {}

  codec::Bytes take() { return u8Span(parts_.Get(next_++)); }

 private:
  Napi::Array parts_;
  std::uint32_t next_ = 0;
};

// `form`: the class, 8 times that of the elements, and 64 where there are statuses.
codec::WireColumn toWireColumn(Napi::Env env, std::uint32_t form, Parts& parts) {
  codec::WireColumn column = {};
  column.columnClass = toColumnClass(env, form % 8);
  column.elementClass = toColumnClass(env, form / 8 % 8);
  column.hasStatus = form / 64 != 0;
  bool const isList = column.columnClass == ColumnClass::list;
  require(env, column.elementClass != ColumnClass::list, "lists are not nested");
  require(env, isList || column.elementClass == column.columnClass, "scalars have one class");
  if (isList) column.listLengths = parts.take();
  column.data = parts.take();
  if (column.elementClass == ColumnClass::var) column.lengths = parts.take();
  if (column.hasStatus) column.status = parts.take();
  return column;
}

}  // namespace

void require(Napi::Env env, bool condition, char const* what) {
  if (!condition) throw Napi::TypeError::New(env, what);
}

std::span<std::uint8_t> u8Span(Napi::Value value) {
  return typedSpan<std::uint8_t, napi_uint8_array>(value, "a Uint8Array is expected");
}
std::span<std::uint32_t> u32Span(Napi::Value value) {
  return typedSpan<std::uint32_t, napi_uint32_array>(value, "a Uint32Array is expected");
}
std::span<double> f64Span(Napi::Value value) {
  return typedSpan<double, napi_float64_array>(value, "a Float64Array is expected");
}
std::span<std::int64_t> i64Span(Napi::Value value) {
  return typedSpan<std::int64_t, napi_bigint64_array>(value, "a BigInt64Array is expected");
}

std::uint64_t u64(Napi::Value value) {
  require(value.Env(), value.IsBigInt(), "a bigint is expected");
  bool isLossless = false;
  std::uint64_t const number = value.As<Napi::BigInt>().Uint64Value(&isLossless);
  require(value.Env(), isLossless, "a bigint of 64 bits without sign is expected");
  return number;
}

std::int64_t i64(Napi::Value value) {
  require(value.Env(), value.IsBigInt(), "a bigint is expected");
  bool isLossless = false;
  std::int64_t const number = value.As<Napi::BigInt>().Int64Value(&isLossless);
  require(value.Env(), isLossless, "a bigint of 64 bits is expected");
  return number;
}

Napi::Value toBuffer(Napi::Env env, std::vector<std::uint8_t> const& bytes) {
  return Napi::Buffer<std::uint8_t>::Copy(env, bytes.data(), bytes.size());
}

Napi::Value toU32Array(Napi::Env env, std::span<std::uint32_t const> values) {
  auto array = Napi::Uint32Array::New(env, values.size());
  if (!values.empty()) std::memcpy(array.Data(), values.data(), values.size_bytes());
  return array;
}

Napi::Value toKeys(Napi::Env env, std::vector<std::uint8_t> const& bytes,
                   std::vector<std::uint32_t> const& offsets) {
  auto const out = Napi::Object::New(env);
  out.Set("bytes", toBuffer(env, bytes));
  out.Set("offsets", toU32Array(env, offsets));
  return out;
}

Napi::Value toProblems(Napi::Env env, codec::ProblemList const& problems) {
  auto const told = Napi::Array::New(env, problems.told().size());
  for (std::uint32_t index = 0; index < problems.told().size(); index++) {
    codec::CellProblem const& problem = problems.told()[index];
    auto const out = Napi::Object::New(env);
    if (problem.rowIndex) out.Set("rowIndex", *problem.rowIndex);
    if (problem.columnIndex) out.Set("columnIndex", *problem.columnIndex);
    out.Set("reason", problem.reason);
    told.Set(index, out);
  }
  auto const out = Napi::Object::New(env);
  out.Set("problems", told);
  out.Set("problemCount", static_cast<double>(problems.count()));
  return out;
}

void requireOffsets(Napi::Env env, std::span<std::uint32_t const> offsets, std::size_t byteCount) {
  require(env, !offsets.empty() && offsets.back() <= byteCount, "offsets end within the bytes");
  for (std::size_t index = 1; index < offsets.size(); index++) {
    require(env, offsets[index - 1] <= offsets[index], "offsets never fall");
  }
}

std::vector<codec::WireColumn> toWireColumns(Napi::Value value) {
  auto const object = value.As<Napi::Object>();
  std::span<std::uint32_t const> const forms = u32Span(object.Get("forms"));
  Parts parts(object.Get("parts"));
  std::vector<codec::WireColumn> columns;
  columns.reserve(forms.size());
  for (std::uint32_t const form : forms) {
    columns.push_back(toWireColumn(value.Env(), form, parts));
  }
  return columns;
}

codec::Scalar toScalar(Napi::Env env, std::uint32_t code) {
  require(env, code < codec::kScalarCount, "a scalar type's code is expected");
  return static_cast<codec::Scalar>(code);
}

std::vector<TypedFeature> toTypedFeatures(Napi::Value value) {
  constexpr std::size_t kNumbersPerFeature = 5;
  std::span<std::uint32_t const> const numbers = u32Span(value);
  Napi::Env const env = value.Env();
  require(env, numbers.size() % kNumbersPerFeature == 0, "five numbers per feature are expected");
  std::vector<TypedFeature> features;
  features.reserve(numbers.size() / kNumbersPerFeature);
  for (std::size_t at = 0; at < numbers.size(); at += kNumbersPerFeature) {
    require(env, numbers[at + 1] <= 2 && numbers[at + 3] <= 2, "a type's codes are expected");
    features.push_back({numbers[at],
                        {static_cast<codec::Shape>(numbers[at + 1]), toScalar(env, numbers[at + 2]),
                         static_cast<codec::EmbeddingStorage>(numbers[at + 3]), numbers[at + 4]}});
  }
  return features;
}

}  // namespace larder
