// UTF-8, strictly: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <optional>

#include "codec/bytes.h"

namespace larder::codec {

// The offset of the first byte that does not begin or continue a character; nothing if all is well.
std::optional<std::size_t> firstBadUtf8(Bytes text);

}  // namespace larder::codec
