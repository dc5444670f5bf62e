// Why bytes are not a row of their layout.
#pragma once

#include <cstdint>
#include <string>

#include "codec/row_layout.h"

namespace larder::codec {

// `none`: nothing is wrong.
enum class Corruption : std::uint8_t {
  none,
  truncatedHeader,
  badLayoutId,
  presencePadding,
  noException,
  truncatedValue,
  badLength,
  badDim,
  badSymbol,
  badBlock,
  tooLong,
  badBool,
  badScale,
  bitPadding,
  trailingBytes,
  beyondBound,
};

struct RowFault {
  Corruption corruption;
  // Of the value that is wrong, its place in the layout; the number of features otherwise.
  std::size_t featureIndex;
};

// What is wrong, in words; names the feature's id. Without a layout for rows that have none.
std::string describeFault(RowFault fault, RowLayout const* layout);

}  // namespace larder::codec
