// Forward: walks the texts of one share side by side, one token of each per step.
//
// A tile is up to kForwardRows texts by kUnits hidden units with all their gates. Its sums start
// from the bias and run over the input x and then over the hidden state of the token before, both
// read in place; the cell's arithmetic follows while they are still in the cache.

// Weights of one direction, packed: per tile the input panel, then the hidden panels, then biases.
template <class Cell>
struct ForwardLayout {
  static constexpr int64_t kUnits = Cell::kWidth * kLanes;
  static constexpr int64_t kPanel = Cell::kGates * kUnits;  // floats per k
  int64_t tiles, input_size, hidden_size;

  explicit ForwardLayout(const Shape& shape)
      : tiles(ceil_divide(shape.hidden_size, kUnits)),
        input_size(shape.input_size),
        hidden_size(shape.hidden_size) {}
  int64_t input(int64_t tile) const { return tile * input_size * kPanel; }
  int64_t hidden(int64_t tile) const { return (tiles * input_size + tile * hidden_size) * kPanel; }
  int64_t bias(int64_t tile) const { return hidden(tiles) + tile * Cell::kBlocks * kUnits; }
  int64_t floats() const { return bias(tiles); }
};

// Transposes rows `gate_of(g) * H + unit` of a weight matrix into the tile's panel [k][gate][unit].
template <class Cell, class GateOf>
void pack_panel(float* panel, const float* weight, int64_t depth, int64_t hidden_size, int64_t tile,
                const GateOf& gate_of) {
  using Layout = ForwardLayout<Cell>;
  constexpr int64_t kBlock = 16;  // values of k whose part of the panel stays in the first cache
  for (int64_t start = 0; start < depth; start += kBlock) {
    const int64_t stop = least(start + kBlock, depth);
    for (int gate = 0; gate < Cell::kGates; ++gate) {
      for (int64_t lane = 0; lane < Layout::kUnits; ++lane) {
        const int64_t unit = tile * Layout::kUnits + lane;
        const float* const row = weight + (gate_of(gate) * hidden_size + unit) * depth;
        float* const to = panel + gate * Layout::kUnits + lane;
        for (int64_t k = start; k < stop; ++k) {
          to[k * Layout::kPanel] = unit < hidden_size ? row[k] : 0.0f;
        }
      }
    }
  }
}

template <class Cell>
void pack_tile(const Shape& shape, const Weights& weights, float* packed, int64_t tile) {
  using Layout = ForwardLayout<Cell>;
  const Layout layout(shape);
  const int64_t size = shape.hidden_size;
  pack_panel<Cell>(packed + layout.input(tile), weights.weight_ih, shape.input_size, size, tile,
                   [](int gate) { return Cell::input_gate(gate); });
  pack_panel<Cell>(packed + layout.hidden(tile), weights.weight_hh, size, size, tile,
                   [](int gate) { return Cell::hidden_gate(gate); });
  // A block that receives both products starts from the sum of both biases.
  float* const bias = packed + layout.bias(tile);
  for (int64_t i = 0; i < Cell::kBlocks * Layout::kUnits; ++i) bias[i] = 0.0f;
  for (int64_t lane = 0; lane < least(Layout::kUnits, size - tile * Layout::kUnits); ++lane) {
    const int64_t unit = tile * Layout::kUnits + lane;
    for (int gate = 0; gate < Cell::kGates; ++gate) {
      const int64_t input = (Cell::kInputFirst + gate) * Layout::kUnits + lane;
      const int64_t hidden = (Cell::kHiddenFirst + gate) * Layout::kUnits + lane;
      if (weights.bias_ih) bias[input] += weights.bias_ih[Cell::input_gate(gate) * size + unit];
      if (weights.bias_hh) bias[hidden] += weights.bias_hh[Cell::hidden_gate(gate) * size + unit];
    }
  }
}

// Where one text reads and writes at the current step.
struct ForwardRow {
  const float *x, *hidden_before;
  float *hidden, *cell, *gates, *cells;
};

// The cell's arithmetic on finished sums [row][block][vector of units]. Never inlined: one copy of
// this code serves tiles of every height, so all of them round alike.
template <class Cell>
NOINLINE void finish_step(const ForwardRow* rows, int row_count, const Vec* sums, int64_t tile,
                          int64_t hidden_size) {
  for (int r = 0; r < row_count; ++r, sums += Cell::kBlocks * Cell::kWidth) {
    const ForwardRow& row = rows[r];
    for (int v = 0; v < Cell::kWidth; ++v) {
      const int64_t unit = (tile * Cell::kWidth + v) * kLanes;
      const int64_t count = hidden_size - unit;
      if (count <= 0) break;
      Vec gate[Cell::kBlocks];
      for (int block = 0; block < Cell::kBlocks; ++block) {
        gate[block] = sums[block * Cell::kWidth + v];
      }
      typename Cell::State state{load(row.hidden_before + unit, count), Vec{}};
      if constexpr (Cell::kHasCell) state.cell = load(row.cell + unit, count);
      state = Cell::step(gate, state);
      store(row.hidden + unit, state.hidden, count);
      if constexpr (Cell::kHasCell) store(row.cell + unit, state.cell, count);
      if (row.gates == nullptr) continue;
      for (int block = 0; block < Cell::kBlocks; ++block) {
        store(row.gates + block * hidden_size + unit, gate[block], count);
      }
      if constexpr (Cell::kHasCell) store(row.cells + unit, state.cell, count);
    }
  }
}

