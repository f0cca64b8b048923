// What the code of one instruction set is asked to do: plain records and a table of functions.
//
// These are shared by objects compiled for different instruction sets, so nothing here may have a
// body: an inline function could be emitted for AVX-512 and then be run on every machine.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace gatewise {

enum class CellKind : int { lstm, gru, rnn, rnn_relu };

// Sizes of one call: `tokens` rows of x in `sequences` texts.
struct Shape {
  CellKind cell;
  int directions;
  int64_t input_size, hidden_size, tokens, sequences;
};

// One direction, in torch's shapes and gate order. A bias may be null.
struct Weights {
  const float *weight_ih, *weight_hh, *bias_ih, *bias_hh;
};
struct WeightGradients {
  float *weight_ih, *weight_hh, *bias_ih, *bias_hh;
};

// One text as one direction walks it: token `start` first, then `length` - 1 neighbours.
struct Lane {
  int64_t start, length, sequence;
};

// Workers that divide every step of a walk among them: `run` calls work(argument, i) for each i
// below `tasks` and returns when all are done.
struct Crew {
  int workers;
  void (*run)(const Crew&, int64_t tasks, void (*work)(void*, int64_t), void* argument);
};

// The texts that are walked side by side, longest first: by one worker, or by a crew.
struct Share {
  const Lane* lanes;
  int64_t count;
  int direction;
  void* rows;        // room for `count` of them, `Target::share_bytes`
  const Crew* crew;  // null for one worker
};

// Arrays as kernels.h describes them. Either `x` is given, or `projected` and `places`: rows that
// Target::project made, of every direction beside each other, and which of them each token has.
struct Forward {
  Shape shape;
  const float *x, *hidden0, *cell0;
  const float* projected;
  const int64_t* places;
  float *hidden, *final_hidden, *final_cell, *gates, *cells;
};

struct Backward {
  Shape shape;
  const float *x, *hidden0, *cell0, *hidden, *gates, *cells;
  const float *d_hidden, *d_final_hidden, *d_final_cell;
  float *d_x, *d_hidden0, *d_cell0;
  WeightGradients d_weights[2];
  // Scratch, made by layer.cc.
  void* d_gates;               // (D, N) rows of Target::gate_row_bytes, and 16 more behind them
  float* carry;                // (D, B, H): what flows from step to step beside the product
  const float* zeros;          // as many as a row of d_gates has, and at least S*H
  const float* packed[2];      // per direction, from pack_gradient
  const float* const* before;  // (D, N): the hidden state that each token started from
};

// An output and which it is.
struct Candidate {
  float score;
  int32_t id;
};

// A linear layer over R rows x (R, I): either all outputs y (R, O), or the `wanted` greatest of every
// row and, of its parts, the sums of exp(output - shift): shifts, sums (R, parts).
struct LinearCall {
  const float *x, *packed;
  int64_t outputs, inputs, wanted;
  float *y, *shifts, *sums;
};

// Some rows and parts of it, and a heap of the greatest outputs for each row.
struct LinearShare {
  int64_t first_row, rows, first_part, last_part;
  Candidate* heaps;  // (rows, wanted)
  void* scratch;     // Target::softmax_bytes
};

struct Target {
  const char* name;
  double (*multiply_and_add)(int64_t rounds);
  int64_t (*share_bytes)(const Shape&, int64_t count);

  // Forward: pack the weights of one direction once, part by part, then walk any number of texts.
  int64_t (*packed_floats)(const Shape&);
  int64_t (*pack_parts)(const Shape&);
  void (*pack)(const Shape&, const Weights&, float* packed, int64_t part);
  void (*walk)(const Forward&, const float* packed, const Share&);

  // Backward: walk back, then the gradients of x (by tokens) and of the weights (by tiles of rows).
  int64_t (*gate_row_bytes)(const Shape&) = nullptr;
  int64_t (*gradient_floats)(const Shape&) = nullptr;
  int64_t (*gradient_parts)(const Shape&) = nullptr;
  void (*pack_gradient)(const Shape&, const Weights&, float* packed, int64_t part) = nullptr;
  void (*walk_back)(const Backward&, const Share&) = nullptr;
  void (*input_gradient)(const Backward&, int64_t first_token, int64_t token_count) = nullptr;
  int64_t (*weight_tiles)(const Shape&) = nullptr;
  int64_t (*weight_scratch_floats)(const Shape&, int64_t tile_count) = nullptr;
  void (*weight_gradient)(const Backward&, int direction, int64_t first_tile, int64_t tile_count,
                          float* scratch) = nullptr;

  // The rest is for float32 only. What `walk` takes from rows of x: a row of `projected_floats` for
  // each, which are `stride` floats apart. A walk from them is the same to the bit as one from x.
  int64_t (*projected_floats)(const Shape&) = nullptr;
  void (*project)(const Shape&, const float* packed, const float* x, int64_t rows, float* to,
                  int64_t stride) = nullptr;

  // A linear layer.
  int64_t (*linear_parts)(int64_t outputs) = nullptr;
  int64_t (*linear_floats)(int64_t outputs, int64_t inputs) = nullptr;
  void (*pack_linear)(const float* weight, const float* bias, int64_t outputs, int64_t inputs,
                      float* packed, int64_t part) = nullptr;
  void (*linear)(const LinearCall&, const LinearShare&) = nullptr;
  int64_t (*softmax_bytes)(int64_t rows) = nullptr;
  void (*softmax)(const LinearCall&, const LinearShare&) = nullptr;
};

// By the precision of their products: float32, bfloat16, int8 (whose functions for the way back are
// null).
extern const Target target_generic, target_avx2, target_avx512;
extern const Target target_avx512_bf16, target_amx;
extern const Target target_avx512_vnni;

}  // namespace gatewise
