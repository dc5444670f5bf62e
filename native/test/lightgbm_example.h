// What the LightGBM engine's plain C++ tests share: a small model text and a way to fail.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "trees/limits.h"

namespace larder::lightgbm::test {

using larder::trees::ParseLimits;

inline constexpr ParseLimits kLimits{1 << 20, 1000, 1'000'000, 1000};

// Two outputs, two iterations: a numerical and a categorical node, a constant, linear leaves.
inline constexpr std::string_view kExample = R"(tree
version=v4
num_class=2
num_tree_per_iteration=2
label_index=0
max_feature_idx=2
objective=multiclassova num_class:2 sigmoid:1
feature_names=a b c
feature_infos=[0:1] [0:1] 1:2
tree_sizes=1 1 1 1

Tree=0
num_leaves=3
num_cat=1
split_feature=0 2
threshold=0.5 0
decision_type=10 1
left_child=1 -1
right_child=-2 -3
leaf_value=1 2 4
cat_boundaries=0 1
cat_threshold=6
is_linear=0

Tree=1
num_leaves=1
num_cat=0
leaf_value=0.5

Tree=2
num_leaves=2
num_cat=0
split_feature=1
threshold=1.0000000180025095e-35
decision_type=6
left_child=-1
right_child=-2
leaf_value=8 16
is_linear=1
leaf_const=32 64
num_features=1 0
leaf_features=0   
leaf_coeff=0.25   

Tree=3
num_leaves=2
num_cat=0
split_feature=1
threshold=inf
decision_type=8
left_child=-1
right_child=-2
leaf_value=-1 nan

end of trees

pandas_categorical:null
)";

// Ends the program, so that a failing check cannot be overlooked.
inline void check(bool holds, std::string const& what) {
  if (holds) return;
  std::fprintf(stderr, "FAILED: %s\n", what.c_str());
  std::exit(1);
}

inline std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::size_t const at = text.find(from);
  check(at != std::string_view::npos, "the text to replace is there: " + std::string(from));
  std::string result(text);
  return result.replace(at, from.size(), to);
}

// The same without linear leaves and NaN, and with counts: it has contributions.
inline std::string countedExample() {
  std::string text = replaced(kExample,
                              "is_linear=1\nleaf_const=32 64\nnum_features=1 0\n"
                              "leaf_features=0   \nleaf_coeff=0.25   \n",
                              "leaf_count=3 1\ninternal_count=4\n");
  text =
      replaced(text, "leaf_value=-1 nan\n", "leaf_value=-1 2\nleaf_count=5 0\ninternal_count=5\n");
  return replaced(text, "is_linear=0\n", "leaf_count=4 3 2\ninternal_count=9 6\n");
}

}  // namespace larder::lightgbm::test
