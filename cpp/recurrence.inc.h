// Forward: walks the texts of one share side by side, one token of each per step. A step is a
// product for every tile of hidden units, with the cell's arithmetic while the sums are in the
// cache.

template <class Cell>
void walk(const Forward& call, const float* packed, const Share& share) {
  const Shape& shape = call.shape;
  const ForwardLayout<Cell> layout(shape);
  const int64_t size = shape.hidden_size, width = shape.directions * size;
  const int64_t direction = share.direction, stride = direction == 0 ? 1 : -1;
  const int64_t first_token = direction * shape.tokens;  // row of (D, N, ...) arrays
  ForwardRow* const rows = static_cast<ForwardRow*>(share.rows);
  StepProducts<Cell> products(packed, layout, after(rows, share.count), call.x == nullptr);
  const int64_t sums = layout.step_sums();

  // The final states hold the running ones: the start state until the first step, and the answer of
  // a text without tokens.
  for (int64_t i = 0; i < share.count; ++i) {
    const int64_t state = (direction * shape.sequences + share.lanes[i].sequence) * size;
    copy_or_zero(call.final_hidden + state, offset(call.hidden0, state), size);
    if (Cell::kHasCell) copy_or_zero(call.final_cell + state, offset(call.cell0, state), size);
  }

  int64_t active = share.count;
  for (int64_t step = 0;; ++step) {
    while (active > 0 && share.lanes[active - 1].length <= step) --active;
    if (active == 0) break;
    for (int64_t i = 0; i < active; ++i) {
      const Lane& lane = share.lanes[i];
      const int64_t token = lane.start + step * stride;
      const int64_t state = (direction * shape.sequences + lane.sequence) * size;
      ForwardRow& row = rows[i];
      row.x = call.x != nullptr
                  ? call.x + token * shape.input_size
                  : call.projected + (call.places[token] * shape.directions + direction) * sums;
      row.hidden = call.hidden + token * width + direction * size;
      row.hidden_before = step == 0 ? call.final_hidden + state : row.hidden - stride * width;
      row.ahead = step + 1 == lane.length ? 0 : stride;
      row.hidden_ahead = row.ahead * width;
      row.cell = offset(call.final_cell, state);
      row.gates = offset(call.gates, (first_token + token) * Cell::kBlocks * size);
      row.cells = offset(call.cells, (first_token + token) * size);
    }
    products.prepare(rows, active, share, step, stride * shape.input_size);
    divide(share, layout.tiles, [&](Range range) { products.tiles(rows, active, range); });
  }

  for (int64_t i = 0; i < share.count; ++i) {
    const Lane& lane = share.lanes[i];
    if (lane.length == 0) continue;
    const int64_t last = lane.start + (lane.length - 1) * stride;
    copy_or_zero(call.final_hidden + (direction * shape.sequences + lane.sequence) * size,
                 call.hidden + last * width + direction * size, size);
  }
}
