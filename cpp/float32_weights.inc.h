// The gradients of weights and biases of one direction: sums of outer products over all tokens.
//
//   d_weight_ih = d_gates' x    d_weight_hh = d_gates' (hidden state before)    d_bias = d_gates' 1
//
// Tokens are summed in blocks of kTokens, the blocks in order, so the result does not depend on
// how the rows were divided among threads. A tile is kTileRows rows of the result.

constexpr int kTileRows = kWeightTile;
constexpr int64_t kTokens = 192;

// Sums of one range of tiles, and the packed operands of one block of tokens.
struct WeightScratch {
  float *sums, *bias_sums, *block_bias, *left, *right;
  int64_t floats;

  WeightScratch(const Shape& shape, int64_t tile_count, float* scratch) {
    const int64_t width =
        ColumnBlocks(shape.input_size).padded() + ColumnBlocks(shape.hidden_size).padded();
    const int64_t rows = tile_count * kTileRows;
    sums = scratch;
    left = sums + rows * width;
    right = left + rows * kTokens;
    bias_sums = right + width * kTokens;
    block_bias = bias_sums + rows;
    floats = rows * width + rows * kTokens + width * kTokens + 2 * rows;
  }
};

// right[block][k][column] of a matrix whose row k is row_of(k).
template <class RowOf>
INLINE float* pack_right(float* right, const ColumnBlocks& blocks, int64_t depth,
                         const RowOf& row_of) {
  for_groups<kColumnVectors>(blocks.vectors, [&]<int N>(Count<N>, int64_t first) {
    const int64_t column = first * kLanes, padded = N * kLanes;
    pack_columns(right, depth, column, least(padded, blocks.columns - column), padded, row_of);
    right += padded * depth;
  });
  return right;
}

// left[tile][k][row] of the d_gates of `depth` tokens, and their column sums.
INLINE void pack_left(float* left, float* bias, const float* d_gates, int64_t depth, int64_t stride,
                      int64_t rows) {
  constexpr int64_t kTogether = 8;  // tiles written side by side: as many streams
  const int64_t whole = rows / kTileRows, rest = rows % kTileRows;
  for (int64_t first = 0; first < whole; first += kTogether) {
    const int64_t count = least(kTogether, whole - first);
    const float* from = d_gates + first * kTileRows;
    for (int64_t k = 0; k < depth; ++k, from += stride) {
      float* to = left + (first * depth + k) * kTileRows;
      for (int64_t tile = 0; tile < count; ++tile, to += depth * kTileRows) {
        __builtin_memcpy(to, from + tile * kTileRows, kTileRows * sizeof(float));
      }
      for (int64_t row = 0; row < count * kTileRows; ++row) {
        bias[first * kTileRows + row] += from[row];
      }
    }
  }
  for (int64_t k = 0; rest != 0 && k < depth; ++k) {
    const float* const from = d_gates + k * stride + whole * kTileRows;
    float* const to = left + (whole * depth + k) * kTileRows;
    for (int64_t row = 0; row < kTileRows; ++row) to[row] = row < rest ? from[row] : 0.0f;
    for (int64_t row = 0; row < rest; ++row) bias[whole * kTileRows + row] += from[row];
  }
}

// sums[tile][row][column] += left' right, for one matrix of `blocks` columns; the sums of a tile
// lie `stride` floats after those of the tile before.
template <class Wanted>
INLINE void add_products(float* sums, int64_t stride, const ColumnBlocks& blocks,
                         int64_t tile_count, const float* left, const float* right, int64_t depth,
                         const Wanted& wanted) {
  for_groups<kColumnVectors>(blocks.vectors, [&]<int N>(Count<N>, int64_t first) {
    for (int64_t tile = 0; tile < tile_count; ++tile) {
      if (!wanted(tile)) continue;
      Vec block[kTileRows][N];
#pragma GCC unroll 16
      for (int r = 0; r < kTileRows; ++r) {
#pragma GCC unroll 16
        for (int n = 0; n < N; ++n) block[r][n] = Vec{};
      }
      accumulate_outer(block, left + tile * depth * kTileRows, right, depth);
      float* const total = sums + tile * stride + first * kLanes * kTileRows;
#pragma GCC unroll 16
      for (int r = 0; r < kTileRows; ++r) {
#pragma GCC unroll 16
        for (int n = 0; n < N; ++n) {
          float* const to = total + (r * N + n) * kLanes;
          store(to, load(to) + block[r][n]);
        }
      }
    }
    right += N * kLanes * depth;
  });
}

