#include "codec/row_fault.h"

namespace larder::codec {

namespace {

char const* textOf(Corruption corruption) {
  switch (corruption) {
    case Corruption::none:
      break;
    case Corruption::truncatedHeader:
      return "the row ends within its layout id, version or presence bits";
    case Corruption::badLayoutId:
      return "the layout id is not a minimal varint of at most 5 bytes";
    case Corruption::presencePadding:
      return "an unused presence bit is set";
    case Corruption::noException:
      return "exceptions are announced, but there is none";
    case Corruption::truncatedValue:
      return "the row ends within the value";
    case Corruption::badLength:
      return "the length is not a minimal varint of at most 5 bytes";
    case Corruption::badDim:
      return "the number of elements is not that of the embedding";
    case Corruption::badSymbol:
      return "a symbol stands for no value of the type";
    case Corruption::tooLong:
      return "its texts and blocks come to more than 4 MiB";
    case Corruption::badBlock:
      return "the block is not exactly one value";
    case Corruption::badBool:
      return "a bool is neither 0 nor 1";
    case Corruption::badScale:
      return "the scale of the embedding is not a positive, finite float";
    case Corruption::trailingBytes:
      return "bytes follow the last value";
    case Corruption::bitPadding:
      return "an unused bit behind the last value is set";
    case Corruption::beyondBound:
      return "the value is longer than what one call may return";
  }
  __builtin_unreachable();
}

}  // namespace

std::string describeFault(RowFault fault, RowLayout const* layout) {
  std::string const text = textOf(fault.corruption);
  if (layout == nullptr || fault.featureIndex >= layout->features.size()) return text;
  return "feature id " + std::to_string(layout->features[fault.featureIndex].id) + ": " + text;
}

}  // namespace larder::codec
