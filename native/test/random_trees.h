// Random models for comparing kernels: trees of 1 to 80 leaves of any shape, every missing type,
// thresholds and inputs that are often equal, and numbers that are special to some rule.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "trees/model_layout.h"

namespace larder::trees::test {

using Random = std::mt19937_64;

inline constexpr std::size_t kFeatures = 6;

inline std::size_t below(Random& random, std::size_t bound) { return random() % bound; }

inline double randomNumber(Random& random) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  double const tiny = static_cast<double>(1e-35f);
  std::array<double, 14> const odd = {std::nan(""), kInf,  -kInf,  0.0, -0.0,  5e-324, tiny,
                                      -tiny,        1e308, -1e308, 0.1, 1e-45, 3e38,   -1.0 / 3};
  if (below(random, 6) == 0) return odd[below(random, odd.size())];
  double const grid = (static_cast<double>(below(random, 41)) - 20) / 8;
  // Between two floats, so that a threshold has to be rounded the right way.
  return below(random, 3) == 0 ? std::nextafter(grid, kInf) : grid;
}

// `kinds`: 0 numerical and constant, 1 also categories, 2 also linear leaves.
inline RawTree randomTree(Random& random, std::size_t leafCount, std::size_t kinds) {
  RawTree tree;
  tree.categoryBounds = {0, 2};
  tree.categoryWords = {static_cast<std::uint32_t>(random()), static_cast<std::uint32_t>(random())};
  std::vector<std::int32_t*> unused;
  for (std::size_t node = 0; node + 1 < leafCount; ++node) {
    bool const isCategorical = kinds > 0 && below(random, 4) == 0;
    tree.splitFeature.push_back(static_cast<std::int32_t>(below(random, kFeatures)));
    tree.threshold.push_back(isCategorical ? 0 : randomNumber(random));
    tree.decisionType.push_back(isCategorical ? 1
                                              : static_cast<std::int32_t>(below(random, 6) * 2));
    std::int32_t const left = node == 0 ? ~0 : ~static_cast<std::int32_t>(below(random, node + 1));
    if (node > 0) {
      for (auto* const children : {&tree.leftChild, &tree.rightChild}) {
        for (std::int32_t& child : *children) {
          if (child == left) child = static_cast<std::int32_t>(node);
        }
      }
    }
    tree.leftChild.push_back(left);
    tree.rightChild.push_back(~static_cast<std::int32_t>(node + 1));
  }
  tree.isLinear = kinds == 2;
  for (std::size_t leaf = 0; leaf < leafCount; ++leaf) {
    bool const isOdd = below(random, 16) == 0;
    tree.leafValue.push_back(isOdd ? randomNumber(random)
                                   : static_cast<double>(random() >> 40) / 1e6 - 8);
    if (!tree.isLinear) continue;
    tree.linearConstant.push_back(0.5);
    tree.linearTermCount.push_back(1);
    tree.linearFeature.push_back(static_cast<std::int32_t>(below(random, kFeatures)));
    tree.linearCoefficient.push_back(0.25);
  }
  return tree;
}

inline Model emptyModel(std::size_t outputCount, NumberRules const& rules) {
  Model model;
  model.rules = rules;
  model.outputCount = outputCount;
  for (std::size_t i = 0; i < kFeatures; ++i) model.featureNames.push_back("f" + std::to_string(i));
  model.isFeatureUsed.resize(kFeatures);
  model.isFeatureCategorical.resize(kFeatures);
  return model;
}

}  // namespace larder::trees::test
