// The forward walk's products in int8, for answering: the same names as in float32.inc.h.
//
// Every row of weights and every row of operands has a scale of its own, its greatest magnitude
// over 127: w = q * scale. The processor multiplies unsigned numbers with signed ones, four
// neighbours in k at a time, so operands are stored as q + 128, and what that adds, 128 times the
// sum of the weights, is taken off again. Sums are exact up to 65,536 values of k; only the
// rounding of both operands is lost.

typedef int32_t Counts __attribute__((vector_size(64)));

constexpr int64_t kQuad = 4;  // neighbours in k; a vector holds those of 16 columns
constexpr int64_t kVector = 64;

constexpr int64_t quads(int64_t values) { return ceil_divide(values, kQuad); }

// Weights of one direction, packed: the input vectors [tile][quad][column], the hidden ones, then
// per tile floats and counts by column: bias, and for input and hidden product scale and excess.
template <class Cell>
struct ForwardLayout {
  static constexpr int64_t kUnits = Cell::kWidth * kLanes;
  static constexpr int64_t kProduct = Cell::kGates * kUnits;              // columns
  static constexpr int64_t kPanel = Cell::kGates * Cell::kWidth * kVector;  // bytes per quad
  static constexpr int64_t kColumns = Cell::kBlocks * kUnits + 4 * kProduct;
  int64_t tiles, input_size, hidden_size;

  explicit ForwardLayout(const Shape& shape)
      : tiles(ceil_divide(shape.hidden_size, kUnits)),
        input_size(shape.input_size),
        hidden_size(shape.hidden_size) {}
  // In floats, all of them.
  int64_t input(int64_t tile) const { return tile * quads(input_size) * kPanel / 4; }
  int64_t hidden(int64_t tile) const {
    return input(tiles) + tile * quads(hidden_size) * kPanel / 4;
  }
  int64_t bias(int64_t tile) const { return hidden(tiles) + tile * kColumns; }
  int64_t input_scale(int64_t tile) const { return bias(tile) + Cell::kBlocks * kUnits; }
  int64_t hidden_scale(int64_t tile) const { return input_scale(tile) + 2 * kProduct; }
  int64_t step_sums() const { return 0; }  // there is no way from projected inputs
  int64_t floats() const { return bias(tiles); }
  // One text's operands in bytes: two scales, x, the hidden state before.
  int64_t hidden_place() const { return kVector + ceil_divide(input_size, kVector) * kVector; }
  int64_t operand_row() const {
    return hidden_place() + ceil_divide(hidden_size, kVector) * kVector;
  }
  int64_t operand_elements(int64_t rows) const { return rows * operand_row(); }
};

// The greatest magnitude of `count` values, over 127; NaN if one of them is NaN or infinite.
INLINE float scale_of(const float* values, int64_t count) {
  Vec greatest{}, faults{};
  for (int64_t i = 0; i < count; i += kLanes) {
    const Vec value = load(values + i, count - i);
    const Vec magnitude = value < Vec{} ? -value : value;
    greatest = magnitude > greatest ? magnitude : greatest;
    faults += value * 0.0f;
  }
  float most = 0.0f;
  for (int lane = 0; lane < kLanes; ++lane) {
    most = greatest[lane] > most ? greatest[lane] : most;
    most += faults[lane];
  }
  return most / 127.0f;
}

// 1 / scale; 0 for NaN, which the scale itself carries on, and for rows as good as zero.
INLINE float inverse_of(float scale) { return scale > 1e-35f ? 1.0f / scale : 0.0f; }

// Packs the rows `row_of(lane)` of one gate's weights for one vector of columns.
template <class RowOf>
INLINE void pack_column(int8_t* to, int64_t stride, int64_t depth, float* scale, int32_t* excess,
                        const RowOf& row_of) {
  for (int64_t lane = 0; lane < kLanes; ++lane) {
    const float* const row = row_of(lane);
    scale[lane] = row ? scale_of(row, depth) : 0.0f;
    const float inverse = inverse_of(scale[lane]);
    int32_t sum = 0;
    for (int64_t k = 0; k < quads(depth) * kQuad; ++k) {
      const float value = row && k < depth && inverse > 0.0f ? row[k] * inverse : 0.0f;
      const int32_t whole = static_cast<int32_t>(value + (value < 0.0f ? -0.5f : 0.5f));
      to[k / kQuad * stride + lane * kQuad + k % kQuad] = static_cast<int8_t>(whole);
      sum += whole;
    }
    excess[lane] = 128 * sum;
  }
}

template <class Cell>
void pack_tile(const Shape& shape, const Weights& weights, float* packed, int64_t tile) {
  using Layout = ForwardLayout<Cell>;
  const Layout layout(shape);
  const int64_t size = shape.hidden_size;
  const auto pack_part = [&](int64_t panel, int64_t scales, const float* weight, int64_t depth,
                             int (*gate_of)(int)) {
    int8_t* const bytes = reinterpret_cast<int8_t*>(packed + panel);
    for (int64_t c = 0; c < Cell::kGates * Cell::kWidth; ++c) {
      const int gate = gate_of(static_cast<int>(c / Cell::kWidth));
      const int64_t first = tile * Layout::kUnits + c % Cell::kWidth * kLanes;
      float* const scale = packed + scales + c * kLanes;
      pack_column(bytes + c * kVector, Layout::kPanel, depth, scale,
                  reinterpret_cast<int32_t*>(scale + Layout::kProduct),
                  [&](int64_t lane) -> const float* {
                    const int64_t unit = first + lane;
                    return unit < size ? weight + (gate * size + unit) * depth : nullptr;
                  });
    }
  };
  pack_part(layout.input(tile), layout.input_scale(tile), weights.weight_ih, shape.input_size,
            Cell::input_gate);
  pack_part(layout.hidden(tile), layout.hidden_scale(tile), weights.weight_hh, size,
            Cell::hidden_gate);
  pack_bias<Cell>(shape, weights, packed + layout.bias(tile), tile);
}

