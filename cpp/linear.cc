// Divides a linear layer among threads: by rows, or by outputs where rows are few.
#include <algorithm>
#include <cmath>

#include "kernels.h"
#include "threads.h"

namespace gatewise {
namespace {

constexpr int64_t kMostRows = 256;   // of a task: with their state they stay in the second cache
constexpr int64_t kFewestRows = 32;  // that are worth a task of their own
constexpr double kWorthwhile = 2e6;  // multiplications that are worth another thread

int64_t ceil_divide(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Blocks of rows, as many as keep all threads busy, by ranges of parts if that is not enough.
struct Division {
  int64_t blocks, height, ranges;

  Division(int64_t rows, int64_t parts, int threads) : blocks(ceil_divide(rows, kMostRows)) {
    if (rows >= kFewestRows * threads) blocks = ceil_divide(blocks, threads) * threads;
    height = ceil_divide(rows, std::max<int64_t>(blocks, 1));
    blocks = height == 0 ? 0 : ceil_divide(rows, height);
    ranges = blocks >= threads ? 1 : std::min<int64_t>(parts, threads);
  }
  int64_t tasks() const { return blocks * ranges; }
  LinearShare share(int64_t task, int64_t rows, int64_t parts) const {
    const int64_t first = task / ranges * height, range = task % ranges;
    return {first, std::min(height, rows - first), range * parts / ranges,
            (range + 1) * parts / ranges, nullptr, nullptr};
  }
};

// The logarithm of the sum of the exponentials of a row, from those of its parts.
double total_of(const LinearCall& call, int64_t row, int64_t parts) {
  const float *const shifts = call.shifts + row * parts, *const sums = call.sums + row * parts;
  const double shift = *std::max_element(shifts, shifts + parts);
  double sum = 0.0;
  for (int64_t part = 0; part < parts; ++part) {
    sum += sums[part] * std::exp(static_cast<double>(shifts[part]) - shift);
  }
  return shift + std::log(sum);
}

bool is_better(const Candidate& a, const Candidate& b) {
  return a.score > b.score || (a.score == b.score && a.id < b.id);
}

}  // namespace

Linear::Linear(const float* weight, const float* bias, int64_t outputs, int64_t inputs, int threads)
    : target_(*target(Precision::float32)),
      outputs_(outputs),
      inputs_(inputs),
      packed_(floats(target_.linear_floats(outputs, inputs))) {
  parallel(target_.linear_parts(outputs), threads, [&](int64_t part) {
    target_.pack_linear(weight, bias, outputs, inputs, packed_.get(), part);
  });
}

int Linear::useful_threads(int64_t rows, int threads) const {
  const double work = static_cast<double>(rows * outputs_) * static_cast<double>(inputs_);
  return static_cast<int>(std::clamp(work / kWorthwhile, 1.0, static_cast<double>(threads)));
}

void Linear::outputs(const float* x, int64_t rows, float* y, int threads) const {
  threads = useful_threads(rows, threads);
  const int64_t parts = target_.linear_parts(outputs_);
  const Division division(rows, parts, threads);
  const LinearCall call{x, packed_.get(), outputs_, inputs_, 0, y, nullptr, nullptr};
  parallel(division.tasks(), threads,
           [&](int64_t task) { target_.linear(call, division.share(task, rows, parts)); });
  end_of_call();
}

void Linear::likeliest(const float* x, int64_t rows, int64_t wanted, int32_t* ids, float* scores,
                       double* log_totals, int threads) const {
  threads = useful_threads(rows, threads);
  const int64_t parts = target_.linear_parts(outputs_);
  const Division division(rows, parts, threads);
  const int64_t scratch = target_.softmax_bytes(division.height);
  Memory memory(Memory::room<float>(rows * parts) * 2 +
                Memory::room<Candidate>(rows * division.ranges * wanted) +
                static_cast<size_t>(division.tasks()) * Memory::room<char>(scratch));
  LinearCall call{x, packed_.get(), outputs_, inputs_, wanted, nullptr, nullptr, nullptr};
  call.shifts = memory.take<float>(rows * parts);
  call.sums = memory.take<float>(rows * parts);
  auto* heaps = memory.take<Candidate>(rows * division.ranges * wanted);
  std::vector<LinearShare> shares;
  for (int64_t task = 0; task < division.tasks(); ++task) {
    LinearShare share = division.share(task, rows, parts);
    share.heaps = heaps;
    share.scratch = memory.take<char>(scratch);
    heaps += share.rows * wanted;
    shares.push_back(share);
  }
  parallel(division.tasks(), threads,
           [&](int64_t task) { target_.softmax(call, shares[static_cast<size_t>(task)]); });
  end_of_call();

  std::vector<Candidate> best;
  for (size_t task = 0; task < shares.size(); task += static_cast<size_t>(division.ranges)) {
    for (int64_t row = 0; row < shares[task].rows; ++row) {
      best.clear();
      for (size_t range = 0; range < static_cast<size_t>(division.ranges); ++range) {
        const Candidate* const heap = shares[task + range].heaps + row * wanted;
        best.insert(best.end(), heap, heap + wanted);
      }
      std::sort(best.begin(), best.end(), is_better);
      const int64_t place = shares[task].first_row + row;
      for (int64_t i = 0; i < wanted; ++i) {
        ids[place * wanted + i] = best[static_cast<size_t>(i)].id;
        scores[place * wanted + i] = best[static_cast<size_t>(i)].score;
      }
      log_totals[place] = total_of(call, place, parts);
    }
  }
}

}  // namespace gatewise
