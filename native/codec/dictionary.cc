#include "codec/dictionary.h"

#include <algorithm>
#include <bit>

#include "codec/hash.h"

namespace larder::codec {

Dictionary::Dictionary(std::vector<Bytes> const& values) {
  if (values.empty()) return;
  offsets_.push_back(0);
  for (Bytes const value : values) {
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    offsets_.push_back(toOffset(bytes_.size()));
  }
  // At most half full, so that a search ends soon.
  slots_.resize(std::bit_ceil(2 * values.size()));
  for (std::uint32_t index = 0; index < values.size(); index++) {
    std::size_t at = hash64(values[index], 0);
    while (slots_[at % slots_.size()] != 0) at++;
    slots_[at % slots_.size()] = index + 1;
  }
}

std::optional<std::size_t> Dictionary::indexOf(Bytes value) const {
  if (slots_.empty()) return std::nullopt;
  for (std::size_t at = hash64(value, 0);; at++) {
    std::uint32_t const slot = slots_[at % slots_.size()];
    if (slot == 0) return std::nullopt;
    if (std::ranges::equal(valueAt(slot - 1), value)) return slot - 1;
  }
}

}  // namespace larder::codec
