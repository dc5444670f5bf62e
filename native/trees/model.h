// A model of trees as the kernels read it: immutable once built, shared between threads.
//
// Node, 16 bytes, trees one after the other, each breadth-first, the two children adjacent:
//
//   bytes 0..7   threshold; of a leaf its value; of a categorical node its bitset:
//                low 32 bits = index of the first word, high 32 bits = number of bits
//   bytes 8..11  where in a tile the operand lies (lane offset); top bit: categorical node
//   bytes 12..15 next: position of the left child, the right one is at next + 1
//
// One step is `next + !(x <= threshold)`, without a branch. What makes that enough:
//
// * The operand is not the bare feature but the feature prepared for the node's missing type and
//   default side (`Operand`): a missing value has become NaN (goes right) or -inf (goes left).
// * A leaf reads lane offset 0, which always holds -inf, and has itself as `next`: it rests there
//   however many steps follow, so that all lanes of a tile take the same number of steps.
//   A leaf whose value is NaN always steps to next + 1, and so has `next` = its position - 1.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "trees/contribution_plan.h"
#include "trees/objective.h"

namespace larder::trees {

// Rows that walk a tree side by side; the width of a tile. Eight independent walks hide the
// latency of a load and a compare.
inline constexpr std::size_t kLanes = 8;

struct Node {
  std::uint64_t bits;
  std::uint32_t operand;
  std::uint32_t next;

  double threshold() const { return std::bit_cast<double>(bits); }
  std::uint32_t bitsetBegin() const { return static_cast<std::uint32_t>(bits); }
  std::uint32_t bitCount() const { return static_cast<std::uint32_t>(bits >> 32); }
  bool isCategorical() const { return (operand & kCategorical) != 0; }
  bool isLeaf() const { return operand == 0; }
  std::uint32_t laneOffset() const { return operand & ~kCategorical; }

  static constexpr std::uint32_t kCategorical = 1u << 31;
};
static_assert(sizeof(Node) == 16, "four nodes share a cache line");

// How a feature is prepared for the nodes that read it. "Zero" is |x| <= 1e-35f.
enum class Preparation : std::uint8_t {
  zeroForNan,        // missing None: NaN counts as 0
  nanForZeroAndNan,  // missing Zero, default right
  lowForZeroAndNan,  // missing Zero, default left: -inf
  nanForNan,         // missing NaN, default right; also the operand of a linear leaf
  lowForNan,         // missing NaN, default left: -inf
  category,          // bits of an integer category, or of kNoCategory
  categoryFromOne,   // the same with a category c as c + 1, and NaN as 0: XGBoost's missing
                     // value goes to a side of its own choosing, so that sets have a bit for it
};

inline constexpr std::uint32_t kNoCategory = 0xffffffffu;  // above every bit count

// One slot of a tile. Slot 0 is the leaves' -inf; operands[i] fills slot i + 1.
struct Operand {
  std::uint32_t feature;
  Preparation preparation;
};

// How a library treats numbers. Every kernel keeps to it, so that raw scores have its bits.
struct NumberRules {
  bool roundsInputs;  // inputs become float32 first (XGBoost)
  bool dropsTiny;     // inputs of at most 1e-35f are 0 (LightGBM)
  bool sumsFloat32;   // leaves are float32, and so is their sum after each tree (XGBoost)
};

inline constexpr NumberRules kLightgbmRules = {false, true, false};
inline constexpr NumberRules kXgboostRules = {true, false, true};

struct LinearLeaf {
  double constant;
  std::uint32_t termBegin;
  std::uint32_t termCount;
};

struct LinearTerm {
  double coefficient;
  std::uint32_t laneOffset;
};

struct Tree {
  std::uint32_t root;
  std::uint32_t depth;        // steps from the root to the deepest leaf
  std::uint32_t linearBegin;  // linear leaf of leaf 0, if linear
  bool hasCategories;
  bool isLinear;
};

struct KernelPlan;

struct Model {
  std::vector<Node> nodes;
  std::vector<std::int32_t> leafIds;  // per node: the file's number of the leaf, -1 inside
  // Per node the training rows (or their weight) that reached it: what contributions weigh by.
  // Empty where the file lacks them for some tree, which `coverProblem` then names.
  std::vector<double> covers;
  std::string coverProblem;
  std::vector<Tree> trees;
  std::vector<Operand> operands;
  std::vector<std::uint32_t> categoryWords;  // ends with a zero word: offset 0 is always readable
  std::vector<LinearLeaf> linearLeaves;
  std::vector<LinearTerm> linearTerms;

  // How the bitmask kernel runs the trees that fit it (`choose_kernel.h`); null: all are walked.
  std::shared_ptr<KernelPlan const> plan;

  NumberRules rules = kLightgbmRules;
  std::size_t outputCount = 1;  // per row
  // The output that each tree adds to.
  std::vector<std::uint32_t> treeOutputs;
  // What each output's sum begins with; empty means 0.
  std::vector<double> baseScores;
  bool averageOutput = false;
  Objective objective;

  std::string version;
  std::vector<std::string> featureNames;
  std::vector<bool> isFeatureUsed;         // split on, or in a linear leaf
  std::vector<bool> isFeatureCategorical;  // split on by category, or listed so in feature_infos
  std::vector<std::string> warnings;
  bool hasPandasCategorical = false;
  std::size_t pandasCategoricalOffset = 0;
  std::string pandasCategorical;  // the JSON text, not parsed here

  ContributionPlan contributions;  // made of all that is above

  std::size_t iterationCount() const { return trees.size() / outputCount; }
  double baseScore(std::size_t output) const {
    return baseScores.empty() ? 0.0 : baseScores[output];
  }
  // The feature that an inner node splits on.
  std::size_t featureOf(Node const& node) const {
    return operands[node.laneOffset() / kLanes - 1].feature;
  }
  std::size_t bytes() const;
  // Work per row in steps of about 1 ns, by the kernels that run it: one per operand prepared and
  // per level of a tree that is walked.
  std::size_t stepCount() const;
  // The same for leaves, which are always walked for.
  std::size_t walkStepCount() const;
};

}  // namespace larder::trees
