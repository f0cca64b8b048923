// The whole kernel for one instruction set and precision; target_*.cc include this under their
// compiler flags. GATEWISE_TILE names the file with the products of bfloat16, if it is those;
// GATEWISE_INT8 stands for the products of int8, which have no gradient.
//
// Everything lies in an unnamed namespace and no standard library is included, so that the object
// defines one global symbol, the table.
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "target.h"

namespace gatewise {
namespace {

#include "vector_math.inc.h"

#include "gemm.inc.h"

#include "cells.inc.h"

#if defined(GATEWISE_TILE)
#include "pairs.inc.h"

#include GATEWISE_TILE

#include "steps.inc.h"

#include "bfloat16.inc.h"

#include "bfloat16_back.inc.h"
#elif defined(GATEWISE_INT8)
typedef uint8_t Element;

#include "steps.inc.h"

#include "int8.inc.h"
#else
typedef float Element;

#include "steps.inc.h"

#include "float32.inc.h"

#include "float32_back.inc.h"

#include "linear.inc.h"
#endif

#include "recurrence.inc.h"

int64_t packed_floats(const Shape& shape) {
  return with_cell(shape.cell, [&]<class Cell>() { return ForwardLayout<Cell>(shape).floats(); });
}

int64_t pack_parts(const Shape& shape) {
  return with_cell(shape.cell, [&]<class Cell>() { return ForwardLayout<Cell>(shape).tiles; });
}

void pack(const Shape& shape, const Weights& weights, float* packed, int64_t part) {
  with_cell(shape.cell, [&]<class Cell>() { pack_tile<Cell>(shape, weights, packed, part); });
}

void walk(const Forward& call, const float* packed, const Share& share) {
  with_cell(call.shape.cell, [&]<class Cell>() { walk<Cell>(call, packed, share); });
}

#if !defined(GATEWISE_TILE) && !defined(GATEWISE_INT8)
int64_t projected_floats(const Shape& shape) {
  return with_cell(shape.cell, [&]<class Cell>() { return ForwardLayout<Cell>(shape).step_sums(); });
}

void project(const Shape& shape, const float* packed, const float* x, int64_t rows, float* to,
             int64_t stride) {
  with_cell(shape.cell, [&]<class Cell>() {
    const ForwardLayout<Cell> layout(shape);
    constexpr int64_t kRows = 64;  // which stay in the first cache for all tiles
    for (int64_t first = 0; first < rows; first += kRows) {
      const float* some[kRows];
      const int64_t count = least(kRows, rows - first);
      for (int64_t i = 0; i < count; ++i) some[i] = x + (first + i) * shape.input_size;
      project_rows<Cell>(some, count, packed, layout, Range{0, layout.tiles}, to + first * stride,
                         stride);
    }
  });
}
#endif

#if defined(GATEWISE_INT8)
int64_t share_bytes(const Shape& shape, int64_t count) {
  return with_cell(shape.cell, [&]<class Cell>() -> int64_t {
    return count * static_cast<int64_t>(sizeof(ForwardRow)) + 64 +
           ForwardLayout<Cell>(shape).operand_elements(count);
  });
}
#else
#include "gradient.inc.h"

#if defined(GATEWISE_TILE)
#include "bfloat16_weights.inc.h"
#else
#include "float32_weights.inc.h"
#endif

int64_t share_bytes(const Shape& shape, int64_t count) {
  return with_cell(shape.cell, [&]<class Cell>() -> int64_t {
    const int64_t ahead = ForwardLayout<Cell>(shape).operand_elements(count);
    const int64_t back = GradientLayout<Cell>(shape).operand_elements(count);
    const int64_t records = count * static_cast<int64_t>(sizeof(BackwardRow) + sizeof(void*));
    return records + 64 + (ahead > back ? ahead : back) * static_cast<int64_t>(sizeof(Element));
  });
}

int64_t gate_row_bytes(const Shape& shape) {
  return with_cell(shape.cell, [&]<class Cell>() {
    return GradientLayout<Cell>(shape).gate_row() * static_cast<int64_t>(sizeof(Element));
  });
}

int64_t gradient_floats(const Shape& shape) {
  return with_cell(shape.cell, [&]<class Cell>() { return GradientLayout<Cell>(shape).floats(); });
}

int64_t gradient_parts(const Shape& shape) {
  return ColumnBlocks(shape.hidden_size).count() + ColumnBlocks(shape.input_size).count();
}

void pack_gradient(const Shape& shape, const Weights& weights, float* packed, int64_t part) {
  with_cell(shape.cell,
            [&]<class Cell>() { pack_gradient_block<Cell>(shape, weights, packed, part); });
}

void walk_back(const Backward& call, const Share& share) {
  with_cell(call.shape.cell, [&]<class Cell>() { walk_back<Cell>(call, share); });
}

void input_gradient(const Backward& call, int64_t first_token, int64_t token_count) {
  with_cell(call.shape.cell,
            [&]<class Cell>() { input_gradient<Cell>(call, first_token, token_count); });
}

int64_t weight_tiles(const Shape& shape) {
  return with_cell(shape.cell, [&]<class Cell>() {
    return ceil_divide(Cell::kBlocks * shape.hidden_size, kWeightTile);
  });
}

int64_t weight_scratch_floats(const Shape& shape, int64_t tile_count) {
  return WeightScratch(shape, tile_count, nullptr).floats;
}

void weight_gradient(const Backward& call, int direction, int64_t first_tile, int64_t tile_count,
                     float* scratch) {
  with_cell(call.shape.cell, [&]<class Cell>() {
    weight_gradient<Cell>(call, direction, first_tile, tile_count, scratch);
  });
}
#endif

}  // namespace

const Target GATEWISE_TARGET = {
    .name = GATEWISE_NAME,
    .multiply_and_add = multiply_and_add,
    .share_bytes = share_bytes,
    .packed_floats = packed_floats,
    .pack_parts = pack_parts,
    .pack = pack,
    .walk = walk,
#if !defined(GATEWISE_INT8)
    .gate_row_bytes = gate_row_bytes,
    .gradient_floats = gradient_floats,
    .gradient_parts = gradient_parts,
    .pack_gradient = pack_gradient,
    .walk_back = walk_back,
    .input_gradient = input_gradient,
    .weight_tiles = weight_tiles,
    .weight_scratch_floats = weight_scratch_floats,
    .weight_gradient = weight_gradient,
#endif
#if !defined(GATEWISE_TILE) && !defined(GATEWISE_INT8)
    .projected_floats = projected_floats,
    .project = project,
    .linear_parts = linear_parts,
    .linear_floats = linear_floats,
    .pack_linear = pack_linear,
    .linear = linear,
    .softmax_bytes = softmax_bytes,
    .softmax = softmax,
#endif
};

}  // namespace gatewise
