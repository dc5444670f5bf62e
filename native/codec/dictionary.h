// A dictionary of texts: values by their index, and indexes by their value.
#pragma once

#include <optional>
#include <vector>

#include "codec/bytes.h"

namespace larder::codec {

class Dictionary {
 public:
  Dictionary() = default;
  // Of distinct values, which are copied. Throws length_error beyond 4 GiB.
  explicit Dictionary(std::vector<Bytes> const& values);

  std::size_t valueCount() const { return offsets_.empty() ? 0 : offsets_.size() - 1; }
  Bytes valueAt(std::size_t index) const {
    return Bytes(bytes_).subspan(offsets_[index], offsets_[index + 1] - offsets_[index]);
  }
  std::optional<std::size_t> indexOf(Bytes value) const;

 private:
  std::vector<std::uint8_t> bytes_;
  std::vector<std::uint32_t> offsets_;
  // Open addressing: an index + 1, or 0 where nothing is.
  std::vector<std::uint32_t> slots_;
};

}  // namespace larder::codec
