// A linear layer: its outputs, or the greatest of them and the sum of all exponentials, taken from
// each tile of outputs while it is in registers. Those are never written then: of 500 rows and 8,000
// classes they are 16 MB, which take longer to read again than they took to compute.
//
// Packed weights: per tile of columns their biases, then for every k the tile's weights. Columns
// past the last one have a bias of -inf. A part is kPartTiles tiles; a row's sum over a part is the
// same to the bit whatever rows and parts are asked for with it.

constexpr int64_t kLinearTile = kColumnVectors * kLanes;
constexpr int64_t kPartTiles = 1008 / kLinearTile;

INLINE bool any_above(Vec values, float limit) {
#if defined(__AVX512F__)
  const __m512 bound = _mm512_set1_ps(limit);
  return _mm512_cmp_ps_mask(reinterpret_cast<__m512>(values), bound, _CMP_GT_OQ) != 0;
#else
  const IntVec above = values > splat(limit);
  int32_t any = 0;
  for (int lane = 0; lane < kLanes; ++lane) any |= above[lane];
  return any != 0;
#endif
}

INLINE float greatest_lane(Vec values) {
  float greatest = values[0];
  for (int lane = 1; lane < kLanes; ++lane) {
    greatest = values[lane] > greatest ? values[lane] : greatest;
  }
  return greatest;
}

INLINE float sum_of_lanes(Vec values) {
  float sum = 0.0f;
  for (int lane = 0; lane < kLanes; ++lane) sum += values[lane];
  return sum;
}

// Of equal scores the later class is the lesser one.
INLINE bool is_less(const Candidate& a, const Candidate& b) {
  return a.score < b.score || (a.score == b.score && a.id > b.id);
}

// Puts a class in the place of the least of a heap, whose root that is.
NOINLINE void replace_least(Candidate* heap, int64_t count, Candidate with) {
  int64_t place = 0;
  for (int64_t child = 1; child < count; child = 2 * place + 1) {
    if (child + 1 < count && is_less(heap[child + 1], heap[child])) ++child;
    if (!is_less(heap[child], with)) break;
    heap[place] = heap[child];
    place = child;
  }
  heap[place] = with;
}

constexpr float kLeast = -3e38f;  // not -inf, of which nothing may be taken

// What is known of one row's part so far: the sum of exp(score - shift).
struct SoftmaxRow {
  Vec sum;
  float shift;
};

template <int Columns>
INLINE void add_scores(const Vec (&scores)[Columns], int64_t first_class, SoftmaxRow& row,
                       Candidate* heap, int64_t wanted) {
  Vec greatest = scores[0];
#pragma GCC unroll 4
  for (int c = 1; c < Columns; ++c) greatest = greatest > scores[c] ? greatest : scores[c];
  if (any_above(greatest, row.shift)) {
    const float shift = greatest_lane(greatest);
    const Exponential e = exponential(clamp(splat(row.shift - shift), 87.0f));
    row.sum *= e.scale + e.scale * e.minus_one;
    row.shift = shift;
  }
#pragma GCC unroll 4
  for (int c = 0; c < Columns; ++c) {
    const Exponential e = exponential(clamp(scores[c] - row.shift, 87.0f));
    row.sum += e.scale + e.scale * e.minus_one;
  }
  if (wanted == 0 || !any_above(greatest, heap[0].score)) return;
  for (int c = 0; c < Columns; ++c) {
    for (int lane = 0; lane < kLanes; ++lane) {
      if (!(scores[c][lane] > heap[0].score)) continue;
      const auto id = static_cast<int32_t>(first_class + c * kLanes + lane);
      replace_least(heap, wanted, {scores[c][lane], id});
    }
  }
}

// Outputs of Rows inputs, which lie beside each other, for one tile.
template <int Rows>
INLINE void linear_tile(const LinearCall& call, int64_t first_row, int64_t tile,
                        Vec (&finished)[Rows][kColumnVectors]) {
  const float* const packed = call.packed + tile * (call.inputs + 1) * kLinearTile;
  Vec sums[Rows][kColumnVectors];
  const float* rows[Rows];
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
    rows[r] = call.x + (first_row + r) * call.inputs;
#pragma GCC unroll 4
    for (int c = 0; c < kColumnVectors; ++c) sums[r][c] = load(packed + c * kLanes);
  }
  accumulate<0, kColumnVectors>(sums, rows, packed + kLinearTile, call.inputs);
  // A copy, because sums whose address leaves this function could not live in registers above.
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < kColumnVectors; ++c) finished[r][c] = sums[r][c];
  }
}