// Rounds a row of operands to bytes, filled up with zeros to a whole vector; its scale.
INLINE float quantize(Element* to, const float* from, int64_t count) {
  const float scale = scale_of(from, count);
  const Vec inverse = splat(inverse_of(scale));
  for (int64_t i = 0; i < ceil_divide(count, kVector) * kVector; i += kLanes) {
    const Vec value = load(from + i, count - i) * inverse;
    const __m512i whole = _mm512_maskz_cvtps_epi32(0xffff, reinterpret_cast<__m512>(value));
    const __m512i shifted = _mm512_add_epi32(whole, _mm512_set1_epi32(128));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i),
                     _mm512_maskz_cvtepi32_epi8(0xffff, shifted));
  }
  return scale;
}

// As in float32.inc.h.
template <class Cell>
class StepProducts {
  using Layout = ForwardLayout<Cell>;

 public:
  StepProducts(const float* packed, const Layout& layout, Element* operands, bool)
      : packed_(packed), layout_(layout), operands_(operands) {}

  void prepare(const ForwardRow* rows, int64_t active, const Share&, int64_t, int64_t) {
    for (int64_t i = 0; i < active; ++i) {
      Element* const row = operands_ + i * layout_.operand_row();
      float* const scales = reinterpret_cast<float*>(row);
      scales[0] = quantize(row + kVector, rows[i].x, layout_.input_size);
      scales[1] =
          quantize(row + layout_.hidden_place(), rows[i].hidden_before, layout_.hidden_size);
    }
  }

  void tiles(const ForwardRow* rows, int64_t active, Range range) const {
    for (int64_t tile = range.first; tile < range.last; ++tile) {
      for_groups<kForwardRows>(active, [&]<int Rows>(Count<Rows>, int64_t first) {
        Vec sums[Rows * Cell::kBlocks * Cell::kWidth];
        const float* const bias = packed_ + layout_.bias(tile);
        for (int r = 0; r < Rows; ++r) {
          for (int c = 0; c < Cell::kBlocks * Cell::kWidth; ++c) {
            sums[r * Cell::kBlocks * Cell::kWidth + c] = load(bias + c * kLanes);
          }
        }
        const Element* const row = operands_ + first * layout_.operand_row();
        add_part<Cell::kInputFirst, Rows>(sums, row, 0, kVector, layout_.input(tile),
                                          layout_.input_scale(tile), layout_.input_size);
        add_part<Cell::kHiddenFirst, Rows>(sums, row, 1, layout_.hidden_place(),
                                           layout_.hidden(tile), layout_.hidden_scale(tile),
                                           layout_.hidden_size);
        finish_step<Cell>(rows + first, Rows, sums, tile, layout_.hidden_size);
      });
    }
  }

 private:
  // sums += the product of one part: operands from `place` of every row on, with its scale.
  template <int First, int Rows>
  INLINE void add_part(Vec* sums, const Element* row, int which, int64_t place, int64_t panel_place,
                       int64_t scale_place, int64_t depth) const {
    constexpr int kProduct = Cell::kGates * Cell::kWidth;
    const Element* panel = reinterpret_cast<const Element*>(packed_ + panel_place);
    const int64_t stride = layout_.operand_row(), quad_count = quads(depth);
    Counts counts[Rows][kProduct];
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 16
      for (int c = 0; c < kProduct; ++c) counts[r][c] = Counts{};
    }
#pragma GCC unroll 1
    for (int64_t quad = 0; quad < quad_count; ++quad, panel += Layout::kPanel) {
      __m512i weight[kProduct];
#pragma GCC unroll 16
      for (int c = 0; c < kProduct; ++c) weight[c] = _mm512_loadu_si512(panel + c * kVector);
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
        int four;
        __builtin_memcpy(&four, row + r * stride + place + quad * kQuad, sizeof four);
        const __m512i value = _mm512_set1_epi32(four);
#pragma GCC unroll 16
        for (int c = 0; c < kProduct; ++c) {
          // As 64-bit vectors, which intrinsics speak of, GCC 12 would store the sums every time.
          counts[r][c] = reinterpret_cast<Counts>(
              _mm512_dpbusd_epi32(reinterpret_cast<__m512i>(counts[r][c]), value, weight[c]));
        }
      }
    }
    const float* const scale = packed_ + scale_place;
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
      const float of_row = reinterpret_cast<const float*>(row + r * stride)[which];
      Vec* const to = sums + r * Cell::kBlocks * Cell::kWidth + First * Cell::kWidth;
#pragma GCC unroll 16
      for (int c = 0; c < kProduct; ++c) {
        const Vec excess = load(scale + Layout::kProduct + c * kLanes);
        const Counts exact = counts[r][c] - reinterpret_cast<Counts>(excess);
        to[c] += __builtin_convertvector(exact, Vec) * (load(scale + c * kLanes) * of_row);
      }
    }
  }

  const float* packed_;
  const Layout& layout_;
  Element* operands_;
};
