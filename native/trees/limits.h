// Bounds of what a model file may ask for. Each is checked before anything is allocated
// for it. They are far above real models and only keep a hostile file from taking the process.
#pragma once

#include <cstdint>

namespace larder::trees {

// Larder's own bounds: `src/limits.ts` holds the values and hands them in.
struct ParseLimits {
  std::int64_t modelBytesMax;
  std::int64_t treesMax;
  std::int64_t nodesMax;     // inner nodes and leaves over all trees, 16 bytes each
  std::int64_t featuresMax;  // columns
};

// As LightGBM bounds `num_leaves`.
inline constexpr std::int64_t kLeavesPerTreeMax = 131'072;
// Outputs per row: a caller allocates this many f64 for each row.
inline constexpr std::int64_t kOutputsPerRowMax = 10'000;
// Words of all category sets, 256 MiB: an XGBoost file lists categories, and a single high one asks
// for 2 MiB.
inline constexpr std::int64_t kCategoryWordsMax = std::int64_t{1} << 26;

}  // namespace larder::trees
