// A tile's product by dot products of pairs (AVX512-BF16), which AMD's processors do at full speed
// since Zen 4.

struct [[maybe_unused]] TileUnit {};  // nothing to set up

template <int First, int Count, int Rows>
INLINE void add_product(__m512 (&sums)[Rows][kColumns], const Operands& part, int64_t first_row) {
  const Element *left = part.left + first_row * part.row, *right = part.right;
  for (int64_t chunk = 0; chunk < part.chunks; ++chunk, left += part.chunk) {
#pragma GCC unroll 1
    for (int64_t pair = 0; pair < 16; ++pair) {
      __m512bh weight[Count];
#pragma GCC unroll 4
      for (int c = 0; c < Count; ++c) {
        weight[c] = (__m512bh)_mm512_loadu_si512(right + c * kBlock + pair * 32);
      }
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
        int both;
        __builtin_memcpy(&both, left + r * part.row + 2 * pair, sizeof both);
        const __m512bh value = (__m512bh)_mm512_set1_epi32(both);
#pragma GCC unroll 4
        for (int c = 0; c < Count; ++c) {
          sums[r][First + c] = _mm512_dpbf16_ps(sums[r][First + c], value, weight[c]);
        }
      }
    }
    right += Count * kBlock;
  }
}

// As in tile_amx.inc.h, for the first `row_count` rows.
template <int First, int MoreFirst, int Columns>
INLINE void tile_product(int row_count, const float* start, int64_t start_row, const Operands& one,
                         const Operands& more, Vec* finished) {
  // With three columns, GCC 12 would keep the operands of more rows in memory.
  constexpr int kMost = Columns == 3 ? 4 : kForwardRows;
  for_groups<kMost>(row_count, [&]<int Rows>(Count<Rows>, int64_t first) {
    __m512 sums[Rows][kColumns];
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
      for (int c = 0; c < kColumns; ++c) {
        sums[r][c] = _mm512_loadu_ps(start + (first + r) * start_row + c * kLanes);
      }
    }
    add_product<First, Columns>(sums, one, first);
    add_product<MoreFirst, Columns>(sums, more, first);
    float* const to = reinterpret_cast<float*>(finished + first * kColumns);
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
      for (int c = 0; c < kColumns; ++c) {
        _mm512_storeu_ps(to + r * kTileColumns + c * kLanes, sums[r][c]);
      }
    }
  });
}
