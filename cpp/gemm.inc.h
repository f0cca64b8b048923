// Register-blocked matrix products.
//
// A tile keeps rows x columns sums in registers while it walks the shared dimension k. The left
// operand is a pointer per row, so a row may lie anywhere: a token of x, the hidden state of the
// token before, the start state. The right operand is a packed panel: for every k, the tile's
// columns side by side.
//
// Every sum runs over k in order, alone in its lane, so a row's result does not depend on which
// rows share its tile: a text scores the same to the bit alone and in any batch.

constexpr int kForwardRows = kRegisters == 32 ? 6 : 3;  // x 4 vectors of columns
constexpr int kColumnRows = kRegisters == 32 ? 8 : 4;   // x 3 vectors of columns
constexpr int kColumnVectors = 3;

constexpr int64_t ceil_divide(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// Calls body(Count<n>) with the run-time number n as a compile-time one, 1 <= n <= Max.
template <int N>
struct Count {};

template <int Max, class Body>
INLINE void with_count(int64_t n, const Body& body) {
  if constexpr (Max > 1) {
    if (n < Max) return with_count<Max - 1>(n, body);
  }
  body(Count<Max>{});
}

// Divides `total` into the fewest groups of at most `Max`, of nearly equal sizes (7 rows are 4 + 3,
// not 6 + 1: a tile of one row runs at a fraction of the speed): body(Count<size>, first).
template <int Max, class Body>
INLINE void for_groups(int64_t total, const Body& body) {
  int64_t first = 0;
  for (int64_t left = ceil_divide(total, Max); left > 0; --left) {
    const int64_t size = ceil_divide(total - first, left);
    with_count<Max>(size, [&]<int N>(Count<N> count) { body(count, first); });
    first += size;
  }
}

// Tells the compiler to have the value in a register here, not to read it again where it is used.
INLINE void keep(Vec& value) {
#if defined(__x86_64__)
  asm("" : "+x"(value));
#elif defined(__aarch64__)
  asm("" : "+w"(value));
#else
  (void)value;
#endif
}

// Nothing but multiplications and additions in registers, for whoever wants to know how fast this
// processor can be: returns how many there were.
double multiply_and_add(int64_t rounds) {
  constexpr int kSums = kRegisters * 3 / 4;
  Vec sums[kSums] = {}, value = splat(0.5f), weight = splat(0.25f);
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 24
    for (int i = 0; i < kSums; ++i) {
      keep(value);
      sums[i] += value * weight;
    }
  }
  for (int i = 0; i < kSums; ++i) keep(sums[i]);
  return 2.0 * kSums * kLanes * static_cast<double>(rounds);
}

// sums[row][First + c] += rows[row][k] * panel[k][c] over k < depth, for Columns vectors c.
template <int First, int Columns, int Rows, int Total>
INLINE void accumulate(Vec (&sums)[Rows][Total], const float* const (&rows)[Rows],
                       const float* panel, int64_t depth) {
  // With 16 registers the sums leave room for one value per row and one vector of the panel, or
  // the other way round: whichever is less.
  constexpr bool kHoldRows = kRegisters == 16 && Rows <= Columns;
#pragma GCC unroll 1
  for (int64_t k = 0; k < depth; ++k, panel += Columns * kLanes) {
    if constexpr (kHoldRows) {
      Vec value[Rows];
#pragma GCC unroll 16
      for (int row = 0; row < Rows; ++row) {
        Vec one = splat(rows[row][k]);  // an array whose address `keep` sees would be stored
        keep(one);
        value[row] = one;
      }
#pragma GCC unroll 16
      for (int c = 0; c < Columns; ++c) {
        Vec weight = load(panel + c * kLanes);
        keep(weight);
#pragma GCC unroll 16
        for (int row = 0; row < Rows; ++row) sums[row][First + c] += value[row] * weight;
      }
    } else {
      Vec weight[Columns];
#pragma GCC unroll 16
      for (int c = 0; c < Columns; ++c) weight[c] = load(panel + c * kLanes);
#pragma GCC unroll 16
      for (int row = 0; row < Rows; ++row) {
        const Vec value = splat(rows[row][k]);
#pragma GCC unroll 16
        for (int c = 0; c < Columns; ++c) sums[row][First + c] += value * weight[c];
      }
    }
  }
}

// The same for a left operand that is packed too, Rows values per k: a sum of outer products.
template <int Rows, int Columns>
INLINE void accumulate_outer(Vec (&sums)[Rows][Columns], const float* left, const float* right,
                             int64_t depth) {
#pragma GCC unroll 1
  for (int64_t k = 0; k < depth; ++k, left += Rows, right += Columns * kLanes) {
    Vec column[Columns];
#pragma GCC unroll 16
    for (int c = 0; c < Columns; ++c) column[c] = load(right + c * kLanes);
#pragma GCC unroll 16
    for (int row = 0; row < Rows; ++row) {
      const Vec value = splat(left[row]);
#pragma GCC unroll 16
      for (int c = 0; c < Columns; ++c) sums[row][c] += value * column[c];
    }
  }
}

// Copies `width` columns, from `first` on, of a row-major matrix into a panel `padded` wide;
// row_of(k) says where row k lies. Columns past `width` become 0.
template <class RowOf>
INLINE void pack_columns(float* panel, int64_t depth, int64_t first, int64_t width, int64_t padded,
                         const RowOf& row_of) {
  for (int64_t k = 0; k < depth; ++k, panel += padded) {
    const float* const from = row_of(k) + first;
    int64_t column = 0;
    for (; column + kLanes <= width; column += kLanes) store(panel + column, load(from + column));
    for (; column < padded; column += kLanes) {
      store(panel + column, load(from + column, width > column ? width - column : 0));
    }
  }
}
