#include "codec/redis_command.h"

namespace larder::codec {

namespace {

constexpr std::size_t kLineEndBytes = 2;

std::size_t decimalDigits(std::size_t number) {
  std::size_t digits = 1;
  for (; number >= 10; number /= 10) digits++;
  return digits;
}

std::size_t countBytes(std::size_t count) { return 1 + decimalDigits(count) + kLineEndBytes; }

std::size_t argumentBytes(std::size_t byteCount) {
  return countBytes(byteCount) + byteCount + kLineEndBytes;
}

std::uint8_t* storeLineEnd(std::uint8_t* to) {
  *to++ = '\r';
  *to++ = '\n';
  return to;
}

std::uint8_t* storeCount(std::uint8_t* to, char kind, std::size_t count) {
  *to++ = static_cast<std::uint8_t>(kind);
  std::uint8_t* const end = to + decimalDigits(count);
  for (std::uint8_t* digit = end; digit-- > to; count /= 10) {
    *digit = static_cast<std::uint8_t>('0' + count % 10);
  }
  return storeLineEnd(end);
}

std::uint8_t* storeArgument(std::uint8_t* to, Bytes argument) {
  return storeLineEnd(storeBytes(storeCount(to, '$', argument.size()), argument));
}

std::size_t argumentCount(RedisCommand const& command) {
  return command.headCount + command.picks.size() + command.tail.size();
}

Bytes keyAt(RedisCommand const& command, std::uint32_t pick) {
  std::uint32_t const start = command.keyOffsets[pick];
  return command.keys.subspan(start, command.keyOffsets[pick + 1] - start);
}

}  // namespace

std::size_t redisCommandBytes(RedisCommand const& command) {
  std::size_t byteCount = countBytes(argumentCount(command)) + command.head.size();
  for (std::uint32_t const pick : command.picks) {
    byteCount += argumentBytes(keyAt(command, pick).size());
  }
  for (Bytes const argument : command.tail) byteCount += argumentBytes(argument.size());
  return byteCount;
}

void storeRedisCommand(std::uint8_t* to, RedisCommand const& command) {
  to = storeBytes(storeCount(to, '*', argumentCount(command)), command.head);
  for (std::uint32_t const pick : command.picks) to = storeArgument(to, keyAt(command, pick));
  for (Bytes const argument : command.tail) to = storeArgument(to, argument);
}

}  // namespace larder::codec
