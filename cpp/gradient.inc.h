// Backward: walks back through the texts of one share, then the gradient of x; and which tiles of
// the weights' gradients take part in which product.
//
// d_gates holds, per direction and token, the gradients of the gates before their activation. A
// step's d_hidden is what comes from outside plus the next step's d_gates times weight_hh; d_x is
// d_gates times weight_ih.

INLINE Element* d_gates_of(const Backward& call) { return static_cast<Element*>(call.d_gates); }
INLINE const Element* packed_of(const Backward& call, int64_t direction) {
  return reinterpret_cast<const Element*>(call.packed[direction]);
}

template <class Cell>
void walk_back(const Backward& call, const Share& share) {
  const Shape& shape = call.shape;
  const GradientLayout<Cell> layout(shape);
  const int64_t size = shape.hidden_size, width = shape.directions * size;
  const int64_t blocks = Cell::kBlocks * size, hidden_first = Cell::kHiddenFirst * size;
  const int64_t direction = share.direction, stride = direction == 0 ? 1 : -1;
  const Element* const packed = packed_of(call, direction);
  const int64_t gate_row = layout.gate_row();
  Element* const d_gates = d_gates_of(call) + direction * shape.tokens * gate_row;
  BackwardRow* const rows = static_cast<BackwardRow*>(share.rows);
  const Element** const d_next = reinterpret_cast<const Element**>(rows + share.count);
  Element* const operands = after(d_next, share.count);
  const Element* const nothing = reinterpret_cast<const Element*>(call.zeros);

  const auto state_of = [&](int64_t i) {
    return (direction * shape.sequences + share.lanes[i].sequence) * size;
  };
  if constexpr (Cell::kCarry != Carry::none) {
    for (int64_t i = 0; i < share.count; ++i) {
      const bool cell = Cell::kCarry == Carry::cell;
      copy_or_zero(call.carry + state_of(i),
                   cell ? offset(call.d_final_cell, state_of(i)) : nullptr, size);
    }
  }

  int64_t active = 0;
  for (int64_t step = share.count > 0 ? share.lanes[0].length - 1 : -1; step >= 0; --step) {
    while (active < share.count && share.lanes[active].length > step) ++active;
    for (int64_t i = 0; i < active; ++i) {
      const Lane& lane = share.lanes[i];
      const int64_t token = lane.start + step * stride;
      const int64_t place = direction * shape.tokens + token;  // row of (D, N, ...) arrays
      const bool last = step + 1 == lane.length;
      BackwardRow& row = rows[i];
      row.d_gates = d_gates + token * gate_row;
      d_next[i] = last ? nothing : row.d_gates + stride * gate_row + hidden_first;
      finish_row(row.d_gates, blocks, gate_row);
      row.d_hidden = call.d_hidden ? call.d_hidden + token * width + direction * size : call.zeros;
      row.d_final = last ? offset(call.d_final_hidden, state_of(i)) : nullptr;
      row.gates = call.gates + place * blocks;
      row.hidden_before = call.before[place];
      row.ahead = step == 0 ? 0 : -stride;
      row.carry = offset(call.carry, state_of(i));
      if constexpr (Cell::kHasCell) {
        row.cell = call.cells + place * size;
        const float* const start = call.cell0 ? call.cell0 + state_of(i) : call.zeros;
        row.cell_before = step == 0 ? start : row.cell - stride * size;
      }
    }
    const LeftRows left = scattered_rows(d_next, active, layout.depth, operands);
    divide(share, layout.hidden.count(), [&](Range range) {
      multiply(active, layout.hidden, range, layout.depth, left, packed, LeftRows{}, nullptr,
               [&](int64_t first, int count, const Vec* sums, int64_t unit, int vectors) {
                 finish_step_back<Cell>(rows + first, count, sums, unit, vectors, size, width,
                                        gate_row);
               });
    });
  }

  if (call.d_hidden0 == nullptr) return;
  // Texts with tokens, `active` of them, send one more product back; the others pass on what came.
  for (int64_t i = 0; i < active; ++i) {
    d_next[i] = d_gates + share.lanes[i].start * gate_row + hidden_first;
  }
  const LeftRows left = scattered_rows(d_next, active, layout.depth, operands);
  multiply(active, layout.hidden, {0, layout.hidden.count()}, layout.depth, left, packed,
           LeftRows{}, nullptr,
           [&](int64_t first, int count, const Vec* sums, int64_t unit, int vectors) {
             for (int r = 0; r < count; ++r) {
               for (int v = 0; v < vectors; ++v) {
                 const int64_t place = state_of(first + r) + unit + v * kLanes;
                 const int64_t rest = size - unit - v * kLanes;
                 Vec d_hidden0 = sums[r * vectors + v];
                 if constexpr (Cell::kCarry == Carry::hidden) {
                   d_hidden0 += load(call.carry + place, rest);
                 }
                 store(call.d_hidden0 + place, d_hidden0, rest);
               }
             }
           });
  for (int64_t i = active; i < share.count; ++i) {
    copy_or_zero(call.d_hidden0 + state_of(i), offset(call.d_final_hidden, state_of(i)), size);
  }
}

constexpr int64_t kTokenGroup = 48;  // a multiple of the rows of a tile, 4, 8 or 16

template <class Cell>
void input_gradient(const Backward& call, int64_t first_token, int64_t token_count) {
  const Shape& shape = call.shape;
  const GradientLayout<Cell> layout(shape);
  const int64_t columns = shape.input_size, gate_row = layout.gate_row();
  for (int64_t start = 0; start < token_count; start += kTokenGroup) {
    const int64_t count = least(kTokenGroup, token_count - start), base = first_token + start;
    const Element* room[2][kTokenGroup];
    LeftRows left[2]{};
    const Element* panel[2]{};
    for (int direction = 0; direction < shape.directions; ++direction) {
      const int64_t place = (direction * shape.tokens + base) * gate_row;
      left[direction] = even_rows(d_gates_of(call) + place + Cell::kInputFirst * shape.hidden_size,
                                  gate_row, count, room[direction]);
      panel[direction] = packed_of(call, direction) + layout.input_start();
    }
    multiply(count, layout.input, {0, layout.input.count()}, layout.depth, left[0], panel[0],
             left[1], panel[1],
             [&](int64_t first, int rows, const Vec* sums, int64_t column, int vectors) {
               for (int r = 0; r < rows; ++r) {
                 float* const to = call.d_x + (base + first + r) * columns + column;
                 for (int v = 0; v < vectors; ++v) {
                   store(to + v * kLanes, sums[r * vectors + v], columns - column - v * kLanes);
                 }
               }
             });
  }
}

// kWeightTile of the kBlocks * H gates, and which gradients of weights need any of them.
template <class Cell>
struct WeightTile {
  int64_t first, count;
  bool input, hidden;

  WeightTile(const Shape& shape, int64_t tile)
      : first(tile * kWeightTile),
        count(least(kWeightTile, Cell::kBlocks * shape.hidden_size - first)),
        input(meets(shape, Cell::kInputFirst)),
        hidden(meets(shape, Cell::kHiddenFirst)) {}

 private:
  bool meets(const Shape& shape, int first_block) const {
    const int64_t start = first_block * shape.hidden_size;
    return first < start + Cell::kGates * shape.hidden_size && first + count > start;
  }
};
