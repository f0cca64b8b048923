// bfloat16 values, 16 at a time, and the pairs of them that the processor multiplies.

typedef uint16_t Element;  // of the operands, and of the d_gates that are kept for the products
typedef uint16_t Halves __attribute__((vector_size(32)));
typedef uint32_t Pairs __attribute__((vector_size(64)));

constexpr int kTileRows = 16, kColumns = 4;  // of a tile: rows, and vectors of columns
constexpr int64_t kTileColumns = kColumns * kLanes;
// A chunk is 32 values of k; a block is a chunk of 16 columns, as pairs: [pair][column][2].
constexpr int64_t kChunk = 32, kBlock = 16 * kChunk;

// The operands of one part of a tile's product: rows of `left` are `row` elements apart and its
// chunks `chunk` elements; the blocks of `right` follow each other, chunk by chunk.
struct Operands {
  const Element* left;
  int64_t row, chunk;
  const Element* right;
  int64_t chunks;
};

// Rounds to the nearest, ties to even; NaN stays NaN.
INLINE Halves halves(Vec values) {
  return reinterpret_cast<Halves>(_mm512_cvtneps_pbh(reinterpret_cast<__m512>(values)));
}
// The first `count` of 16 values, then zeros.
INLINE Halves halves(const float* from, int64_t count) { return halves(load(from, count)); }
INLINE Halves halves(const Element* from) {
  return reinterpret_cast<Halves>(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}

INLINE void store(Element* to, Halves values) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), reinterpret_cast<__m256i>(values));
}
INLINE void store(Element* to, Pairs values) {
  _mm512_storeu_si512(to, reinterpret_cast<__m512i>(values));
}
INLINE void store(Element* to, Vec values, int64_t count) {
  const Halves rounded = halves(values);
  if (count >= kLanes) return store(to, rounded);
  for (int64_t lane = 0; lane < count; ++lane) to[lane] = rounded[lane];
}

// Converts `count` values and fills up with zeros to `padded`, a multiple of 16.
INLINE void convert(Element* to, const float* from, int64_t count, int64_t padded) {
  for (int64_t i = 0; i < padded; i += kLanes) store(to + i, halves(from + i, count - i));
}

// Column by column the values of two rows: pairs of neighbours in k.
INLINE Pairs interleave(Halves even, Halves odd) {
  return __builtin_convertvector(even, Pairs) | __builtin_convertvector(odd, Pairs) << 16;
}

// Up to 32 values of one row as 16 pairs.
INLINE Pairs neighbours(const float* from, int64_t count) {
  const Halves low = halves(from, count), high = halves(from + kLanes, count - kLanes);
  const __m512i both = _mm512_castsi256_si512(reinterpret_cast<__m256i>(low));
  return reinterpret_cast<Pairs>(
      _mm512_maskz_inserti64x4(0xff, both, reinterpret_cast<__m256i>(high), 1));
}

// Swaps rows and columns of 16 x 16 pairs: first within squares of 2 x 2 (of one pair, then of
// two), then of whole quarters.
INLINE void transpose(Pairs (&rows)[16]) {
  // The forms without a mask make GCC 12 warn of a value that is not set.
  constexpr __mmask16 kAll = 0xffff;
  __m512i a[16], b[16];
  for (int i = 0; i < 16; ++i) a[i] = reinterpret_cast<__m512i>(rows[i]);
  for (int i = 0; i < 16; i += 2) {
    b[i] = _mm512_maskz_unpacklo_epi32(kAll, a[i], a[i + 1]);
    b[i + 1] = _mm512_maskz_unpackhi_epi32(kAll, a[i], a[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    for (int j = 0; j < 2; ++j) {
      a[i + 2 * j] = _mm512_maskz_unpacklo_epi64(0xff, b[i + j], b[i + j + 2]);
      a[i + 2 * j + 1] = _mm512_maskz_unpackhi_epi64(0xff, b[i + j], b[i + j + 2]);
    }
  }
  // a[4 * q + c] holds, in its four quarters, columns c, c + 4, c + 8, c + 12 of rows 4q .. 4q + 3.
  for (int c = 0; c < 4; ++c) {
    const __m512i low01 = _mm512_maskz_shuffle_i32x4(kAll, a[c], a[c + 4], 0x88);
    const __m512i high01 = _mm512_maskz_shuffle_i32x4(kAll, a[c], a[c + 4], 0xdd);
    const __m512i low23 = _mm512_maskz_shuffle_i32x4(kAll, a[c + 8], a[c + 12], 0x88);
    const __m512i high23 = _mm512_maskz_shuffle_i32x4(kAll, a[c + 8], a[c + 12], 0xdd);
    rows[c] = reinterpret_cast<Pairs>(_mm512_maskz_shuffle_i32x4(kAll, low01, low23, 0x88));
    rows[c + 4] = reinterpret_cast<Pairs>(_mm512_maskz_shuffle_i32x4(kAll, high01, high23, 0x88));
    rows[c + 8] = reinterpret_cast<Pairs>(_mm512_maskz_shuffle_i32x4(kAll, low01, low23, 0xdd));
    rows[c + 12] = reinterpret_cast<Pairs>(_mm512_maskz_shuffle_i32x4(kAll, high01, high23, 0xdd));
  }
}
