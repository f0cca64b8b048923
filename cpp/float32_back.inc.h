// The products of the way back in float32: d_gates times the weights, for the walk and for d_x.
// bfloat16_back.inc.h offers the same names.

constexpr int kWeightTile = kColumnRows;  // rows of a tile of the weights' gradients

// Columns of a product, divided into blocks of at most kColumnVectors vectors.
struct ColumnBlocks {
  int64_t columns, vectors;
  explicit ColumnBlocks(int64_t count) : columns(count), vectors(ceil_divide(count, kLanes)) {}
  int64_t padded() const { return vectors * kLanes; }
  int64_t count() const { return ceil_divide(vectors, kColumnVectors); }
};

// Both weight matrices of one direction as right operands [block][k][columns], k over kGates * H
// rows in the order of the saved blocks.
template <class Cell>
struct GradientLayout {
  int64_t depth;
  ColumnBlocks input, hidden;

  explicit GradientLayout(const Shape& shape)
      : depth(Cell::kGates * shape.hidden_size),
        input(shape.input_size),
        hidden(shape.hidden_size) {}
  // Elements of a token's d_gates, and of the operands that walk_back gathers: none.
  int64_t gate_row() const { return Cell::kBlocks * hidden.columns; }
  int64_t operand_elements(int64_t) const { return 0; }
  int64_t input_start() const { return hidden.padded() * depth; }
  int64_t floats() const { return input_start() + input.padded() * depth; }
};

// Part p packs the p-th block of columns: those of weight_hh first, then those of weight_ih.
template <class Cell>
void pack_gradient_block(const Shape& shape, const Weights& weights, float* packed, int64_t part) {
  const GradientLayout<Cell> layout(shape);
  const bool is_hidden = part < layout.hidden.count();
  const ColumnBlocks& blocks = is_hidden ? layout.hidden : layout.input;
  const float* const weight = is_hidden ? weights.weight_hh : weights.weight_ih;
  const int64_t wanted = is_hidden ? part : part - layout.hidden.count();
  float* panel = packed + (is_hidden ? 0 : layout.input_start());
  int64_t block = 0;
  for_groups<kColumnVectors>(blocks.vectors, [&]<int N>(Count<N>, int64_t first) {
    if (block++ == wanted) {
      const int64_t column = first * kLanes, padded = N * kLanes;
      pack_columns(panel, layout.depth, column, least(padded, blocks.columns - column), padded,
                   [&](int64_t k) {
                     const int gate = static_cast<int>(k / shape.hidden_size);
                     const int row = is_hidden ? Cell::hidden_gate(gate) : Cell::input_gate(gate);
                     const int64_t unit = k % shape.hidden_size;
                     return weight + (row * shape.hidden_size + unit) * blocks.columns;
                   });
    }
    panel += N * kLanes * layout.depth;
  });
}

// The left operand of `multiply`: where its rows lie.
typedef const Element* const* LeftRows;

// Nothing to do: rows are read no further than they are written.
INLINE void finish_row(Element*, int64_t, int64_t) {}

// Rows that lie anywhere are taken as they are.
INLINE LeftRows scattered_rows(const Element* const* rows, int64_t, int64_t, Element*) {
  return rows;
}

// Rows `stride` apart; `room` is for as many pointers.
INLINE LeftRows even_rows(const Element* first, int64_t stride, int64_t count,
                          const Element** room) {
  for (int64_t i = 0; i < count; ++i) room[i] = first + i * stride;
  return room;
}

// out[row] = left[row] times the packed matrix, for a range of its blocks of columns;
// finish(first row, rows, sums, first column, vectors) takes every tile. A second product may be
// added in `more`.
template <class Finish>
INLINE void multiply(int64_t row_count, const ColumnBlocks& blocks, Range range, int64_t depth,
                     LeftRows left, const float* matrix, LeftRows more_left,
                     const float* more_matrix, const Finish& finish) {
  int64_t block = 0;
  for_groups<kColumnVectors>(blocks.vectors, [&]<int N>(Count<N>, int64_t vector) {
    const bool wanted = block >= range.first && block < range.last;
    ++block;
    if (!wanted) return;
    const float* const panel = matrix + vector * kLanes * depth;
    for_groups<kColumnRows>(row_count, [&]<int Rows>(Count<Rows>, int64_t first) {
      Vec sums[Rows][N];
      const float* rows[Rows];
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
        rows[r] = left[first + r];
#pragma GCC unroll 16
        for (int n = 0; n < N; ++n) sums[r][n] = Vec{};
      }
      accumulate<0, N>(sums, rows, panel, depth);
      if (more_matrix != nullptr) {
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r) rows[r] = more_left[first + r];
        accumulate<0, N>(sums, rows, more_matrix + vector * kLanes * depth, depth);
      }
      Vec finished[Rows * N];
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 16
        for (int n = 0; n < N; ++n) finished[r * N + n] = sums[r][n];
      }
      finish(first, Rows, finished, vector * kLanes, N);
    });
  });
}
