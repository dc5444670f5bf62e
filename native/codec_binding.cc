#include "codec_binding.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "codec/column_gather.h"
#include "codec/entity_key.h"
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

codec::RowLayout const& layoutOf(Napi::Value value) {
  return fromExternal<codec::RowLayout>(value, kLayoutTag, "a row layout is expected");
}

// createRowLayout(layoutId, features)
Napi::Value createRowLayout(Napi::CallbackInfo const& info) {
  auto layout = std::make_unique<codec::RowLayout>();
  layout->id = info[0].As<Napi::Number>().Uint32Value();
  for (TypedFeature const& feature : toTypedFeatures(info[1])) {
    layout->features.push_back({feature.id, feature.type});
  }
  return toExternal(info.Env(), std::move(layout), kLayoutTag);
}

// encodeRows(layout, columns, eventTimesUs, sequence, limits)
Napi::Value encodeRows(Napi::CallbackInfo const& info) {
  Napi::Env const env = info.Env();
  codec::RowLayout const& layout = layoutOf(info[0]);
  auto const columns = toWireColumns(info[1]);
  require(env, columns.size() == layout.features.size(), "a column for each feature");
  codec::RowsToEncode const rows = {columns, i64Span(info[2]), u64(info[3])};
  auto const limits = u32Span(info[4]);
  require(env, limits.size() == 4, "limits: row bytes, value bytes, list elements, problems");
  codec::ProblemList problems(rows.eventTimesUs.size(), limits[3]);
  auto const encoded = codec::encodeRows(layout, rows, {limits[0], limits[1], limits[2]}, problems);
  if (!problems.empty()) return toProblems(env, problems);
  return toKeys(env, encoded.bytes, encoded.offsets);
}

