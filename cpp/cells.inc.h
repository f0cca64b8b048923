// The cells: the arithmetic of one step and its gradient, for one vector of hidden units.
//
// W x and U h are the input and the hidden product, biases included; (.) is elementwise.
//
//   LSTM  i = sigmoid(W_i x + U_i h)    f = sigmoid(W_f x + U_f h)    c' = f (.) c + i (.) g
//         g = tanh(W_g x + U_g h)       o = sigmoid(W_o x + U_o h)    h' = o (.) tanh(c')
//   GRU   r = sigmoid(W_r x + U_r h)    z = sigmoid(W_z x + U_z h)
//         n = tanh(W_n x + r (.) (U_n h))                             h' = (1 - z) (.) n + z (.) h
//   RNN   h' = tanh(W x + U h), or relu
//
// A cell saves kBlocks blocks of H values per token. Of these, kGates from kInputFirst on receive
// the input product and kGates from kHiddenFirst on the hidden product; input_gate and hidden_gate
// say which block of rows of torch's weight_ih and weight_hh belongs to each. The blocks of the GRU
// are n, r, z and U_n h: three contiguous ones for either product.
//
// step:      gate holds the sums of the products and becomes the blocks that are saved.
// gradient:  d_gate becomes the gradient of those sums. `carry` is the gradient that flows from
//            step to step beside the hidden product: d_c for the LSTM, d_h' z for the GRU.

enum class Carry { none, cell, hidden };

struct Lstm {
  static constexpr int kGates = 4, kBlocks = 4, kInputFirst = 0, kHiddenFirst = 0;
  static constexpr int kWidth = 1;  // vectors of hidden units per tile: kBlocks * kWidth = 4
  static constexpr bool kHasCell = true;
  static constexpr Carry kCarry = Carry::cell;
  static constexpr int input_gate(int gate) { return gate; }
  static constexpr int hidden_gate(int gate) { return gate; }

  struct State {
    Vec hidden, cell;
  };

  static INLINE State step(Vec (&gate)[4], State before) {
    const Vec i = gate[0] = sigmoid(gate[0]);
    const Vec f = gate[1] = sigmoid(gate[1]);
    const Vec g = gate[2] = tanh(gate[2]);
    const Vec o = gate[3] = sigmoid(gate[3]);
    const Vec cell = f * before.cell + i * g;
    return {o * tanh(cell), cell};
  }

  static INLINE Vec gradient(Vec (&d_gate)[4], const Vec (&gate)[4], State before, State after,
                             Vec d_hidden, Vec carry) {
    const Vec i = gate[0], f = gate[1], g = gate[2], o = gate[3];
    const Vec tanh_cell = tanh(after.cell);
    const Vec d_cell = carry + d_hidden * o * (1.0f - tanh_cell * tanh_cell);
    d_gate[0] = d_cell * g * i * (1.0f - i);
    d_gate[1] = d_cell * before.cell * f * (1.0f - f);
    d_gate[2] = d_cell * i * (1.0f - g * g);
    d_gate[3] = d_hidden * tanh_cell * o * (1.0f - o);
    return d_cell * f;
  }
};

struct Gru {
  static constexpr int kGates = 3, kBlocks = 4, kInputFirst = 0, kHiddenFirst = 1;
  static constexpr int kWidth = 1;
  static constexpr bool kHasCell = false;
  static constexpr Carry kCarry = Carry::hidden;
  static constexpr int input_gate(int gate) { return gate == 0 ? 2 : gate - 1; }  // n, r, z
  static constexpr int hidden_gate(int gate) { return gate; }                     // r, z, n

  struct State {
    Vec hidden, cell;
  };

  static INLINE State step(Vec (&gate)[4], State before) {
    const Vec r = gate[1] = sigmoid(gate[1]);
    const Vec z = gate[2] = sigmoid(gate[2]);
    const Vec n = gate[0] = tanh(gate[0] + r * gate[3]);
    return {n + z * (before.hidden - n), Vec{}};
  }

  static INLINE Vec gradient(Vec (&d_gate)[4], const Vec (&gate)[4], State before, State,
                             Vec d_hidden, Vec) {
    const Vec n = gate[0], r = gate[1], z = gate[2], hidden_product = gate[3];
    const Vec d_n = d_hidden * (1.0f - z) * (1.0f - n * n);
    d_gate[0] = d_n;
    d_gate[1] = d_n * hidden_product * r * (1.0f - r);
    d_gate[2] = d_hidden * (before.hidden - n) * z * (1.0f - z);
    d_gate[3] = d_n * r;
    return d_hidden * z;
  }
};

struct TanhRnn {
  static constexpr int kGates = 1, kBlocks = 1, kInputFirst = 0, kHiddenFirst = 0;
  static constexpr int kWidth = 4;
  static constexpr bool kHasCell = false;
  static constexpr Carry kCarry = Carry::none;
  static constexpr int input_gate(int gate) { return gate; }
  static constexpr int hidden_gate(int gate) { return gate; }

  struct State {
    Vec hidden, cell;
  };

  static INLINE State step(Vec (&gate)[1], State) {
    gate[0] = tanh(gate[0]);
    return {gate[0], Vec{}};
  }

  static INLINE Vec gradient(Vec (&d_gate)[1], const Vec (&gate)[1], State, State, Vec d_hidden,
                             Vec) {
    d_gate[0] = d_hidden * (1.0f - gate[0] * gate[0]);
    return Vec{};
  }
};

struct ReluRnn : TanhRnn {
  static INLINE State step(Vec (&gate)[1], State) {
    gate[0] = gate[0] < Vec{} ? Vec{} : gate[0];  // NaN stays NaN
    return {gate[0], Vec{}};
  }

  static INLINE Vec gradient(Vec (&d_gate)[1], const Vec (&gate)[1], State, State, Vec d_hidden,
                             Vec) {
    d_gate[0] = gate[0] > Vec{} ? d_hidden : Vec{};
    return Vec{};
  }
};

// Calls body.template operator()<Cell>() for the cell of that kind.
template <class Body>
INLINE auto with_cell(CellKind kind, const Body& body) {
  switch (kind) {
    case CellKind::lstm:
      return body.template operator()<Lstm>();
    case CellKind::gru:
      return body.template operator()<Gru>();
    case CellKind::rnn:
      return body.template operator()<TanhRnn>();
    default:
      return body.template operator()<ReluRnn>();
  }
}
