#include "trees/check_rows.h"

#include <cmath>
#include <cstdint>
#include <limits>

#include "trees/operand_values.h"

namespace larder::trees {

namespace {

// Any order of values will do; a fixed one makes a load repeatable.
class Shuffle {
 public:
  std::size_t below(std::size_t bound) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>(state_ >> 33) % bound;
  }

 private:
  std::uint64_t state_ = 1;
};

std::vector<std::vector<double>> thresholdsByFeature(Model const& model) {
  std::vector<std::vector<double>> thresholds(model.featureNames.size());
  for (Node const& node : model.nodes) {
    if (node.isLeaf() || node.isCategorical()) continue;
    Operand const& operand = model.operands[node.laneOffset() / kLanes - 1];
    thresholds[operand.feature].push_back(node.threshold());
  }
  return thresholds;
}

template <typename Scalar>
Scalar valueBeside(Scalar threshold, Shuffle& shuffle) {
  constexpr Scalar kInfinity = std::numeric_limits<Scalar>::infinity();
  constexpr Scalar kTiny = static_cast<Scalar>(kTinyMax);
  switch (shuffle.below(16)) {
    case 0:
      return std::numeric_limits<Scalar>::quiet_NaN();
    case 1:
      return shuffle.below(2) == 0 ? kInfinity : -kInfinity;
    case 2:
      return shuffle.below(2) == 0 ? Scalar{0} : -Scalar{0};
    case 3:
      return shuffle.below(2) == 0 ? kTiny : std::nextafter(kTiny, kInfinity);
    case 4:
    case 5:
    case 6:
      return std::nextafter(threshold, kInfinity);
    case 7:
    case 8:
    case 9:
      return std::nextafter(threshold, -kInfinity);
    default:
      return threshold;
  }
}

}  // namespace

CheckRows::CheckRows(Model const& model, std::size_t rowCount) : rowCount_(rowCount) {
  Shuffle shuffle;
  for (std::vector<double> const& thresholds : thresholdsByFeature(model)) {
    // A feature without thresholds may still be read, by categories or linear leaves.
    bool const isFree = thresholds.empty();
    std::size_t const count = model.isFeatureUsed[doubles_.size()] ? rowCount : 1;
    std::vector<float>& floats = floats_.emplace_back(count);
    std::vector<double>& doubles = doubles_.emplace_back(count);
    for (std::size_t row = 0; row < count; ++row) {
      double const threshold = isFree ? static_cast<double>(shuffle.below(100))
                                      : thresholds[shuffle.below(thresholds.size())];
      floats[row] = valueBeside(static_cast<float>(threshold), shuffle);
      doubles[row] = valueBeside(threshold, shuffle);
    }
  }
}

std::vector<Column> CheckRows::floats() const {
  std::vector<Column> columns;
  for (auto const& values : floats_) columns.push_back({values.data(), values.size() != rowCount_});
  return columns;
}

std::vector<Column> CheckRows::doubles() const {
  std::vector<Column> columns;
  for (auto const& values : doubles_)
    columns.push_back({values.data(), values.size() != rowCount_});
  return columns;
}

}  // namespace larder::trees