// Copies row `row` of a tile's sums, stored [block][row][column], to a row of the result.
INLINE void write_row(float* to, const float* sums, const ColumnBlocks& blocks, int64_t row) {
  for_groups<kColumnVectors>(blocks.vectors, [&]<int N>(Count<N>, int64_t first) {
    const float* const from = sums + (first * kTileRows + row * N) * kLanes;
    for (int n = 0; n < N; ++n) {
      const int64_t column = (first + n) * kLanes;
      store(to + column, load(from + n * kLanes), blocks.columns - column);
    }
  });
}

template <class Cell>
void weight_gradient(const Backward& call, int direction, int64_t first_tile, int64_t tile_count,
                     float* scratch) {
  const Shape& shape = call.shape;
  const int64_t size = shape.hidden_size, stride = Cell::kBlocks * size;
  const ColumnBlocks input(shape.input_size), hidden(size);
  const int64_t tile_stride = (input.padded() + hidden.padded()) * kTileRows;
  const int64_t hidden_sums = input.padded() * kTileRows;
  const WeightScratch room(shape, tile_count, scratch);
  const int64_t first_row = first_tile * kTileRows;
  const int64_t row_count = least(tile_count * kTileRows, stride - first_row);
  const float* const d_gates = d_gates_of(call) + direction * shape.tokens * stride + first_row;
  const float* const* const before = call.before + direction * shape.tokens;

  copy_or_zero(room.sums, nullptr, tile_count * tile_stride);
  copy_or_zero(room.bias_sums, nullptr, row_count);
  for (int64_t start = 0; start < shape.tokens; start += kTokens) {
    const int64_t depth = least(kTokens, shape.tokens - start);
    copy_or_zero(room.block_bias, nullptr, row_count);
    pack_left(room.left, room.block_bias, d_gates + start * stride, depth, stride, row_count);
    for (int64_t row = 0; row < row_count; ++row) room.bias_sums[row] += room.block_bias[row];
    const float* const hidden_right = pack_right(
        room.right, input, depth,
        [&](int64_t k) { return call.x + (start + k) * shape.input_size; });
    pack_right(const_cast<float*>(hidden_right), hidden, depth,
               [&](int64_t k) { return before[start + k]; });
    add_products(room.sums, tile_stride, input, tile_count, room.left, room.right, depth,
                 [&](int64_t tile) { return WeightTile<Cell>(shape, first_tile + tile).input; });
    add_products(room.sums + hidden_sums, tile_stride, hidden, tile_count, room.left, hidden_right,
                 depth,
                 [&](int64_t tile) { return WeightTile<Cell>(shape, first_tile + tile).hidden; });
  }

  const WeightGradients& out = call.d_weights[direction];
  for (int64_t i = 0; i < row_count; ++i) {
    const int64_t row = first_row + i, unit = row % size;
    const float* const sums = room.sums + i / kTileRows * tile_stride;
    const int gate = static_cast<int>(row / size);
    const int in = gate - Cell::kInputFirst, back = gate - Cell::kHiddenFirst;
    if (in >= 0 && in < Cell::kGates) {
      const int64_t to = Cell::input_gate(in) * size + unit;
      write_row(out.weight_ih + to * shape.input_size, sums, input, i % kTileRows);
      if (out.bias_ih) out.bias_ih[to] = room.bias_sums[i];
    }
    if (back >= 0 && back < Cell::kGates) {
      const int64_t to = Cell::hidden_gate(back) * size + unit;
      write_row(out.weight_hh + to * size, sums + hidden_sums, hidden, i % kTileRows);
      if (out.bias_hh) out.bias_hh[to] = room.bias_sums[i];
    }
  }
}
