#include "codec_binding.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "codec/decoded_columns.h"
#include "codec/entity_key.h"
#include "codec/lz4_block.h"
#include "codec/profile_words.h"
#include "codec/row_decode.h"
#include "codec/row_encode.h"
#include "codec/row_layout.h"
#include "codec/store_key.h"
#include "codec_arguments.h"
#include "tagged_external.h"

namespace larder {

namespace {

// Tells our externals from others', and from each other.
constexpr napi_type_tag kLayoutTag = {0x6c61726465720001, 0x726f776c61796f75};
constexpr napi_type_tag kDecoderTag = {0x6c61726465720002, 0x726f776465636f64};

using SharedLayout = std::shared_ptr<codec::RowLayout const>;

std::vector<SharedLayout> toLayouts(Napi::Value value) {
  auto const array = value.As<Napi::Array>();
  std::vector<SharedLayout> layouts;
  for (std::uint32_t index = 0; index < array.Length(); index++) {
    layouts.push_back(
        fromExternal<SharedLayout>(array.Get(index), kLayoutTag, "a row layout is expected"));
  }
  return layouts;
}

// Base, unit, bytes and sequence; nothing of an empty array.
std::optional<codec::CompactVersion> toCompactVersion(Napi::Value value) {
  std::span<std::int64_t const> const words = i64Span(value);
  if (words.empty()) return std::nullopt;
  require(value.Env(), words.size() == 4 && words[2] >= 0 && words[2] <= codec::kEventBytesMax,
          "a version: base, unit, bytes, sequence");
  return codec::CompactVersion{words[0], words[1], static_cast<unsigned>(words[2]),
                               static_cast<std::uint64_t>(words[3])};
}

bool haveSameFeatures(codec::RowLayout const& a, codec::RowLayout const& b) {
  return std::ranges::equal(a.features, b.features, {}, &codec::LayoutFeature::id,
                            &codec::LayoutFeature::id);
}

// createRowLayout(layoutId, features, version[, profileWords, dictionary]); a text says what is
// wrong
Napi::Value createRowLayout(Napi::CallbackInfo const& info) {
  Napi::Env const env = info.Env();
  codec::RowLayout layout = {};
  layout.id = info[0].As<Napi::Number>().Uint32Value();
  for (TypedFeature const& feature : toTypedFeatures(info[1])) {
    layout.features.push_back({feature.id, feature.type});
  }
  layout.compactVersion = toCompactVersion(info[2]);
  if (layout.compactVersion) {
    auto const problem = codec::versionProblem(*layout.compactVersion);
    if (problem) return Napi::String::New(env, *problem);
  }
  if (!info[3].IsUndefined()) {
    auto parsed = codec::parseProfile(layout.features, i64Span(info[3]), u8Span(info[4]));
    if (auto const* problem = std::get_if<std::string>(&parsed)) {
      return Napi::String::New(env, *problem);
    }
    layout.codings = std::make_shared<std::vector<codec::FeatureCoding> const>(
        std::get<std::vector<codec::FeatureCoding>>(std::move(parsed)));
  }
  if (!info[5].IsUndefined()) {
    auto const& like = fromExternal<SharedLayout>(info[5], kLayoutTag, "a row layout is expected");
    require(env, haveSameFeatures(*like, layout), "layouts of one schema");
    layout.codings = like->codings;
  }
  auto shared = std::make_shared<codec::RowLayout const>(std::move(layout));
  return toExternal(env, std::make_unique<SharedLayout>(std::move(shared)), kLayoutTag);
}

void requireChoice(Napi::Env env, std::span<SharedLayout const> layouts) {
  require(env, !layouts.empty(), "a layout at least");
  codec::RowLayout const& last = *layouts.back();
  require(env, !last.compactVersion && !last.codings, "the last layout takes every row");
  for (SharedLayout const& layout : layouts) {
    require(env, haveSameFeatures(*layout, last), "layouts of one schema");
  }
}

// encodeRows(layouts, columns, eventTimesUs, sequence, limits)
Napi::Value encodeRows(Napi::CallbackInfo const& info) {
  Napi::Env const env = info.Env();
  auto const layouts = toLayouts(info[0]);
  requireChoice(env, layouts);
  auto const columns = toWireColumns(info[1]);
  require(env, columns.size() == layouts.back()->features.size(), "a column for each feature");
  codec::RowsToEncode const rows = {columns, i64Span(info[2]), u64(info[3])};
  auto const limits = u32Span(info[4]);
  require(env, limits.size() == 4, "limits: row bytes, value bytes, list elements, problems");
  codec::ProblemList problems(rows.eventTimesUs.size(), limits[3]);
  auto const encoded =
      codec::encodeRows(layouts, rows, {limits[0], limits[1], limits[2]}, problems);
  if (!problems.empty()) return toProblems(env, problems);
  return toKeys(env, encoded.bytes, encoded.offsets);
}

// createRowDecoder(layouts, wanted)
Napi::Value createRowDecoder(Napi::CallbackInfo const& info) {
  std::vector<codec::WantedFeature> wanted;
  auto layouts = toLayouts(info[0]);
  for (TypedFeature const& feature : toTypedFeatures(info[1])) {
    wanted.push_back({feature.id, feature.type});
  }
  auto decoder = std::make_unique<codec::RowDecoder>(std::move(layouts), std::move(wanted));
  return toExternal(info.Env(), std::move(decoder), kDecoderTag);
}

codec::RowSlots toRowSlots(Napi::CallbackInfo const& info, std::span<std::uint32_t const> outputs) {
  Napi::Env const env = info.Env();
  codec::RowSlots const slots = {u8Span(info[1]), u32Span(info[2]), u32Span(info[3]),
                                 u8Span(info[4])};
  bool const isEven =
      slots.starts.size() == slots.states.size() && slots.lengths.size() == slots.states.size();
  require(env, isEven && slots.arena.size() <= UINT32_MAX,
          "starts, lengths and states go together");
  for (std::uint32_t const slot : outputs) {
    require(env, slot < slots.states.size(), "slots name rows of the batch");
    bool const isInside =
        slots.states[slot] != static_cast<std::uint8_t>(codec::SlotState::row) ||
        std::size_t{slots.starts[slot]} + slots.lengths[slot] <= slots.arena.size();
    require(env, isInside, "rows lie within the arena");
  }
  return slots;
}

void setFindings(Napi::Object out, codec::Findings const& findings) {
  Napi::Env const env = out.Env();
  auto const corrupt = Napi::Array::New(env);
  for (std::uint32_t index = 0; index < findings.corrupt.size(); index++) {
    auto const entry = Napi::Object::New(env);
    entry.Set("slot", findings.corrupt[index].slot);
    entry.Set("reason", findings.corrupt[index].reason);
    corrupt.Set(index, entry);
  }
  auto const unknownLayouts = Napi::Array::New(env);
  for (std::uint32_t index = 0; index < findings.unknownLayouts.size(); index++) {
    auto const entry = Napi::Object::New(env);
    entry.Set("slot", findings.unknownLayouts[index].slot);
    entry.Set("layoutId", findings.unknownLayouts[index].layoutId);
    unknownLayouts.Set(index, entry);
  }
  out.Set("corrupt", corrupt);
  out.Set("unknownLayouts", unknownLayouts);
}

// decodeRows(decoder, arena, starts, lengths, states, slots, nowUs, ttlUs, retentionUs,
// servesStale,
//            fixed, varyingBytesMax)
Napi::Value decodeRows(Napi::CallbackInfo const& info) {
  Napi::Env const env = info.Env();
  auto const& decoder = fromExternal<codec::RowDecoder>(info[0], kDecoderTag, "a row decoder");
  std::span<std::uint32_t const> const outputs = u32Span(info[5]);
  codec::RowSlots const slots = toRowSlots(info, outputs);
  codec::Judge const judge = {i64(info[6]), i64(info[7]), i64(info[8]), info[9].ToBoolean()};
  auto const fixed = u8Span(info[10]);
  require(env, fixed.size() == codec::fixedBytesOf(decoder.wanted(), outputs.size()),
          "columns fit their memory");
  codec::DecodedColumns columns(decoder.wanted(), outputs.size(), fixed.data(),
                                info[11].As<Napi::Number>().Uint32Value());
  auto const findings = codec::decodeRows(decoder, slots, judge, outputs, columns);
  auto const out = Napi::Object::New(env);
  if (auto const varyingBytes = columns.layOutVarying()) {
    auto memory = Napi::ArrayBuffer::New(env, *varyingBytes);
    columns.fillVarying(static_cast<std::uint8_t*>(memory.Data()));
    out.Set("varying", memory);
  }
  setFindings(out, findings);
  return out;
}

// lz4CompressedBytes(bytes)
Napi::Value lz4CompressedBytes(Napi::CallbackInfo const& info) {
  std::vector<std::uint8_t> block;
  codec::compressLz4(u8Span(info[0]), block);
  return Napi::Number::New(info.Env(), static_cast<double>(block.size()));
}

// encodeEntityKeys(typeCodes, columns, cellCounts, rowCount, keyBytesMax,
// toldMax)
Napi::Value encodeEntityKeys(Napi::CallbackInfo const& info) {
  Napi::Env const env = info.Env();
  std::vector<codec::Scalar> types;
  for (std::uint32_t const code : u32Span(info[0])) {
    codec::Scalar const type = toScalar(env, code);
    bool const isFloat = type == codec::Scalar::float32 || type == codec::Scalar::float64;
    require(env, !isFloat, "floats are not join keys");
    types.push_back(type);
  }
  auto const columns = toWireColumns(info[1]);
  std::size_t const rowCount = info[3].As<Napi::Number>().Uint32Value();
  std::vector<std::size_t> cellCounts;
  for (std::uint32_t const cellCount : u32Span(info[2])) {
    require(env, cellCount == 1 || cellCount == rowCount, "columns of n cells or 1");
    cellCounts.push_back(cellCount);
  }
  require(env, columns.size() == types.size() && cellCounts.size() == types.size(),
          "a column for each join key");
  std::size_t const keyBytesMax = info[4].As<Napi::Number>().Uint32Value();
  require(env, rowCount * keyBytesMax <= UINT32_MAX, "keys together take at most 4 GiB");
  codec::ProblemList problems(std::max<std::size_t>(rowCount, 1),
                              info[5].As<Napi::Number>().Uint32Value());
  auto const keys =
      codec::encodeEntityKeys({types, columns, cellCounts, rowCount, keyBytesMax}, problems);
  if (!problems.empty()) return toProblems(env, problems);
  return toKeys(env, keys.bytes, keys.offsets);
}

// dedupeKeys(bytes, offsets)
Napi::Value dedupeKeys(Napi::CallbackInfo const& info) {
  auto const bytes = u8Span(info[0]);
  auto const offsets = u32Span(info[1]);
  requireOffsets(info.Env(), offsets, bytes.size());
  auto const distinct = codec::dedupeKeys(bytes, offsets);
  auto const out = Napi::Object::New(info.Env());
  out.Set("slots", toU32Array(info.Env(), distinct.slots));
  out.Set("firstRows", toU32Array(info.Env(), distinct.firstRows));
  return out;
}

}  // namespace

void registerCodec(Napi::Env env, Napi::Object exports) {
  auto const add = [&](char const* name, auto function) {
    exports.Set(name, Napi::Function::New(env, function, name));
  };
  add("createRowLayout", createRowLayout);
  add("encodeRows", encodeRows);
  add("createRowDecoder", createRowDecoder);
  add("decodeRows", decodeRows);
  add("lz4CompressedBytes", lz4CompressedBytes);
  add("encodeEntityKeys", encodeEntityKeys);
  add("dedupeKeys", dedupeKeys);
}

}  // namespace larder
