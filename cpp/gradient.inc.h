// Backward: walks back through the texts of one share, then the gradients of x and of the weights.
//
// d_gates (D, N, S*H) holds the gradients of the gates before their activation. A step's d_hidden
// is what comes from outside plus the next step's d_gates times weight_hh; d_x is d_gates times
// weight_ih; the weights' gradients are d_gates transposed times x and times the hidden states.

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

// out[row] = left[row] times the packed matrix, block by block of columns; finish(first row, rows,
// sums, first column, vectors) takes every tile. A second product may be added in `more`.
template <class Finish>
INLINE void multiply(int64_t row_count, const ColumnBlocks& blocks, int64_t depth,
                     const float* const* left, const float* panel, const float* const* more_left,
                     const float* more_panel, const Finish& finish) {
  for_groups<kColumnVectors>(blocks.vectors, [&]<int N>(Count<N>, int64_t vector) {
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
      if (more_left != nullptr) {
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r) rows[r] = more_left[first + r];
        accumulate<0, N>(sums, rows, more_panel, depth);
      }
      Vec finished[Rows * N];
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 16
        for (int n = 0; n < N; ++n) finished[r * N + n] = sums[r][n];
      }
      finish(first, Rows, finished, vector * kLanes, N);
    });
    panel += N * kLanes * depth;
    if (more_panel != nullptr) more_panel += N * kLanes * depth;
  });
}

// Where one text reads and writes at the current step of the way back.
struct BackwardRow {
  const float *d_hidden, *d_final, *gates, *cell, *cell_before, *hidden_before;
  float *carry, *d_gates;
  int64_t ahead;  // tokens from here to where the next step back works, 0 if there is none
};

// The cell's gradient for a tile of row_count texts by vector_count vectors of hidden units, whose
// sums hold what the next step sends back. Never inlined, like finish_step.
template <class Cell>
NOINLINE void finish_step_back(const BackwardRow* rows, int row_count, const Vec* sums,
                               int64_t first_unit, int vector_count, int64_t hidden_size,
                               int64_t hidden_width) {
  for (int r = 0; r < row_count; ++r) {
    const BackwardRow& row = rows[r];
    for (int v = 0; v < vector_count; ++v) {
      const int64_t unit = first_unit + v * kLanes, count = hidden_size - unit;
      Vec d_hidden = sums[r * vector_count + v] + load(row.d_hidden + unit, count);
      if (row.d_final != nullptr) d_hidden += load(row.d_final + unit, count);
      Vec carry{}, gate[Cell::kBlocks], d_gate[Cell::kBlocks];
      if constexpr (Cell::kCarry != Carry::none) carry = load(row.carry + unit, count);
      if constexpr (Cell::kCarry == Carry::hidden) d_hidden += carry;
      for (int block = 0; block < Cell::kBlocks; ++block) {
        gate[block] = load(row.gates + block * hidden_size + unit, count);
      }
      typename Cell::State before{load(row.hidden_before + unit, count), Vec{}}, after{};
      if constexpr (Cell::kHasCell) {
        before.cell = load(row.cell_before + unit, count);
        after.cell = load(row.cell + unit, count);
      }
      carry = Cell::gradient(d_gate, gate, before, after, d_hidden, carry);
      if constexpr (Cell::kCarry != Carry::none) store(row.carry + unit, carry, count);
      // Texts side by side are more streams than the processor foresees: a sixth of this walk.
      const int64_t gates_ahead = row.ahead * Cell::kBlocks * hidden_size + unit;
      for (int block = 0; block < Cell::kBlocks; ++block) {
        store(row.d_gates + block * hidden_size + unit, d_gate[block], count);
        __builtin_prefetch(row.gates + block * hidden_size + gates_ahead, 0, 2);
        __builtin_prefetch(row.d_gates + block * hidden_size + gates_ahead, 1, 2);
      }
      __builtin_prefetch(row.d_hidden + row.ahead * hidden_width + unit, 0, 2);
      if constexpr (Cell::kHasCell) {
        __builtin_prefetch(row.cell_before + row.ahead * hidden_size + unit, 0, 2);
      }
    }
  }
}

