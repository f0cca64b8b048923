// A tile's product on the matrix unit (AMX) of Intel processors.

// The unit's registers 0 .. 3 are the sums, 4 is the left operand, 5 .. 7 the right one; all are 16
// rows of 64 bytes. Set up for as long as this object lives.
class TileUnit {
 public:
  TileUnit() {
    struct {
      uint8_t palette, start_row, reserved[14];
      uint16_t row_bytes[16];
      uint8_t rows[16];
    } setting = {};
    setting.palette = 1;
    for (int i = 0; i < 8; ++i) {
      setting.row_bytes[i] = 64;
      setting.rows[i] = kTileRows;
    }
    // The intrinsics of GCC 12 do not tell the compiler which memory they read.
    asm volatile("" : : "r"(&setting) : "memory");
    _tile_loadconfig(&setting);
  }
  ~TileUnit() { _tile_release(); }
  TileUnit(const TileUnit&) = delete;
  TileUnit& operator=(const TileUnit&) = delete;
};

template <int First, int Count>
INLINE void add_product(const Operands& part) {
  const Element *left = part.left, *right = part.right;
#pragma GCC unroll 1
  for (int64_t chunk = 0; chunk < part.chunks; ++chunk, left += part.chunk) {
    _tile_loadd(4, left, part.row * 2);
    if constexpr (First == 0) {
      _tile_loadd(5, right, 64);
      _tile_dpbf16ps(0, 4, 5);
      right += kBlock;
    }
    if constexpr (First <= 1 && First + Count > 1) {
      _tile_loadd(6, right, 64);
      _tile_dpbf16ps(1, 4, 6);
      right += kBlock;
    }
    if constexpr (First + Count > 2) {
      _tile_loadd(7, right, 64);
      _tile_dpbf16ps(2, 4, 7);
      right += kBlock;
    }
    if constexpr (First + Count > 3) {
      _tile_loadd(5, right, 64);
      _tile_dpbf16ps(3, 4, 5);
      right += kBlock;
    }
  }
}

// sums[row][column] = start + one + more, where `one` adds to Count vectors of columns from First
// on and `more` to as many from MoreFirst on. Rows of `start` are start_row floats apart.
template <int First, int MoreFirst, int Count>
INLINE void tile_product(int, const float* start, int64_t start_row, const Operands& one,
                         const Operands& more, Vec* sums) {
  asm volatile("" : : : "memory");  // all operands are stored, see above
  _tile_loadd(0, start, start_row * 4);
  _tile_loadd(1, start + 16, start_row * 4);
  _tile_loadd(2, start + 32, start_row * 4);
  _tile_loadd(3, start + 48, start_row * 4);
  add_product<First, Count>(one);
  add_product<MoreFirst, Count>(more);
  float* const to = reinterpret_cast<float*>(sums);
  _tile_stored(0, to, kTileColumns * 4);
  _tile_stored(1, to + 16, kTileColumns * 4);
  _tile_stored(2, to + 32, kTileColumns * 4);
  _tile_stored(3, to + 48, kTileColumns * 4);
}
