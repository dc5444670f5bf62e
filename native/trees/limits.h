// Bounds of what a model file may ask for. Each is checked before anything is allocated
// for it. They are far above real models and only keep a hostile file from taking the process.
#pragma once

#include <cstddef>
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

// Levels of a tree whose contributions can be told: the work grows with their square where each
// level splits on another feature, and a walk takes 21 MB at most. Training stays below a hundred.
inline constexpr std::uint32_t kContributionDepthMax = 512;
// Steps of one row's contributions: about a second. Ten thousand trees of 255 leaves take a
// tenth of it.
inline constexpr std::size_t kContributionStepsMax = std::size_t{1} << 28;

}  // namespace larder::trees
