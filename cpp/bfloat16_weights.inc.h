// The gradients of weights and biases of one direction in bfloat16 products, transposed: rows are
// features of x and of the hidden states, columns are gates.
//
//   d_weight_ih' = x' d_gates    d_weight_hh' = (hidden state before)' d_gates
//
// Tokens are taken in blocks of kTokens, in order, so the result does not depend on how the columns
// were divided among threads. A tile is kTileColumns columns; it needs all features.

constexpr int64_t kTokens = 8 * kChunk;

// Sums of one range of tiles, and the packed operands of one block of tokens.
struct WeightScratch {
  static constexpr int64_t kSums = kTileRows * kTileColumns;
  int64_t input_rows, rows;  // tiles of features, of x and in all
  float *sums, *bias;
  Element *left, *right;
  int64_t floats;

  WeightScratch(const Shape& shape, int64_t tile_count, float* scratch)
      : input_rows(ceil_divide(shape.input_size, kTileRows)),
        rows(input_rows + ceil_divide(shape.hidden_size, kTileRows)) {
    sums = scratch;
    bias = sums + tile_count * rows * kSums;
    float* const operands = bias + tile_count * kTileColumns;
    left = reinterpret_cast<Element*>(operands);
    right = left + rows * kTileRows * kTokens;
    floats = tile_count * (rows * kSums + kTileColumns) +
             (rows * kTileRows + kTileColumns) * kTokens / 2;
  }
};

// left[tile of features][chunk][feature][token] of a matrix whose row k is row_of(k).
template <class RowOf>
INLINE void pack_features(Element* left, int64_t features, int64_t depth, const RowOf& row_of) {
  for (int64_t feature = 0; feature < features; feature += kTileRows) {
    for (int64_t k = 0; k < depth; k += kChunk, left += kBlock) {
      Pairs pairs[16];
      for (int64_t pair = 0; pair < 16; ++pair) {
        const int64_t even = k + 2 * pair, count = features - feature;
        pairs[pair] =
            interleave(even < depth ? halves(row_of(even) + feature, count) : Halves{},
                       even + 1 < depth ? halves(row_of(even + 1) + feature, count) : Halves{});
      }
      transpose(pairs);
      for (int64_t row = 0; row < 16; ++row) store(left + row * kChunk, pairs[row]);
    }
  }
}

// right[chunk][kColumns] of the d_gates of `depth` tokens, and their column sums.
INLINE void pack_gates(Element* right, float* bias, const Element* d_gates, int64_t depth,
                       int64_t gate_row) {
  Vec sums[kColumns];
  for (int v = 0; v < kColumns; ++v) sums[v] = load(bias + v * kLanes);
  for (int64_t k = 0; k < depth; k += kChunk) {
    for (int v = 0; v < kColumns; ++v, right += kBlock) {
      for (int64_t pair = 0; pair < 16; ++pair) {
        const int64_t even = k + 2 * pair;
        const Element* const from = d_gates + even * gate_row + v * kLanes;
        const Pairs pairs = interleave(even < depth ? halves(from) : Halves{},
                                       even + 1 < depth ? halves(from + gate_row) : Halves{});
        store(right + pair * 32, pairs);
        sums[v] += reinterpret_cast<Vec>(pairs << 16);
        sums[v] += reinterpret_cast<Vec>(pairs & 0xffff0000u);
      }
    }
  }
  for (int v = 0; v < kColumns; ++v) store(bias + v * kLanes, sums[v]);
}

// Writes one tile's sums [tile of features][feature][column] as rows of a weight matrix.
template <class RowOf>
INLINE void write_columns(const float* sums, int64_t features, int64_t column_count,
                          const RowOf& row_of) {
  for (int64_t feature = 0; feature < features; feature += kTileRows) {
    for (int64_t column = 0; column < column_count; column += kLanes) {
      Pairs square[16];
      for (int64_t row = 0; row < 16; ++row) {
        square[row] = reinterpret_cast<Pairs>(load(sums + row * kTileColumns + column));
      }
      transpose(square);
      for (int64_t c = 0; c < least(kLanes, column_count - column); ++c) {
        float* const to = row_of(column + c);
        if (to != nullptr) {
          store(to + feature, reinterpret_cast<Vec>(square[c]), features - feature);
        }
      }
    }
    sums += WeightScratch::kSums;
  }
}

template <class Cell>
void weight_gradient(const Backward& call, int direction, int64_t first_tile, int64_t tile_count,
                     float* scratch) {
  const Shape& shape = call.shape;
  const int64_t size = shape.hidden_size, gate_row = GradientLayout<Cell>(shape).gate_row();
  const WeightScratch room(shape, tile_count, scratch);
  const Element* const d_gates = d_gates_of(call) + direction * shape.tokens * gate_row;
  const float* const* const before = call.before + direction * shape.tokens;
  const TileUnit unit;

  copy_or_zero(room.sums, nullptr, tile_count * (room.rows * room.kSums + kTileColumns));
  for (int64_t start = 0; start < shape.tokens; start += kTokens) {
    const int64_t depth = least(kTokens, shape.tokens - start), per_row = chunks(depth) * kBlock;
    Element* const hidden_left = room.left + room.input_rows * per_row;
    pack_features(room.left, shape.input_size, depth,
                  [&](int64_t k) { return call.x + (start + k) * shape.input_size; });
    pack_features(hidden_left, size, depth, [&](int64_t k) { return before[start + k]; });
    for (int64_t i = 0; i < tile_count; ++i) {
      const WeightTile<Cell> tile(shape, first_tile + i);
      pack_gates(room.right, room.bias + i * kTileColumns,
                 d_gates + start * gate_row + tile.first, depth, gate_row);
      float* sums = room.sums + i * room.rows * room.kSums;
      for (int64_t row = 0; row < room.rows; ++row, sums += room.kSums) {
        if (row < room.input_rows ? !tile.input : !tile.hidden) continue;
        const Operands operands{room.left + row * per_row, kChunk, kBlock, room.right,
                                chunks(depth)};
        tile_product<0, 0, kColumns>(kTileRows, sums, kTileColumns, operands, Operands{},
                                     reinterpret_cast<Vec*>(sums));
      }
    }
  }

  const WeightGradients& out = call.d_weights[direction];
  for (int64_t i = 0; i < tile_count; ++i) {
    const WeightTile<Cell> tile(shape, first_tile + i);
    const auto rows_of = [&](float* matrix, int64_t columns, int first_block,
                             int (*gate_of)(int)) {
      return [=](int64_t column) -> float* {
        const int64_t place = tile.first + column;
        const int gate = static_cast<int>(place / size) - first_block;
        if (matrix == nullptr || gate < 0 || gate >= Cell::kGates) return nullptr;
        return matrix + (gate_of(gate) * size + place % size) * columns;
      };
    };
    const float* const sums = room.sums + i * room.rows * room.kSums;
    const int in = Cell::kInputFirst, back = Cell::kHiddenFirst;
    write_columns(sums, shape.input_size, tile.count,
                  rows_of(out.weight_ih, shape.input_size, in, Cell::input_gate));
    write_columns(sums + room.input_rows * room.kSums, size, tile.count,
                  rows_of(out.weight_hh, size, back, Cell::hidden_gate));
    for (int64_t column = 0; column < tile.count; ++column) {
      const float bias = room.bias[i * kTileColumns + column];
      if (float* const to = rows_of(out.bias_ih, 1, in, Cell::input_gate)(column)) *to = bias;
      if (float* const to = rows_of(out.bias_hh, 1, back, Cell::hidden_gate)(column)) *to = bias;
    }
  }
}
