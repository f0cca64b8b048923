// The products of the forward walk in bfloat16: operands of 16 bits, sums in float32. The same
// names as in float32.inc.h.
//
// A tile is up to kTileRows rows by kColumns vectors of columns. Right operands are packed in
// blocks of 32 values of k by 16 columns, see pairs.inc.h. Left operands are rows of whole chunks
// of 32 values, an even stride apart: they are converted and gathered at every step. Values between
// the last one of a row and the end of its chunk meet zeros in the right operand, but must be
// finite.

constexpr int64_t chunks(int64_t values) { return ceil_divide(values, kChunk); }

// An odd number of cache lines, or the rows of a tile would share one set of the cache.
constexpr int64_t padded_row(int64_t chunk_count) { return (chunk_count | 1) * kChunk; }

// Weights of one direction, packed: per tile the input blocks, then the hidden ones, then biases.
template <class Cell>
struct ForwardLayout {
  static constexpr int64_t kUnits = Cell::kWidth * kLanes;
  static constexpr int64_t kPanel = Cell::kGates * Cell::kWidth * kBlock;  // elements per chunk
  int64_t tiles, input_size, hidden_size, input_chunks, hidden_chunks;

  explicit ForwardLayout(const Shape& shape)
      : tiles(ceil_divide(shape.hidden_size, kUnits)),
        input_size(shape.input_size),
        hidden_size(shape.hidden_size),
        input_chunks(chunks(input_size)),
        hidden_chunks(chunks(hidden_size)) {}
  int64_t input(int64_t tile) const { return tile * input_chunks * kPanel; }
  int64_t hidden(int64_t tile) const {
    return (tiles * input_chunks + tile * hidden_chunks) * kPanel;
  }
  // In floats, like all that follows the blocks.
  int64_t bias(int64_t tile) const { return hidden(tiles) / 2 + tile * Cell::kBlocks * kUnits; }
  int64_t step_sums() const { return 0; }  // there is no way from projected inputs
  int64_t floats() const { return bias(tiles); }
  // x and the hidden state before of one text, side by side.
  int64_t operand_row() const { return padded_row(input_chunks + hidden_chunks); }
  int64_t operand_elements(int64_t rows) const {
    return ceil_divide(rows, kTileRows) * kTileRows * operand_row();
  }
};

// Blocks of rows `row_of(unit)` of a weight matrix, `width` vectors of units each.
template <int Width, class RowOf>
INLINE void pack_units(Element* blocks, int64_t stride, int64_t depth, const RowOf& row_of) {
  for (int64_t k = 0; k < depth; k += kChunk, blocks += stride) {
    for (int v = 0; v < Width; ++v) {
      Pairs pairs[16];
      for (int lane = 0; lane < 16; ++lane) {
        const float* const row = row_of(v * kLanes + lane);
        pairs[lane] = row ? neighbours(row + k, depth - k) : Pairs{};
      }
      transpose(pairs);
      for (int pair = 0; pair < 16; ++pair) store(blocks + v * kBlock + pair * 32, pairs[pair]);
    }
  }
}

template <class Cell>
void pack_tile(const Shape& shape, const Weights& weights, float* packed, int64_t tile) {
  using Layout = ForwardLayout<Cell>;
  const Layout layout(shape);
  Element* const elements = reinterpret_cast<Element*>(packed);
  const int64_t size = shape.hidden_size;
  for (int gate = 0; gate < Cell::kGates; ++gate) {
    const int64_t place = gate * Cell::kWidth * kBlock;
    const auto rows_of = [&](const float* weight, int row, int64_t depth) {
      return [=](int64_t lane) -> const float* {
        const int64_t unit = tile * Layout::kUnits + lane;
        return unit < size ? weight + (row * size + unit) * depth : nullptr;
      };
    };
    pack_units<Cell::kWidth>(
        elements + layout.input(tile) + place, Layout::kPanel, shape.input_size,
        rows_of(weights.weight_ih, Cell::input_gate(gate), shape.input_size));
    pack_units<Cell::kWidth>(elements + layout.hidden(tile) + place, Layout::kPanel, size,
                             rows_of(weights.weight_hh, Cell::hidden_gate(gate), size));
  }
  pack_bias<Cell>(shape, weights, packed + layout.bias(tile), tile);
}

// As in float32.inc.h.
template <class Cell>
class StepProducts {
 public:
  StepProducts(const float* packed, const ForwardLayout<Cell>& layout, Element* operands, bool)
      : packed_(packed), layout_(layout), operands_(operands) {}

  void prepare(const ForwardRow* rows, int64_t active, const Share&, int64_t, int64_t) {
    const int64_t input = layout_.input_chunks * kChunk, hidden = layout_.hidden_chunks * kChunk;
    for (int64_t i = 0; i < active; ++i) {
      Element* const to = operands_ + i * layout_.operand_row();
      convert(to, rows[i].x, layout_.input_size, input);
      convert(to + input, rows[i].hidden_before, layout_.hidden_size, hidden);
    }
  }

  void tiles(const ForwardRow* rows, int64_t active, Range range) const {
    constexpr int kWidth = Cell::kWidth;
    const TileUnit unit;
    const Element* const panels = reinterpret_cast<const Element*>(packed_);
    const int64_t stride = layout_.operand_row();
    for (int64_t tile = range.first; tile < range.last; ++tile) {
      for (int64_t first = 0; first < active; first += kTileRows) {
        const Element* const left = operands_ + first * stride;
        const Operands input{left, stride, kChunk, panels + layout_.input(tile),
                             layout_.input_chunks};
        const Operands hidden{left + layout_.input_chunks * kChunk, stride, kChunk,
                              panels + layout_.hidden(tile), layout_.hidden_chunks};
        Vec sums[kTileRows * kColumns];
        const int count = static_cast<int>(least(active - first, kTileRows));
        tile_product<Cell::kInputFirst * kWidth, Cell::kHiddenFirst * kWidth,
                     Cell::kGates * kWidth>(count, packed_ + layout_.bias(tile), 0, input, hidden,
                                            sums);
        finish_step<Cell>(rows + first, count, sums, tile, layout_.hidden_size);
      }
    }
  }

 private:
  const float* packed_;
  const ForwardLayout<Cell>& layout_;
  Element* operands_;  // [text][x, hidden state before]
};
