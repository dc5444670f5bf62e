#include "trees/model.h"

#include "trees/bitmask_predict.h"

namespace larder::trees {

namespace {

template <typename Item>
std::size_t bytesOf(std::vector<Item> const& items) {
  return items.capacity() * sizeof(Item);
}

}  // namespace

std::size_t Model::bytes() const {
  return sizeof(Model) + bytesOf(nodes) + bytesOf(leafIds) + bytesOf(covers) +
         bytesOf(treeOutputs) + bytesOf(trees) + bytesOf(operands) + bytesOf(categoryWords) +
         bytesOf(linearLeaves) + bytesOf(linearTerms) + bytesOf(featureNames) +
         bytesOf(contributions.pointCounts) + pandasCategorical.capacity() +
         (plan ? plan->forest->bytes() : 0);
}

std::size_t Model::stepCount() const {
  return plan ? bitmaskStepCount(*this, *plan) : walkStepCount();
}

std::size_t Model::walkStepCount() const {
  std::size_t count = operands.size();
  for (Tree const& tree : trees) count += tree.depth + 1;
  return count;
}

}  // namespace larder::trees
