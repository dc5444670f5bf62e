#include "codec/row_layout.h"

namespace larder::codec {

std::optional<std::string> versionProblem(CompactVersion const& version) {
  if (version.eventBytes > kEventBytesMax) {
    return "event times of " + std::to_string(version.eventBytes) + " bytes, at most " +
           std::to_string(kEventBytesMax) + " are allowed";
  }
  if (version.eventUnitUs < 1) {
    return "an event time unit of " + std::to_string(version.eventUnitUs) + " us is less than 1";
  }
  constexpr auto kBound = static_cast<__int128>(1) << 53;
  auto const unitsMax = (static_cast<__int128>(1) << (8 * version.eventBytes)) - 1;
  auto const first = static_cast<__int128>(version.eventBaseUs);
  auto const last = first + unitsMax * version.eventUnitUs;
  if (first > -kBound && first < kBound && last < kBound) return std::nullopt;
  return "event times from " + std::to_string(version.eventBaseUs) + " us in units of " +
         std::to_string(version.eventUnitUs) + " us pass 2^53";
}

}  // namespace larder::codec