template <class Cell>
void walk_back(const Backward& call, const Share& share) {
  const Shape& shape = call.shape;
  const GradientLayout<Cell> layout(shape);
  const int64_t size = shape.hidden_size, width = shape.directions * size;
  const int64_t blocks = Cell::kBlocks * size, hidden_first = Cell::kHiddenFirst * size;
  const int64_t direction = share.direction, stride = direction == 0 ? 1 : -1;
  const float* const packed = call.packed[direction];
  BackwardRow* const rows = static_cast<BackwardRow*>(share.rows);
  const float** const d_next = reinterpret_cast<const float**>(rows + share.count);

  const auto state_of = [&](int64_t i) {
    return (direction * shape.sequences + share.lanes[i].sequence) * size;
  };
  if constexpr (Cell::kCarry != Carry::none) {
    for (int64_t i = 0; i < share.count; ++i) {
      const bool cell = Cell::kCarry == Carry::cell;
      copy_or_zero(call.carry + state_of(i),
                   cell ? offset(call.d_final_cell, state_of(i)) : nullptr, size);
    }
  }

  int64_t active = 0;
  for (int64_t step = share.count > 0 ? share.lanes[0].length - 1 : -1; step >= 0; --step) {
    while (active < share.count && share.lanes[active].length > step) ++active;
    for (int64_t i = 0; i < active; ++i) {
      const Lane& lane = share.lanes[i];
      const int64_t token = lane.start + step * stride;
      const int64_t place = direction * shape.tokens + token;  // row of (D, N, ...) arrays
      const bool last = step + 1 == lane.length;
      BackwardRow& row = rows[i];
      row.d_gates = call.d_gates + place * blocks;
      d_next[i] = last ? call.zeros : row.d_gates + stride * blocks + hidden_first;
      row.d_hidden = call.d_hidden ? call.d_hidden + token * width + direction * size : call.zeros;
      row.d_final = last ? offset(call.d_final_hidden, state_of(i)) : nullptr;
      row.gates = call.gates + place * blocks;
      row.hidden_before = call.before[place];
      row.ahead = step == 0 ? 0 : -stride;
      row.carry = offset(call.carry, state_of(i));
      if constexpr (Cell::kHasCell) {
        row.cell = call.cells + place * size;
        const float* const start = call.cell0 ? call.cell0 + state_of(i) : call.zeros;
        row.cell_before = step == 0 ? start : row.cell - stride * size;
      }
    }
    multiply(active, layout.hidden, layout.depth, d_next, packed, nullptr, nullptr,
             [&](int64_t first, int count, const Vec* sums, int64_t unit, int vectors) {
               finish_step_back<Cell>(rows + first, count, sums, unit, vectors, size, width);
             });
  }

  if (call.d_hidden0 == nullptr) return;
  // Texts with tokens, `active` of them, send one more product back; the others pass on what came.
  for (int64_t i = 0; i < active; ++i) {
    const int64_t place = direction * shape.tokens + share.lanes[i].start;
    d_next[i] = call.d_gates + place * blocks + hidden_first;
  }
  multiply(active, layout.hidden, layout.depth, d_next, packed, nullptr, nullptr,
           [&](int64_t first, int count, const Vec* sums, int64_t unit, int vectors) {
             for (int r = 0; r < count; ++r) {
               for (int v = 0; v < vectors; ++v) {
                 const int64_t place = state_of(first + r) + unit + v * kLanes;
                 const int64_t left = size - unit - v * kLanes;
                 Vec d_hidden0 = sums[r * vectors + v];
                 if constexpr (Cell::kCarry == Carry::hidden) {
                   d_hidden0 += load(call.carry + place, left);
                 }
                 store(call.d_hidden0 + place, d_hidden0, left);
               }
             }
           });
  for (int64_t i = active; i < share.count; ++i) {
    copy_or_zero(call.d_hidden0 + state_of(i), offset(call.d_final_hidden, state_of(i)), size);
  }
}

constexpr int64_t kTokenGroup = 6 * kColumnRows;

template <class Cell>
void input_gradient(const Backward& call, int64_t first_token, int64_t token_count) {
  const Shape& shape = call.shape;
  const GradientLayout<Cell> layout(shape);
  const int64_t blocks = Cell::kBlocks * shape.hidden_size, columns = shape.input_size;
  for (int64_t start = 0; start < token_count; start += kTokenGroup) {
    const float* left[2][kTokenGroup];
    const int64_t count = least(kTokenGroup, token_count - start), base = first_token + start;
    for (int direction = 0; direction < shape.directions; ++direction) {
      for (int64_t i = 0; i < count; ++i) {
        left[direction][i] = call.d_gates + (direction * shape.tokens + base + i) * blocks +
                             Cell::kInputFirst * shape.hidden_size;
      }
    }
    const bool both = shape.directions == 2;
    multiply(count, layout.input, layout.depth, left[0], call.packed[0] + layout.input_start(),
             both ? left[1] : nullptr, both ? call.packed[1] + layout.input_start() : nullptr,
             [&](int64_t first, int rows, const Vec* sums, int64_t column, int vectors) {
               for (int r = 0; r < rows; ++r) {
                 float* const to = call.d_x + (base + first + r) * columns + column;
                 for (int v = 0; v < vectors; ++v) {
                   store(to + v * kLanes, sums[r * vectors + v], columns - column - v * kLanes);
                 }
               }
             });
  }
}
