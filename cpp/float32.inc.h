// The products of the forward walk in float32. bfloat16.inc.h and int8.inc.h offer the same names.
//
// A tile of the forward walk is up to kForwardRows texts by kUnits hidden units with all their
// gates. Its sums start from the bias and run over the input x and then over the hidden state of
// the token before. Both are read where they lie: the left operand of a product is a pointer per
// row, so that a row may be a token of x, a row of the output, or a start state.

// With so few texts a step is a product of hardly any rows, and reading the weights takes most of
// its time. Then the input products of kAhead tokens are taken together, before their steps, and
// several tiles side by side keep the arithmetic units busy.
constexpr int64_t kFewTexts = 2, kAhead = 24;

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
  // Sums of one text's step, and room for those that a walk of `rows` texts may take ahead.
  int64_t step_sums() const { return tiles * Cell::kBlocks * kUnits; }
  int64_t operand_elements(int64_t rows) const {
    return least(rows, kFewTexts) * kAhead * step_sums();
  }
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
  pack_bias<Cell>(shape, weights, packed + layout.bias(tile), tile);
}

template <class Cell, int Rows, bool Projected>
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
    const float* const start = Projected ? x[r] + tile * kColumns * kLanes : bias;
#pragma GCC unroll 16
    for (int c = 0; c < kColumns; ++c) sums[r][c] = load(start + c * kLanes);
  }
  if constexpr (!Projected) {
    accumulate<Cell::kInputFirst * kWidth, kProduct>(sums, x, packed + layout.input(tile),
                                                     layout.input_size);
  }
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

// The input products of Rows tokens: x[r] to sums to + r * stride.
template <class Cell, int Rows>
INLINE void input_tile(const float* const* x, const float* packed,
                       const ForwardLayout<Cell>& layout, int64_t tile, float* to,
                       int64_t stride) {
  constexpr int kWidth = Cell::kWidth, kColumns = Cell::kBlocks * kWidth;
  Vec sums[Rows][kColumns];
  const float* rows[Rows];
  const float* const bias = packed + layout.bias(tile);
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
    rows[r] = x[r];
#pragma GCC unroll 16
    for (int c = 0; c < kColumns; ++c) sums[r][c] = load(bias + c * kLanes);
  }
  accumulate<Cell::kInputFirst * kWidth, Cell::kGates * kWidth>(
      sums, rows, packed + layout.input(tile), layout.input_size);
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 16
    for (int c = 0; c < kColumns; ++c) {
      store(to + r * stride + (tile * kColumns + c) * kLanes, sums[r][c]);
    }
  }
}

// The input products of `count` rows of x for some tiles, see Target::project.
template <class Cell>
void project_rows(const float* const* x, int64_t count, const float* packed,
                  const ForwardLayout<Cell>& layout, Range range, float* to, int64_t stride) {
  for (int64_t tile = range.first; tile < range.last; ++tile) {
    for_groups<kForwardRows>(count, [&]<int Rows>(Count<Rows>, int64_t first) {
      input_tile<Cell, Rows>(x + first, packed, layout, tile, to + first * stride, stride);
    });
  }
}

// One step of Rows texts for Tiles tiles, from input products taken ahead: start[r].
template <class Cell, int Rows, int Tiles>
INLINE void few_rows(const ForwardRow* rows, const float* const (&start)[Rows],
                     const float* packed, const ForwardLayout<Cell>& layout, int64_t first_tile) {
  constexpr int kWidth = Cell::kWidth, kColumns = Cell::kBlocks * kWidth;
  constexpr int kFirst = Cell::kHiddenFirst * kWidth, kProduct = Cell::kGates * kWidth;
  Vec sums[Tiles][Rows][kColumns];
#pragma GCC unroll 16
  for (int t = 0; t < Tiles; ++t) {
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 16
      for (int c = 0; c < kColumns; ++c) {
        sums[t][r][c] = load(start[r] + ((first_tile + t) * kColumns + c) * kLanes);
      }
    }
  }
  const float* panel = packed + layout.hidden(first_tile);
  const int64_t next_tile = layout.hidden_size * ForwardLayout<Cell>::kPanel;
