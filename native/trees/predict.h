// Runs a model over columns: raw or transformed scores, or the leaf each row falls into.
//
// The caller owns inputs and outputs and keeps them alive; nothing is kept afterwards. Every row's
// sum is taken in tree order under the model's number rules, so that raw scores equal the training
// library's bit for bit. Compile with
// -ffp-contract=off: a fused multiply-add in a linear leaf would break that.
#pragma once

#include <cstdint>

#include "trees/columns.h"
#include "trees/model.h"

namespace larder::trees {

enum class Score : std::uint8_t {
  raw,          // the plain sum of the trees, also for average_output
  transformed,  // averaged where the model says so, then through the objective
};

// The plain sums by kernel `walk` alone, whatever kernel the model has: what others are checked
// against.
void walkScores(Model const& model, RowRange const& rows, double* output);

// Writes output[row * outputCount + output] for the rows of the range.
void predictScores(Model const& model, RowRange const& rows, Score score, double* output);

// Writes output[row * trees + tree]: the file's number of the leaf.
void predictLeaves(Model const& model, RowRange const& rows, std::int32_t* output);

}  // namespace larder::trees
