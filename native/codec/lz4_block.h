// LZ4 blocks, without a frame: who reads one knows how long it and what it stands for are.
#pragma once

#include <vector>

#include "codec/bytes.h"

namespace larder::codec {

// No byte of a block stands for more than so many.
inline constexpr std::uint64_t kLz4GainMax = 255;

// The block of these bytes; empty where it would not be shorter than they are.
void compressLz4(Bytes value, std::vector<std::uint8_t>& block);

// Writes to `to` the `valueBytes` that the block stands for; false where it is not a block of so
// many.
bool decompressLz4(Bytes block, std::uint8_t* to, std::size_t valueBytes);

}  // namespace larder::codec
