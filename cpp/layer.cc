// Divides one layer's work among threads: texts and directions for the walks, or hidden units where
// the layer is very large; tokens for the gradient of x; rows for the gradients of the weights.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <numeric>

#include "kernels.h"
#include "threads.h"

namespace gatewise {
namespace {

// Multiplications of one token in one direction.
double work_per_token(const Shape& shape) {
  return static_cast<double>(shape.hidden_size * gates_of(shape.cell)) *
         static_cast<double>(shape.input_size + shape.hidden_size);
}

// Every thread reads all weights for the texts it walks. Where those exceed its cache by far, or
// there are fewer texts than threads, it is better that each has some of the hidden units of all
// texts, though the threads must then wait for each other at every step.
bool worth_dividing(const Shape& shape, int threads) {
  constexpr double kLarge = 2e6;  // weights of one direction
  constexpr double kStep = 40e3;   // multiplications of a step that outweigh the wait
  const double weights = work_per_token(shape), texts = static_cast<double>(shape.sequences);
  if (threads == 1 || weights * texts < kStep * threads) return false;
  return weights > kLarge || shape.sequences * shape.directions < threads;
}

// The shares of all directions. Longest texts first, each to the share with the least to do.
class Schedule {
 public:
  Schedule(const Shape& shape, const int64_t* offsets, int threads) : threads_(threads) {
    divided_ = worth_dividing(shape, threads);
    std::vector<int64_t> order(static_cast<size_t>(shape.sequences));
    std::iota(order.begin(), order.end(), 0);
    const auto length = [&](int64_t text) { return offsets[text + 1] - offsets[text]; };
    std::stable_sort(order.begin(), order.end(),
                     [&](int64_t a, int64_t b) { return length(a) > length(b); });
    // Two directions keep an even number of threads busy with half as many shares each, and wider
    // shares run faster: a weight once loaded serves more texts.
    const bool halve = shape.directions == 2 && threads % 2 == 0;
    const int64_t most = std::max<int64_t>(1, shape.sequences);
    const int64_t wanted = divided_ ? 1 : halve ? threads / 2 : threads;
    const int64_t parts = std::clamp<int64_t>(wanted, 1, most);
    lanes_.resize(static_cast<size_t>(shape.directions * parts));
    for (int direction = 0; direction < shape.directions; ++direction) {
      std::vector<int64_t> load(static_cast<size_t>(parts), 0);
      for (const int64_t text : order) {
        const auto part = std::min_element(load.begin(), load.end()) - load.begin();
        const int64_t start = direction == 0 ? offsets[text] : offsets[text + 1] - 1;
        const Lane lane{start, length(text), text};
        lanes_[static_cast<size_t>(direction * parts + part)].push_back(lane);
        load[static_cast<size_t>(part)] += length(text) + 8;
      }
    }
    for (size_t i = 0; i < lanes_.size(); ++i) {
      const auto count = static_cast<int64_t>(lanes_[i].size());
      const int direction = static_cast<int>(i / static_cast<size_t>(parts));
      shares_.push_back({lanes_[i].data(), count, direction, nullptr, nullptr});
    }
  }

  size_t row_room(const Target& target, const Shape& shape) const {
    size_t bytes = 0;
    for (const Share& share : shares_) {
      bytes += Memory::room<char>(target.share_bytes(shape, share.count));
    }
    return bytes;
  }
  void take_rows(const Target& target, const Shape& shape, Memory& memory) {
    for (Share& share : shares_) {
      share.rows = memory.take<char>(target.share_bytes(shape, share.count));
    }
  }

  // Calls walk(share) for all: at once, or one after the other if each takes all threads.
  template <class Walk>
  void run(const Walk& walk) const {
    if (!divided_) {
      parallel(static_cast<int64_t>(shares_.size()), threads_,
               [&](int64_t share) { walk(shares_[static_cast<size_t>(share)]); });
      return;
    }
    with_crew(threads_, [&](const Crew& crew) {
      for (Share share : shares_) {
        share.crew = &crew;
        walk(share);
      }
    });
  }

