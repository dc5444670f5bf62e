// One tree with the arrays of its `Tree=` block, checked but not yet laid out for the kernel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace larder::trees {

// Values of (decision_type >> 2) & 3.
enum class Missing : std::uint8_t { none = 0, zero = 1, nan = 2 };

struct RawTree {
  // Nodes: num_leaves - 1 entries each. A child >= 0 is a node, else the leaf ~child.
  std::vector<std::int32_t> splitFeature;
  std::vector<double> threshold;  // of a categorical node: an index into categoryBounds
  std::vector<std::int32_t> decisionType;
  std::vector<std::int32_t> leftChild;
  std::vector<std::int32_t> rightChild;

  std::vector<double> leafValue;  // num_leaves entries
  // The file's numbers of the leaves; empty where they are 0, 1, 2 ...
  std::vector<std::int32_t> leafNumbers;

  // Category set i is categoryWords[categoryBounds[i] .. categoryBounds[i + 1]).
  std::vector<std::int32_t> categoryBounds;
  std::vector<std::uint32_t> categoryWords;

  // Linear leaves: leaf i has linearTermCount[i] consecutive entries of the last two.
  bool isLinear = false;
  std::vector<double> linearConstant;
  std::vector<std::int32_t> linearTermCount;
  std::vector<std::int32_t> linearFeature;
  std::vector<double> linearCoefficient;

  // Training rows, or their weight, that reached each node and leaf. A tree of one leaf needs
  // none; of others both are empty where unknown, and `coverProblem` may say why.
  std::vector<double> nodeCover;
  std::vector<double> leafCover;
  std::string coverProblem;

  // Categories as `Preparation::categoryFromOne`: bit 0 of each set stands for NaN.
  bool hasMissingBit = false;

  std::int32_t leafNumber(std::int32_t leaf) const {
    return leafNumbers.empty() ? leaf : leafNumbers[static_cast<std::size_t>(leaf)];
  }
  std::size_t leafCount() const { return leafValue.size(); }
  std::size_t nodeCount() const { return splitFeature.size(); }
  bool isCategorical(std::size_t node) const { return (decisionType[node] & 1) != 0; }
  bool isDefaultLeft(std::size_t node) const { return (decisionType[node] & 2) != 0; }
  Missing missing(std::size_t node) const {
    return static_cast<Missing>((decisionType[node] >> 2) & 3);
  }
};

}  // namespace larder::trees
