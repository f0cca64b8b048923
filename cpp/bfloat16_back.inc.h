// The products of the way back in bfloat16: d_gates times the weights, for the walk and for d_x.
// The same names as in float32_back.inc.h, operands as in bfloat16.inc.h.

constexpr int64_t kWeightTile = kTileColumns;  // columns of a tile of the weights' gradients

// Columns of a product, divided into blocks of kTileColumns.
struct ColumnBlocks {
  int64_t columns;
  explicit ColumnBlocks(int64_t count) : columns(count) {}
  int64_t count() const { return ceil_divide(columns, kTileColumns); }
};

// Both weight matrices of one direction as right operands [block][chunk][kColumns], k over
// kGates * H rows in the order of the saved blocks.
template <class Cell>
struct GradientLayout {
  int64_t depth;
  ColumnBlocks input, hidden;

  explicit GradientLayout(const Shape& shape)
      : depth(Cell::kGates * shape.hidden_size),
        input(shape.input_size),
        hidden(shape.hidden_size) {}
  int64_t block_elements() const { return chunks(depth) * kColumns * kBlock; }
  int64_t input_start() const { return hidden.count() * block_elements(); }
  int64_t floats() const { return (input_start() + input.count() * block_elements()) / 2; }
  // As long as the hidden part reads, which begins anywhere and ends with a whole chunk.
  int64_t gate_row() const {
    return padded_row(chunks(Cell::kHiddenFirst * hidden.columns + chunks(depth) * kChunk));
  }
  int64_t operand_elements(int64_t rows) const {
    return ceil_divide(rows, kTileRows) * kTileRows * padded_row(chunks(depth));
  }
};

template <class Cell>
void pack_gradient_block(const Shape& shape, const Weights& weights, float* packed, int64_t part) {
  const GradientLayout<Cell> layout(shape);
  const int64_t size = shape.hidden_size;
  const bool is_hidden = part < layout.hidden.count();
  const ColumnBlocks& blocks = is_hidden ? layout.hidden : layout.input;
  const float* const weight = is_hidden ? weights.weight_hh : weights.weight_ih;
  const int64_t first_column = (is_hidden ? part : part - layout.hidden.count()) * kTileColumns;
  const auto row_of = [&](int64_t k) -> const float* {
    if (k >= layout.depth) return nullptr;
    const int gate = static_cast<int>(k / size);
    const int row = is_hidden ? Cell::hidden_gate(gate) : Cell::input_gate(gate);
    return weight + (row * size + k % size) * blocks.columns;
  };
  // The blocks of the input follow those of the hidden state.
  Element* to = reinterpret_cast<Element*>(packed) + part * layout.block_elements();
  for (int64_t k = 0; k < chunks(layout.depth) * kChunk; k += kChunk) {
    for (int v = 0; v < kColumns; ++v, to += kBlock) {
      const int64_t column = first_column + v * kLanes;
      for (int64_t pair = 0; pair < 16; ++pair) {
        const float *even = row_of(k + 2 * pair), *odd = row_of(k + 2 * pair + 1);
        const int64_t count = blocks.columns - column;
        store(to + pair * 32, interleave(even ? halves(even + column, count) : Halves{},
                                         odd ? halves(odd + column, count) : Halves{}));
      }
    }
  }
}

// The left operand of `multiply`: rows `stride` apart.
struct LeftRows {
  const Element* first;
  int64_t stride;
};

// Makes what lies between the `used` values of a row and its end finite.
INLINE void finish_row(Element* row, int64_t used, int64_t end) {
  for (int64_t i = used; i < end; ++i) row[i] = 0;
}

// Rows that lie anywhere, copied side by side. Reading a row to the end of its last chunk is safe:
// rows are as long as d_gates has them, and there are more of those than are in use.
INLINE LeftRows scattered_rows(const Element* const* rows, int64_t count, int64_t depth,
                               Element* operands) {
  const int64_t stride = padded_row(chunks(depth));
  for (int64_t i = 0; i < count; ++i) {
    __builtin_memcpy(operands + i * stride, rows[i],
                     static_cast<size_t>(chunks(depth) * kChunk) * sizeof(Element));
  }
  return {operands, stride};
}

INLINE LeftRows even_rows(const Element* first, int64_t stride, int64_t, const Element**) {
  return {first, stride};
}

// As in float32_back.inc.h. Reads whole tiles of rows.
template <class Finish>
INLINE void multiply(int64_t row_count, const ColumnBlocks&, Range range, int64_t depth,
                     LeftRows left, const Element* matrix, LeftRows more_left,
                     const Element* more_matrix, const Finish& finish) {
  const TileUnit unit;
  const int64_t block = chunks(depth) * kColumns * kBlock;
  const Vec zeros[kColumns] = {};
  for (int64_t b = range.first; b < range.last; ++b) {
    for (int64_t first = 0; first < row_count; first += kTileRows) {
      const Operands one{left.first + first * left.stride, left.stride, kChunk, matrix + b * block,
                         chunks(depth)};
      const Operands more{more_left.first + first * more_left.stride, more_left.stride, kChunk,
                          more_matrix + b * block, more_matrix ? chunks(depth) : 0};
      Vec sums[kTileRows * kColumns];
      const int count = static_cast<int>(least(row_count - first, kTileRows));
      tile_product<0, 0, kColumns>(count, reinterpret_cast<const float*>(zeros), 0, one, more,
                                   sums);
      finish(first, count, sums, b * kTileColumns, kColumns);
    }
  }
}