int64_t linear_parts(int64_t outputs) {
  return ceil_divide(ceil_divide(outputs, kLinearTile), kPartTiles);
}

int64_t linear_floats(int64_t outputs, int64_t inputs) {
  return ceil_divide(outputs, kLinearTile) * (inputs + 1) * kLinearTile;
}

// Packs one part: weight (O, I), bias (O) or null.
void pack_linear(const float* weight, const float* bias, int64_t outputs, int64_t inputs,
                 float* packed, int64_t part) {
  const int64_t last = least((part + 1) * kPartTiles, ceil_divide(outputs, kLinearTile));
  for (int64_t tile = part * kPartTiles; tile < last; ++tile) {
    float* const to = packed + tile * (inputs + 1) * kLinearTile;
    for (int64_t column = 0; column < kLinearTile; ++column) {
      const int64_t output = tile * kLinearTile + column;
      const bool real = output < outputs;
      to[column] = !real ? -__builtin_inff() : bias != nullptr ? bias[output] : 0.0f;
      for (int64_t k = 0; k < inputs; ++k) {
        to[(k + 1) * kLinearTile + column] = real ? weight[output * inputs + k] : 0.0f;
      }
    }
  }
}

// Outputs of some rows for some parts.
void linear(const LinearCall& call, const LinearShare& share) {
  const int64_t tiles = ceil_divide(call.outputs, kLinearTile);
  const int64_t last = least(share.last_part * kPartTiles, tiles);
  for (int64_t tile = share.first_part * kPartTiles; tile < last; ++tile) {
    for_groups<kColumnRows>(share.rows, [&]<int Rows>(Count<Rows>, int64_t first) {
      Vec sums[Rows][kColumnVectors];
      linear_tile<Rows>(call, share.first_row + first, tile, sums);
      for (int r = 0; r < Rows; ++r) {
        float* const to = call.y + (share.first_row + first + r) * call.outputs;
        for (int c = 0; c < kColumnVectors; ++c) {
          const int64_t column = tile * kLinearTile + c * kLanes;
          if (column < call.outputs) store(to + column, sums[r][c], call.outputs - column);
        }
      }
    });
  }
}

int64_t softmax_bytes(int64_t rows) { return rows * static_cast<int64_t>(sizeof(SoftmaxRow)); }

// The greatest outputs and the sums of some rows for some parts. The parts of a row share its heap.
void softmax(const LinearCall& call, const LinearShare& share) {
  auto* const state = static_cast<SoftmaxRow*>(share.scratch);
  const int64_t tiles = ceil_divide(call.outputs, kLinearTile), parts = linear_parts(call.outputs);
  for (int64_t i = 0; i < share.rows * call.wanted; ++i) {
    share.heaps[i] = {-__builtin_inff(), -1};
  }
  for (int64_t part = share.first_part; part < share.last_part; ++part) {
    for (int64_t row = 0; row < share.rows; ++row) state[row] = {Vec{}, kLeast};
    const int64_t last = least((part + 1) * kPartTiles, tiles);
    for (int64_t tile = part * kPartTiles; tile < last; ++tile) {
      for_groups<kColumnRows>(share.rows, [&]<int Rows>(Count<Rows>, int64_t first) {
        Vec sums[Rows][kColumnVectors];
        linear_tile<Rows>(call, share.first_row + first, tile, sums);
        for (int r = 0; r < Rows; ++r) {
          add_scores(sums[r], tile * kLinearTile, state[first + r],
                     share.heaps + (first + r) * call.wanted, call.wanted);
        }
      });
    }
    for (int64_t row = 0; row < share.rows; ++row) {
      const int64_t place = (share.first_row + row) * parts + part;
      call.shifts[place] = state[row].shift;
      call.sums[place] = sum_of_lanes(state[row].sum);
    }
  }
}
