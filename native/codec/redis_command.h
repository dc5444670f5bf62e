// Commands in Redis' protocol: `*` and a count of arguments, then each as `$`, its bytes' count and
// its bytes, all ended by CR LF.
//
// A client makes a buffer of each key and joins them, which costs more than all else of an MGET.
// Here the keys go from one blob into the command.
#pragma once

#include <cstdint>
#include <span>

#include "codec/bytes.h"

namespace larder::codec {

// The arguments: those of `head`, already in the protocol's form, the keys that `picks` names,
// `tail`.
struct RedisCommand {
  std::size_t headCount;
  Bytes head;
  Bytes keys;
  std::span<std::uint32_t const> keyOffsets;
  std::span<std::uint32_t const> picks;
  std::span<Bytes const> tail;
};

std::size_t redisCommandBytes(RedisCommand const& command);

// Stores `redisCommandBytes(command)` bytes.
void storeRedisCommand(std::uint8_t* to, RedisCommand const& command);

}  // namespace larder::codec
