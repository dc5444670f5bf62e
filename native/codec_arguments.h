// Arguments and results of the codec's exports: JavaScript values to plain views and back.
//
// TypeScript has validated already; what fails here is a bug, thrown as a TypeError before any
// memory is read. Views are good for the call they were made in.
#pragma once

#include <napi.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "codec/cell_problem.h"
#include "codec/cell_values.h"
#include "codec/feature_type.h"
#include "codec/store_key.h"
#include "codec/wire_column.h"

namespace larder {

void require(Napi::Env env, bool condition, char const* what);

std::span<std::uint8_t> u8Span(Napi::Value value);
std::span<std::uint32_t> u32Span(Napi::Value value);
std::span<double> f64Span(Napi::Value value);
std::span<std::int64_t> i64Span(Napi::Value value);
std::uint64_t u64(Napi::Value value);
std::int64_t i64(Napi::Value value);

Napi::Value toBuffer(Napi::Env env, std::vector<std::uint8_t> const& bytes);
Napi::Value toU32Array(Napi::Env env, std::span<std::uint32_t const> values);
Napi::Value toKeys(Napi::Env env, std::vector<std::uint8_t> const& bytes,
                   std::vector<std::uint32_t> const& offsets);
Napi::Value toProblems(Napi::Env env, codec::ProblemList const& problems);

// Offsets rise and stay within the bytes.
void requireOffsets(Napi::Env env, std::span<std::uint32_t const> offsets, std::size_t byteCount);

// Columns as `src/codec/native-columns.ts` writes them.
std::vector<codec::WireColumn> toWireColumns(Napi::Value value);

// Five numbers a feature, as `src/codec/row-layout.ts` writes them.
struct TypedFeature {
  std::uint32_t id;
  codec::FeatureType type;
};
std::vector<TypedFeature> toTypedFeatures(Napi::Value value);

codec::Scalar toScalar(Napi::Env env, std::uint32_t code);

}  // namespace larder
