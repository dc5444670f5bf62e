#include "store_key_binding.h"

#include <vector>

#include "codec/hot_place.h"
#include "codec/redis_command.h"
#include "codec_arguments.h"

namespace larder {

namespace {

// generations, bytes, offsets, slots: the first four arguments.
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

// Numbers in pairs: a generation, its bucket count.
std::vector<codec::GenerationPacking> toPackings(Napi::Value value) {
  std::span<double const> const numbers = f64Span(value);
  Napi::Env const env = value.Env();
  require(env, numbers.size() % 2 == 0, "two numbers per generation are expected");
  std::vector<codec::GenerationPacking> packings;
  packings.reserve(numbers.size() / 2);
  for (std::size_t at = 0; at < numbers.size(); at += 2) {
    double const bucketCount = numbers[at + 1];
    require(env, bucketCount >= 0 && bucketCount <= UINT32_MAX, "a count of buckets is expected");
    packings.push_back({numbers[at], static_cast<std::uint32_t>(bucketCount)});
  }
  return packings;
}

// placeHotRows(generations, bytes, offsets, slots, packings, rawKeyBytesMax,
// hotKeySeed,
//              hotCheckSeed, isSharded)
Napi::Value placeHotRows(Napi::CallbackInfo const& info) {
  Napi::Env const env = info.Env();
  auto const [keys, slots] = keyArguments(info);
  auto const packings = toPackings(info[4]);
  std::uint32_t const rawKeyBytesMax = info[5].As<Napi::Number>().Uint32Value();
  require(env, rawKeyBytesMax <= UINT8_MAX, "raw keys of at most 255 bytes");
  codec::HotPlaces const places = codec::placeHotRows(keys, slots,
                                                      {packings,
                                                       rawKeyBytesMax,
                                                       {u64(info[6]), u64(info[7])},
                                                       info[8].As<Napi::Boolean>().Value()});
  auto const out = toKeys(env, places.keys.bytes, places.keys.offsets).As<Napi::Object>();
  // What no row has is left out: an array costs more to make than to fill.
  auto const set = [&](char const* name, auto const& values, auto toValue) {
    if (!values.empty()) out.Set(name, toValue(env, values));
  };
  set("isHashed", places.isHashed, toBuffer);
  set("checks", places.checks, toBuffer);
  set("fields", places.fields, toBuffer);
  set("fieldOffsets", places.fieldOffsets, toU32Array);
  set("shards", places.shards, toU32Array);
  set("buckets", places.buckets, toU32Array);
  return out;
}

// encodeWarmKeys(generations, bytes, offsets, slots, warmSpreadSeed)
Napi::Value encodeWarmKeys(Napi::CallbackInfo const& info) {
  auto const [keys, slots] = keyArguments(info);
  auto const warm = codec::encodeWarmKeys(keys, slots, u64(info[4]));
  return toKeys(info.Env(), warm.bytes, warm.offsets);
}

// bucketsOf(bytes, offsets, bucketCount, hotKeySeed)
Napi::Value bucketsOf(Napi::CallbackInfo const& info) {
  Napi::Env const env = info.Env();
  auto const bytes = u8Span(info[0]);
  auto const offsets = u32Span(info[1]);
  requireOffsets(env, offsets, bytes.size());
  auto const bucketCount = info[2].As<Napi::Number>().Uint32Value();
  require(env, bucketCount > 0, "at least one bucket");
  return toU32Array(env, codec::bucketsOf(bytes, offsets, bucketCount, u64(info[3])));
}

// encodeRedisCommand(headCount, head, keys, keyOffsets, picks, tail)
Napi::Value encodeRedisCommand(Napi::CallbackInfo const& info) {
  Napi::Env const env = info.Env();
  require(env, info[5].IsArray(), "an array of arguments is expected");
  auto const tailArray = info[5].As<Napi::Array>();
  std::vector<codec::Bytes> tail;
  for (std::uint32_t index = 0; index < tailArray.Length(); index++) {
    tail.push_back(u8Span(tailArray.Get(index)));
  }
  codec::RedisCommand const command = {info[0].As<Napi::Number>().Uint32Value(),
                                       u8Span(info[1]),
                                       u8Span(info[2]),
                                       u32Span(info[3]),
                                       u32Span(info[4]),
                                       tail};
  requireOffsets(env, command.keyOffsets, command.keys.size());
  for (std::uint32_t const pick : command.picks) {
    require(env, pick < command.keyOffsets.size() - 1, "picks name keys");
  }
  auto const out = Napi::Buffer<std::uint8_t>::New(env, codec::redisCommandBytes(command));
  codec::storeRedisCommand(out.Data(), command);
  return out;
}

}  // namespace

void registerStoreKeys(Napi::Env env, Napi::Object exports) {
  auto const add = [&](char const* name, auto function) {
    exports.Set(name, Napi::Function::New(env, function, name));
  };
  add("placeHotRows", placeHotRows);
  add("encodeWarmKeys", encodeWarmKeys);
  add("bucketsOf", bucketsOf);
  add("encodeRedisCommand", encodeRedisCommand);
}

}  // namespace larder