template <class Cell, int Rows>
INLINE void forward_tile(const ForwardRow* rows, const float* packed,
                         const ForwardLayout<Cell>& layout, int64_t tile) {
  constexpr int kWidth = Cell::kWidth, kColumns = Cell::kBlocks * kWidth;
  constexpr int kProduct = Cell::kGates * kWidth;
  Vec sums[Rows][kColumns];
  const float *x[Rows], *hidden[Rows];
  const float* const bias = packed + layout.bias(tile);
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
    x[r] = rows[r].x;
    hidden[r] = rows[r].hidden_before;
#pragma GCC unroll 16
    for (int c = 0; c < kColumns; ++c) sums[r][c] = load(bias + c * kLanes);
  }
  accumulate<Cell::kInputFirst * kWidth, kProduct>(sums, x, packed + layout.input(tile),
                                                   layout.input_size);
  accumulate<Cell::kHiddenFirst * kWidth, kProduct>(sums, hidden, packed + layout.hidden(tile),
                                                    layout.hidden_size);
  // A copy, because sums whose address leaves this function could not live in registers above.
  Vec finished[Rows * kColumns];
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 16
    for (int c = 0; c < kColumns; ++c) finished[r * kColumns + c] = sums[r][c];
  }
  finish_step<Cell>(rows, Rows, finished, tile, layout.hidden_size);
}

INLINE void copy_or_zero(float* to, const float* from, int64_t count) {
  if (from != nullptr) {
    __builtin_memcpy(to, from, static_cast<size_t>(count) * sizeof(float));
  } else {
    __builtin_memset(to, 0, static_cast<size_t>(count) * sizeof(float));
  }
}

INLINE const float* offset(const float* array, int64_t by) { return array ? array + by : nullptr; }
INLINE float* offset(float* array, int64_t by) { return array ? array + by : nullptr; }

template <class Cell>
void walk(const Forward& call, const float* packed, const Share& share) {
  const Shape& shape = call.shape;
  const ForwardLayout<Cell> layout(shape);
  const int64_t size = shape.hidden_size, width = shape.directions * size;
  const int64_t direction = share.direction, stride = direction == 0 ? 1 : -1;
  const int64_t first_token = direction * shape.tokens;  // row of (D, N, ...) arrays
  ForwardRow* const rows = static_cast<ForwardRow*>(share.rows);

  // The final states hold the running ones: the start state until the first step, and the answer of
  // a text without tokens.
  for (int64_t i = 0; i < share.count; ++i) {
    const int64_t state = (direction * shape.sequences + share.lanes[i].sequence) * size;
    copy_or_zero(call.final_hidden + state, offset(call.hidden0, state), size);
    if (Cell::kHasCell) copy_or_zero(call.final_cell + state, offset(call.cell0, state), size);
  }

  int64_t active = share.count;
  for (int64_t step = 0;; ++step) {
    while (active > 0 && share.lanes[active - 1].length <= step) --active;
    if (active == 0) break;
    for (int64_t i = 0; i < active; ++i) {
      const Lane& lane = share.lanes[i];
      const int64_t token = lane.start + step * stride;
      const int64_t state = (direction * shape.sequences + lane.sequence) * size;
      ForwardRow& row = rows[i];
      row.x = call.x + token * shape.input_size;
      row.hidden = call.hidden + token * width + direction * size;
      row.hidden_before = step == 0 ? call.final_hidden + state : row.hidden - stride * width;
      row.cell = offset(call.final_cell, state);
      row.gates = offset(call.gates, (first_token + token) * Cell::kBlocks * size);
      row.cells = offset(call.cells, (first_token + token) * size);
    }
    for (int64_t tile = 0; tile < layout.tiles; ++tile) {
      for_groups<kForwardRows>(active, [&]<int Rows>(Count<Rows>, int64_t first) {
        forward_tile<Cell, Rows>(rows + first, packed, layout, tile);
      });
    }
  }

  for (int64_t i = 0; i < share.count; ++i) {
    const Lane& lane = share.lanes[i];
    if (lane.length == 0) continue;
    const int64_t last = lane.start + (lane.length - 1) * stride;
    copy_or_zero(call.final_hidden + (direction * shape.sequences + lane.sequence) * size,
                 call.hidden + last * width + direction * size, size);
  }
}
