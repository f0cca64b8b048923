// Vectors of the current instruction set, and sigmoid and tanh on them.
//
// Both functions rest on expm1: relative error about 2e-7 over the whole range, tiny arguments
// included, where 1 - 2 / (exp(2x) + 1) would lose every digit of tanh. NaN stays NaN.

#if defined(__AVX512F__)
constexpr int kLanes = 16, kRegisters = 32;
#elif defined(__AVX2__)
constexpr int kLanes = 8, kRegisters = 16;
#elif defined(__aarch64__)
constexpr int kLanes = 4, kRegisters = 32;
#else
constexpr int kLanes = 4, kRegisters = 16;
#endif

typedef float Vec __attribute__((vector_size(kLanes * 4)));
typedef int32_t IntVec __attribute__((vector_size(kLanes * 4)));
// The same vector where memory need not be aligned to it.
typedef float LooseVec __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));

#define INLINE inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))

INLINE Vec load(const float* from) { return *reinterpret_cast<const LooseVec*>(from); }
INLINE void store(float* to, Vec value) { *reinterpret_cast<LooseVec*>(to) = value; }
INLINE Vec splat(float value) { return value - Vec{}; }

// The first `count` lanes; the rest reads as 0 and is not written.
INLINE Vec load(const float* from, int64_t count) {
  if (count >= kLanes) return load(from);
  Vec value{};
  for (int64_t lane = 0; lane < count; ++lane) value[lane] = from[lane];
  return value;
}
INLINE void store(float* to, Vec value, int64_t count) {
  if (count >= kLanes) return store(to, value);
  for (int64_t lane = 0; lane < count; ++lane) to[lane] = value[lane];
}

// Written so that a NaN fails both comparisons and passes through.
INLINE Vec clamp(Vec x, float limit) {
#if defined(__AVX512F__)
  // One instruction each, which answers its second operand if either is NaN.
  const __m512 low = _mm512_set1_ps(-limit), high = _mm512_set1_ps(limit);
  const __m512 below = _mm512_maskz_min_ps(0xffff, high, reinterpret_cast<__m512>(x));
  return reinterpret_cast<Vec>(_mm512_maskz_max_ps(0xffff, low, below));
#else
  x = splat(limit) < x ? splat(limit) : x;
  return splat(-limit) > x ? splat(-limit) : x;
#endif
}

// 1 / x for x in [1, 1e38].
INLINE Vec reciprocal(Vec x) {
#if defined(__AVX512F__)
  // 14 bits from the table, 28 after one Newton step: a fifth of the time of a division.
  const __m512 estimate = _mm512_maskz_rcp14_ps(0xffff, reinterpret_cast<__m512>(x));
  const Vec guess = reinterpret_cast<Vec>(estimate);
  return guess + guess * (1.0f - x * guess);
#else
  return 1.0f / x;
#endif
}

// exp(x) = scale * (1 + minus_one), with scale a power of two and |minus_one| < 0.42.
struct Exponential {
  Vec scale, minus_one;
};

INLINE Exponential exponential(Vec x) {
  // x = n ln 2 + rest. Adding 1.5 * 2^23 rounds to the nearest whole n and leaves it in the low
  // bits; ln 2 is taken off in two parts, so that the rest keeps all its digits.
  const float round = 12582912.0f;
  const Vec shifted = x * 1.44269504088896341f + round;
  const IntVec exponent = reinterpret_cast<IntVec>(shifted) << 23;
  const Vec n = shifted - round;
  const Vec rest = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  // Minimax polynomial of (expm1(r) - r) / r^2 on |r| <= ln 2 / 2.
  Vec tail = splat(1.9875691500e-4f);
  tail = tail * rest + 1.3981999507e-3f;
  tail = tail * rest + 8.3334519073e-3f;
  tail = tail * rest + 4.1665795894e-2f;
  tail = tail * rest + 1.6666665459e-1f;
  tail = tail * rest + 5.0000001201e-1f;
  return {reinterpret_cast<Vec>(exponent + 0x3f800000), tail * (rest * rest) + rest};
}

INLINE Vec sigmoid(Vec x) {
  const Exponential e = exponential(-clamp(x, 87.0f));
  return reciprocal((e.scale + e.scale * e.minus_one) + 1.0f);
}

INLINE Vec tanh(Vec x) {
  x = clamp(x, 10.0f);
  const Exponential e = exponential(x + x);
  const Vec expm1 = e.scale * e.minus_one + (e.scale - 1.0f);
  return expm1 * reciprocal(expm1 + 2.0f);
}