// createRowDecoder(layouts, wanted)
Napi::Value createRowDecoder(Napi::CallbackInfo const& info) {
  auto const array = info[0].As<Napi::Array>();
  std::vector<codec::RowLayout> layouts;
  for (std::uint32_t index = 0; index < array.Length(); index++) {
    layouts.push_back(layoutOf(array.Get(index)));
  }
  std::vector<codec::WantedFeature> wanted;
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

codec::FixedParts toFixedParts(Napi::CallbackInfo const& info, codec::RowDecoder const& decoder,
                               std::size_t rowCount) {
  Napi::Env const env = info.Env();
  auto const memory = u8Span(info[10]);
  codec::FixedParts const parts = {memory.data(), 0, u32Span(info[11]), u32Span(info[12])};
  auto const& wanted = decoder.wanted();
  require(env, rowCount * 8 <= memory.size(), "event times fit");
  require(env, parts.valueOffsets.size() == wanted.size(), "an offset for each column's values");
  require(env, parts.statusOffsets.size() == wanted.size(), "an offset for each column's statuses");
  for (std::size_t index = 0; index < wanted.size(); index++) {
    std::size_t const valueBytes =
        rowCount * codec::columnCellBytes(codec::columnClassOf(wanted[index].type));
    require(env, parts.valueOffsets[index] + valueBytes <= memory.size(), "values fit");
    require(env, parts.statusOffsets[index] + rowCount <= memory.size(), "statuses fit");
  }
  return parts;
}

// Where each column's varying parts lie in one buffer, each at a multiple of 8: elements begin and
// end, data begin and end.
struct VaryingLayout {
  std::vector<std::uint32_t> bounds;
  std::size_t byteCount = 0;
};

std::optional<VaryingLayout> layOut(std::span<codec::VaryingPart const> parts,
                                    std::size_t byteCountMax) {
  VaryingLayout layout;
  for (codec::VaryingPart const& part : parts) {
    for (std::size_t const partBytes : {part.elementBytes, part.dataBytes}) {
      // Tested part by part: a sum of sums could pass 32 bits.
      if (partBytes > byteCountMax) return std::nullopt;
      layout.bounds.push_back(static_cast<std::uint32_t>(layout.byteCount));
      layout.bounds.push_back(static_cast<std::uint32_t>(layout.byteCount + partBytes));
      layout.byteCount += (partBytes + 7) / 8 * 8;
      if (layout.byteCount > byteCountMax) return std::nullopt;
    }
  }
  return layout;
}

void setVarying(Napi::Object out, codec::ColumnGatherer const& gatherer,
                VaryingLayout const& layout) {
  auto memory = Napi::ArrayBuffer::New(out.Env(), layout.byteCount);
  auto* const start = static_cast<std::uint8_t*>(memory.Data());
  for (std::size_t at = 0; at < layout.bounds.size(); at += 4) {
    gatherer.gatherVarying(at / 4, start + layout.bounds[at], start + layout.bounds[at + 2]);
  }
  out.Set("varying", memory);
  out.Set("bounds", toU32Array(out.Env(), layout.bounds));
}

void setFindings(Napi::Object out, codec::FoundCells const& found) {
  Napi::Env const env = out.Env();
  auto const corrupt = Napi::Array::New(env);
  for (std::uint32_t index = 0; index < found.corrupt.size(); index++) {
    auto const entry = Napi::Object::New(env);
    entry.Set("slot", found.corrupt[index].slot);
    entry.Set("reason", found.corrupt[index].reason);
    corrupt.Set(index, entry);
  }
  auto const unknownLayouts = Napi::Array::New(env);
  for (std::uint32_t index = 0; index < found.unknownLayouts.size(); index++) {
    auto const entry = Napi::Object::New(env);
    entry.Set("slot", found.unknownLayouts[index].slot);
    entry.Set("layoutId", found.unknownLayouts[index].layoutId);
    unknownLayouts.Set(index, entry);
  }
  out.Set("corrupt", corrupt);
  out.Set("unknownLayouts", unknownLayouts);
}

// decodeRows(decoder, arena, starts, lengths, states, slots, nowUs, ttlUs, retentionUs,
//            servesStale, fixed, valueOffsets, statusOffsets, varyingBytesMax)
Napi::Value decodeRows(Napi::CallbackInfo const& info) {
  auto const& decoder = fromExternal<codec::RowDecoder>(info[0], kDecoderTag, "a row decoder");
  std::span<std::uint32_t const> const outputs = u32Span(info[5]);
  codec::RowSlots const slots = toRowSlots(info, outputs);
  codec::Judge const judge = {i64(info[6]), i64(info[7]), i64(info[8])};
  codec::FixedParts const fixed = toFixedParts(info, decoder, outputs.size());
  auto const found = codec::findCells(decoder, slots, judge, outputs);
  codec::ColumnGatherer const gatherer(decoder, found, slots.arena, info[9].ToBoolean());
  auto const out = Napi::Object::New(info.Env());
  auto const varying =
      layOut(gatherer.gatherFixed(fixed), info[13].As<Napi::Number>().Uint32Value());
  if (varying) setVarying(out, gatherer, *varying);
  setFindings(out, found);
  return out;
}

// encodeEntityKeys(typeCodes, columns, cellCounts, rowCount, keyBytesMax, toldMax)
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

// generations, bytes, offsets, slots: the first four arguments of both.
struct KeyArguments {
  codec::KeyBatch keys;
  std::span<std::uint32_t const> slots;
};

KeyArguments keyArguments(Napi::CallbackInfo const& info) {
  Napi::Env const env = info.Env();
  KeyArguments const arguments = {{f64Span(info[0]), u8Span(info[1]), u32Span(info[2])},
                                  u32Span(info[3])};
  codec::KeyBatch const& keys = arguments.keys;
  requireOffsets(env, keys.offsets, keys.bytes.size());
  require(env, keys.offsets.size() == keys.generations.size() + 1, "a generation for each key");
  for (std::uint32_t const slot : arguments.slots) {
    require(env, slot < keys.generations.size(), "slots name keys of the batch");
    double const generation = keys.generations[slot];
    require(env, generation >= 0 && generation <= 0x1p53, "generations are integers");
  }
  return arguments;
}

Napi::Value toStoreKeys(Napi::Env env, codec::StoreKeys const& keys) {
  auto const out = toKeys(env, keys.bytes, keys.offsets).As<Napi::Object>();
  out.Set("isHashed", toBuffer(env, keys.isHashed));
  out.Set("checks", toBuffer(env, keys.checks));
  return out;
}

// encodeHotKeys(generations, bytes, offsets, slots, rawKeyBytesMax, hotKeySeed, hotCheckSeed)
Napi::Value encodeHotKeys(Napi::CallbackInfo const& info) {
  auto const [keys, slots] = keyArguments(info);
  auto const rawKeyBytesMax = info[4].As<Napi::Number>().Uint32Value();
  codec::HotKeySeeds const seeds = {u64(info[5]), u64(info[6])};
  return toStoreKeys(info.Env(), codec::encodeHotKeys(keys, slots, rawKeyBytesMax, seeds));
}

// encodeWarmKeys(generations, bytes, offsets, slots, warmSpreadSeed)
Napi::Value encodeWarmKeys(Napi::CallbackInfo const& info) {
  auto const [keys, slots] = keyArguments(info);
  return toStoreKeys(info.Env(), codec::encodeWarmKeys(keys, slots, u64(info[4])));
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
  add("encodeEntityKeys", encodeEntityKeys);
  add("dedupeKeys", dedupeKeys);
  add("encodeHotKeys", encodeHotKeys);
  add("encodeWarmKeys", encodeWarmKeys);
}

}  // namespace larder