#pragma GCC unroll 1
  for (int64_t k = 0; k < layout.hidden_size; ++k, panel += ForwardLayout<Cell>::kPanel) {
    Vec value[Rows];
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) value[r] = splat(rows[r].hidden_before[k]);
#pragma GCC unroll 16
    for (int t = 0; t < Tiles; ++t) {
#pragma GCC unroll 16
      for (int c = 0; c < kProduct; ++c) {
        const Vec weight = load(panel + t * next_tile + c * kLanes);
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r) sums[t][r][kFirst + c] += value[r] * weight;
      }
    }
  }
  Vec finished[Tiles][Rows * kColumns];
#pragma GCC unroll 16
  for (int t = 0; t < Tiles; ++t) {
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 16
      for (int c = 0; c < kColumns; ++c) finished[t][r * kColumns + c] = sums[t][r][c];
    }
  }
  for (int t = 0; t < Tiles; ++t) {
    finish_step<Cell>(rows, Rows, finished[t], first_tile + t, layout.hidden_size);
  }
}

// The products of a forward walk, step by step: `prepare` for all texts, then `tiles`.
template <class Cell>
class StepProducts {
 public:
  StepProducts(const float* packed, const ForwardLayout<Cell>& layout, Element* operands,
               bool projected)
      : packed_(packed), layout_(layout), ahead_(operands), projected_(projected) {}

  // Tokens of x lie `stride` floats from each other as they are walked.
  void prepare(const ForwardRow* rows, int64_t active, const Share& share, int64_t step,
               int64_t stride) {
    if (active > kFewTexts || projected_) return;
    step_ = step;
    if (step != ahead_end_ && ahead_end_ != 0) return;
    ahead_start_ = step;
    ahead_end_ = step + kAhead;
    divide(share, layout_.tiles, [&](Range range) {
      for (int64_t i = 0; i < active; ++i) {
        take_ahead(rows[i].x, stride, least(kAhead, share.lanes[i].length - step),
                   ahead_ + i * kAhead * layout_.step_sums(), range);
      }
    });
  }

  // One step of `active` texts for the hidden units of some tiles.
  void tiles(const ForwardRow* rows, int64_t active, Range range) const {
    constexpr bool kMany = kRegisters == 32;
    if (active == 1) {
      for_groups<kMany ? 4 : 2>(range.count(), [&]<int T>(Count<T>, int64_t tile) {
        few_rows<Cell, 1, T>(rows, {start(rows, 0)}, packed_, layout_, range.first + tile);
      });
    } else if (active == 2) {
      for_groups<kMany ? 2 : 1>(range.count(), [&]<int T>(Count<T>, int64_t tile) {
        few_rows<Cell, 2, T>(rows, {start(rows, 0), start(rows, 1)}, packed_, layout_,
                             range.first + tile);
      });
    } else if (projected_) {
      many_rows<true>(rows, active, range);
    } else {
      many_rows<false>(rows, active, range);
    }
  }

 private:
  template <bool Projected>
  void many_rows(const ForwardRow* rows, int64_t active, Range range) const {
    for (int64_t tile = range.first; tile < range.last; ++tile) {
      for_groups<kForwardRows>(active, [&]<int Rows>(Count<Rows>, int64_t first) {
        forward_tile<Cell, Rows, Projected>(rows + first, packed_, layout_, tile);
      });
    }
  }

  const float* start(const ForwardRow* rows, int64_t text) const {
    if (projected_) return rows[text].x;
    return ahead_ + (text * kAhead + step_ - ahead_start_) * layout_.step_sums();
  }

  void take_ahead(const float* x, int64_t stride, int64_t tokens, float* to,
                  Range range) const {
    const float* rows[kAhead];
    for (int64_t i = 0; i < tokens; ++i) rows[i] = x + i * stride;
    project_rows<Cell>(rows, tokens, packed_, layout_, range, to, layout_.step_sums());
  }

  const float* packed_;
  const ForwardLayout<Cell>& layout_;
  float* ahead_;  // [text][step][tile][block][unit], from step ahead_start_ on
  bool projected_;
  int64_t step_ = 0, ahead_start_ = 0, ahead_end_ = 0;
};