 private:
  int threads_;
  bool divided_;
  std::vector<Share> shares_;
  std::vector<std::vector<Lane>> lanes_;
};

// The hidden state that every token started from: its neighbour's, or the start state.
void find_hidden_before(const Backward& call, const int64_t* offsets, const float** before) {
  const Shape& shape = call.shape;
  const int64_t size = shape.hidden_size, width = shape.directions * size;
  for (int64_t direction = 0; direction < shape.directions; ++direction) {
    for (int64_t text = 0; text < shape.sequences; ++text) {
      const int64_t start = direction == 0 ? offsets[text] : offsets[text + 1] - 1;
      const int64_t stride = direction == 0 ? 1 : -1;
      for (int64_t token = offsets[text]; token < offsets[text + 1]; ++token) {
        const float*& place = before[direction * shape.tokens + token];
        if (token != start) {
          place = call.hidden + (token - stride) * width + direction * size;
        } else if (call.hidden0 != nullptr) {
          place = call.hidden0 + (direction * shape.sequences + text) * size;
        } else {
          place = call.zeros;
        }
      }
    }
  }
}

// Waking a thread costs some ten microseconds: each must have as much to do to be worth it.
int useful_threads(const Shape& shape, int threads) {
  constexpr double kWorthwhile = 2e6;  // multiplications
  const double work = work_per_token(shape) * static_cast<double>(shape.tokens * shape.directions);
  return static_cast<int>(std::clamp(work / kWorthwhile, 1.0, static_cast<double>(threads)));
}

int64_t in_lines(int64_t floats) { return (floats + 15) / 16 * 16; }

}  // namespace

Packed::Packed(const Shape& shape, const std::vector<Weights>& weights, Precision precision,
               int threads)
    : shape_(shape),
      target_(*target(precision)),
      stride_(in_lines(target_.packed_floats(shape))),
      packed_(floats(stride_ * shape.directions)) {
  const int64_t parts = target_.pack_parts(shape);
  parallel(parts * shape.directions, threads, [&](int64_t task) {
    const int64_t direction = task / parts;
    target_.pack(shape_, weights[static_cast<size_t>(direction)],
                 packed_.get() + direction * stride_, task % parts);
  });
}

int64_t Packed::projected_floats() const {
  return target_.project == nullptr ? 0 : target_.projected_floats(shape_) * shape_.directions;
}

void Packed::project(const float* x, int64_t rows, float* projected, int threads) const {
  constexpr int64_t kRowsPerTask = 128;
  Shape shape = shape_;
  shape.tokens = rows;
  const int64_t stride = projected_floats(), blocks = (rows + kRowsPerTask - 1) / kRowsPerTask;
  parallel(blocks * shape.directions, useful_threads(shape, threads), [&](int64_t task) {
    const int64_t direction = task % shape.directions;
    const int64_t first = task / shape.directions * kRowsPerTask;
    target_.project(shape, packed_.get() + direction * stride_, x + first * shape.input_size,
                    std::min(kRowsPerTask, rows - first),
                    projected + first * stride + direction * (stride / shape.directions), stride);
  });
  end_of_call();
}

void Packed::forward(Forward call, const int64_t* offsets, int threads) const {
  threads = useful_threads(call.shape, threads);
  Schedule schedule(call.shape, offsets, threads);
  Memory memory(schedule.row_room(target_, call.shape));
  schedule.take_rows(target_, call.shape, memory);
  schedule.run([&](const Share& share) {
    target_.walk(call, packed_.get() + share.direction * stride_, share);
  });
  end_of_call();
}

void backward(Backward call, const std::vector<Weights>& weights, Precision precision,
              const int64_t* offsets, int threads) {
  const Target& target = *gatewise::target(precision);
  const Shape& shape = call.shape;
  const int64_t directions = shape.directions, size = shape.hidden_size;
  const int64_t blocks = blocks_of(shape.cell) * size;
  threads = useful_threads(shape, threads);

  // The rows of the weights' gradients, divided among the threads that one direction gets.
  const int64_t tiles = target.weight_tiles(shape);
  const int64_t wanted = std::max<int64_t>(1, (threads + directions - 1) / directions);
  const int64_t per_task = (tiles + wanted - 1) / wanted;
  const int64_t tasks = (tiles + per_task - 1) / per_task;
  const int64_t task_floats = target.weight_scratch_floats(shape, per_task);

  Schedule schedule(shape, offsets, threads);
  const int64_t packed_floats = in_lines(target.gradient_floats(shape));
  const int64_t state_floats = directions * shape.sequences * size;
  const int64_t gate_row = target.gate_row_bytes(shape);
  const int64_t gate_bytes = (directions * shape.tokens + 16) * gate_row;
  const int64_t zero_floats = std::max<int64_t>(blocks, gate_row / 4);
  Memory memory(schedule.row_room(target, shape) +
                Memory::room<char>(gate_bytes) +
                Memory::room<float>(directions * packed_floats) +
                Memory::room<float>(state_floats) + Memory::room<float>(zero_floats) +
                Memory::room<const float*>(directions * shape.tokens) +
                static_cast<size_t>(tasks * directions) * Memory::room<float>(task_floats));
  schedule.take_rows(target, shape, memory);
  call.d_gates = memory.take<char>(gate_bytes);
  float* const packed = memory.take<float>(directions * packed_floats);
  float* const carry = memory.take<float>(state_floats);
  call.carry = call.d_cell0 != nullptr ? call.d_cell0 : carry;
  float* const zeros = memory.take<float>(zero_floats);
  std::memset(zeros, 0, static_cast<size_t>(zero_floats) * sizeof(float));
  call.zeros = zeros;
  const float** const before = memory.take<const float*>(directions * shape.tokens);
  find_hidden_before(call, offsets, before);
  call.before = before;
  std::vector<float*> scratch;
  for (int64_t i = 0; i < tasks * directions; ++i) {
    scratch.push_back(memory.take<float>(task_floats));
  }

  const int64_t parts = target.gradient_parts(shape);
  for (int64_t direction = 0; direction < directions; ++direction) {
    call.packed[direction] = packed + direction * packed_floats;
  }
  parallel(parts * directions, threads, [&](int64_t task) {
    const int64_t direction = task / parts;
    target.pack_gradient(shape, weights[static_cast<size_t>(direction)],
                         packed + direction * packed_floats, task % parts);
  });

  schedule.run([&](const Share& share) { target.walk_back(call, share); });

  // The large tasks first, so that the small ones fill up what time is left.
  constexpr int64_t kTokensPerTask = 192;
  const int64_t weight_tasks = tasks * directions;
  const int64_t input_tasks =
      call.d_x != nullptr ? (shape.tokens + kTokensPerTask - 1) / kTokensPerTask : 0;
  parallel(weight_tasks + input_tasks, threads, [&](int64_t task) {
    if (task < weight_tasks) {
      const int64_t first = task % tasks * per_task;
      target.weight_gradient(call, static_cast<int>(task / tasks), first,
                             std::min(per_task, tiles - first), scratch[static_cast<size_t>(task)]);
    } else {
      const int64_t first = (task - weight_tasks) * kTokensPerTask;
      target.input_gradient(call, first, std::min(kTokensPerTask, shape.tokens - first));
    }
  });
  end_of_call();
}

double peak(int threads) {
  const Target& target = *gatewise::target(Precision::float32);
  constexpr int64_t kRounds = 2'000'000;
  std::vector<double> done(static_cast<size_t>(threads));
  const auto spin = [&](int64_t task) {
    done[static_cast<size_t>(task)] = target.multiply_and_add(kRounds);
  };
  parallel(threads, threads, spin);  // wakes the threads, and the processor
  const auto start = std::chrono::steady_clock::now();
  parallel(threads, threads, spin);
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  return std::accumulate(done.begin(), done.end(), 0.0) / time.count();
}

}  // namespace gatewise
