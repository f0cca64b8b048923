// The recurrent layer over a ragged batch: one layer, one or two directions, float32 arrays.
//
// N tokens in B texts, E input size, H hidden size, D directions, G gates, S saved blocks. Rows are
// sequence-major: text i owns the tokens offsets[i] .. offsets[i + 1]. Direction 1 walks backwards.
//
//   x (N, E)          hidden (N, D*H)            weight_ih (G*H, E)   bias_ih (G*H)
//   offsets (B + 1)   final_hidden (D, B, H)     weight_hh (G*H, H)   bias_hh (G*H)
//   gates (D, N, S*H) cells, lstm only (D, N, H)
//
// Nothing here knows Python. Shapes are trusted: kernels/checks.py has checked them.
#pragma once

#include <string>
#include <vector>

#include "memory.h"
#include "target.h"

namespace gatewise {

enum class Precision : int { float32, bfloat16, int8 };

// The instruction set in use, null if it has none for the precision. `use` is for start-up: it
// changes the choice for the whole process.
const Target* target(Precision precision);
std::string target_name();
// Whether bfloat16 is the faster precision here.
bool prefers_bfloat16();
std::vector<std::string> available_targets();
bool use_target(const std::string& name);

int gates_of(CellKind cell);   // G
int blocks_of(CellKind cell);  // S

// Weights laid out for the forward walk; immutable, so any number of threads may use it at once.
class Packed {
 public:
  // The precision is that of the products' operands; all else is float32. The target must have it.
  Packed(const Shape& shape, const std::vector<Weights>& weights, Precision precision, int threads);
  // Fills the outputs of `call`, whose shape gives tokens and sequences. `gates` and `cells` may be
  // null; the other results are the same to the bit either way and for any number of threads.
  void forward(Forward call, const int64_t* offsets, int threads) const;
  // What the walks take from inputs that come again: rows of `projected_floats`, which is 0 where
  // the precision has no such way, for `Forward::projected`.
  int64_t projected_floats() const;
  void project(const float* x, int64_t rows, float* projected, int threads) const;
  const Shape& shape() const { return shape_; }

 private:
  Shape shape_;
  const Target& target_;
  int64_t stride_;  // floats of one direction
  Floats packed_;
};

// Not for int8. Fills every gradient of `call`; `gates` and `cells` stay as they are. Null inputs
// count as zeros, null outputs (d_x, d_hidden0, biases) are left out.
void backward(Backward call, const std::vector<Weights>& weights, Precision precision,
              const int64_t* offsets, int threads);

// A linear layer: weight (O, I) and bias (O) or null, packed once, immutable. What it answers is the
// same to the bit for any number of threads, and for a row alone or beside others.
class Linear {
 public:
  Linear(const float* weight, const float* bias, int64_t outputs, int64_t inputs, int threads);
  // x (R, I) to y (R, O).
  void outputs(const float* x, int64_t rows, float* y, int threads) const;
  // The `wanted` greatest outputs of every row, greatest first and of equal ones the first, and the
  // logarithm of the sum of all exponentials: ids, scores (R, wanted), log_totals (R). Ids are -1
  // where no output is greater than -inf.
  void likeliest(const float* x, int64_t rows, int64_t wanted, int32_t* ids, float* scores,
                 double* log_totals, int threads) const;

 private:
  int useful_threads(int64_t rows, int threads) const;

  const Target& target_;
  int64_t outputs_, inputs_;
  Floats packed_;
};

// The most float32 additions and multiplications per second that these threads can do.
double peak(int threads);

}  // namespace gatewise
