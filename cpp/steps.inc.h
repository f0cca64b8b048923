// One step of a few texts for a few hidden units: the cell's arithmetic on finished sums, and where
// it reads and writes. Shared by all kinds of products.

// The biases of one tile of hidden units, [block][unit]. A block that receives both products starts
// from the sum of both biases.
template <class Cell>
void pack_bias(const Shape& shape, const Weights& weights, float* bias, int64_t tile) {
  constexpr int64_t kUnits = Cell::kWidth * kLanes;
  const int64_t size = shape.hidden_size;
  for (int64_t i = 0; i < Cell::kBlocks * kUnits; ++i) bias[i] = 0.0f;
  for (int64_t lane = 0; lane < least(kUnits, size - tile * kUnits); ++lane) {
    const int64_t unit = tile * kUnits + lane;
    for (int gate = 0; gate < Cell::kGates; ++gate) {
      const int64_t input = (Cell::kInputFirst + gate) * kUnits + lane;
      const int64_t hidden = (Cell::kHiddenFirst + gate) * kUnits + lane;
      if (weights.bias_ih) bias[input] += weights.bias_ih[Cell::input_gate(gate) * size + unit];
      if (weights.bias_hh) bias[hidden] += weights.bias_hh[Cell::hidden_gate(gate) * size + unit];
    }
  }
}

// Where one text reads and writes at the current step.
struct ForwardRow {
  const float *x, *hidden_before;
  float *hidden, *cell, *gates, *cells;
  // From here to where the next step writes, 0 if there is none: tokens, and floats of `hidden`.
  int64_t ahead, hidden_ahead;
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
      // Texts side by side are more streams than the processor foresees: unless it is told where
      // the next step writes, it waits there for memory.
      __builtin_prefetch(row.hidden + row.hidden_ahead + unit, 1, 2);
      if constexpr (Cell::kHasCell) store(row.cell + unit, state.cell, count);
      if (row.gates == nullptr) continue;
      for (int block = 0; block < Cell::kBlocks; ++block) {
        float* const to = row.gates + block * hidden_size + unit;
        store(to, gate[block], count);
        __builtin_prefetch(to + row.ahead * Cell::kBlocks * hidden_size, 1, 2);
      }
      if constexpr (Cell::kHasCell) {
        store(row.cells + unit, state.cell, count);
        __builtin_prefetch(row.cells + row.ahead * hidden_size + unit, 1, 2);
      }
    }
  }
}

// Where one text reads and writes at the current step of the way back.
struct BackwardRow {
  const float *d_hidden, *d_final, *gates, *cell, *cell_before, *hidden_before;
  float* carry;
  Element* d_gates;
  int64_t ahead;  // tokens from here to where the next step back works, 0 if there is none
};

// The cell's gradient for a tile of row_count texts by vector_count vectors of hidden units, whose
// sums hold what the next step sends back. Never inlined, like finish_step.
template <class Cell>
NOINLINE void finish_step_back(const BackwardRow* rows, int row_count, const Vec* sums,
                               int64_t first_unit, int vector_count, int64_t hidden_size,
                               int64_t hidden_width, int64_t gate_row) {
  for (int r = 0; r < row_count; ++r) {
    const BackwardRow& row = rows[r];
    for (int v = 0; v < vector_count; ++v) {
      const int64_t unit = first_unit + v * kLanes, count = hidden_size - unit;
      if (count <= 0) break;
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
        __builtin_prefetch(row.d_gates + row.ahead * gate_row + block * hidden_size + unit, 1, 2);
      }
      __builtin_prefetch(row.d_hidden + row.ahead * hidden_width + unit, 0, 2);
      if constexpr (Cell::kHasCell) {
        __builtin_prefetch(row.cell_before + row.ahead * hidden_size + unit, 0, 2);
      }
    }
  }
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

// What lies after `count` records, from the next line of the cache on.
template <class Record>
INLINE Element* after(Record* records, int64_t count) {
  const auto end = reinterpret_cast<uintptr_t>(records + count);
  return reinterpret_cast<Element*>((end + 63) / 64 * 64);
}

// Some of a step's tiles or blocks.
struct Range {
  int64_t first, last;
  int64_t count() const { return last - first; }
};

// Calls work(range) for all of 0 .. count, in one piece or divided among the share's crew.
template <class Work>
INLINE void divide(const Share& share, int64_t count, const Work& work) {
  if (share.crew == nullptr) return work(Range{0, count});
  struct Parts {
    const Work& work;
    int64_t count, parts;
  } all{work, count, least(count, share.crew->workers)};
  share.crew->run(
      *share.crew, all.parts,
      [](void* argument, int64_t part) {
        const Parts& parts = *static_cast<Parts*>(argument);
        parts.work(Range{parts.count * part / parts.parts, parts.count * (part + 1) / parts.parts});
      },
      &all);
}
