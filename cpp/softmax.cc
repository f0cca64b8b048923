// Divides a softmax over many classes among threads: by rows, or by classes where rows are few.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels.h"
#include "threads.h"

namespace gatewise {
namespace {

constexpr int64_t kMostRows = 256;   // of a task: with their state they stay in the second cache
constexpr int64_t kFewestRows = 32;  // that are worth a task of their own
constexpr double kWorthwhile = 1e6;  // multiplications that are worth another thread

int64_t ceil_divide(int64_t a, int64_t b) { return (a + b - 1) / b; }

// The logarithm of the sum of the exponentials of a row, from those of its parts.
double total_of(const SoftmaxCall& call, int64_t row, int64_t parts) {
  const float *const shifts = call.shifts + row * parts, *const sums = call.sums + row * parts;
  const double shift = *std::max_element(shifts, shifts + parts);
  double sum = 0.0;
  for (int64_t part = 0; part < parts; ++part) {
    sum += sums[part] * std::exp(static_cast<double>(shifts[part]) - shift);
  }
  return shift + std::log(sum);
}

}  // namespace

Softmax::Softmax(const float* weight, const float* bias, int64_t classes, int64_t size, int threads)
    : target_(*target(Precision::float32)),
      classes_(classes),
      size_(size),
      packed_(floats(target_.softmax_floats(classes, size))) {
  parallel(target_.softmax_parts(classes), threads, [&](int64_t part) {
    target_.pack_softmax(weight, bias, classes, size, packed_.get(), part);
  });
}

void Softmax::likeliest(const float* inputs, int64_t rows, int64_t wanted, int32_t* ids,
                        float* scores, double* log_totals, int threads) const {
  const double work = static_cast<double>(rows * classes_) * static_cast<double>(size_);
  threads = static_cast<int>(std::clamp(work / kWorthwhile, 1.0, static_cast<double>(threads)));
  const int64_t parts = target_.softmax_parts(classes_);
  // As many blocks of rows as keep all threads busy, and ranges of parts if that is not enough.
  int64_t blocks = ceil_divide(rows, kMostRows);
  if (rows >= kFewestRows * threads) blocks = ceil_divide(blocks, threads) * threads;
  const int64_t ranges = blocks >= threads ? 1 : std::min<int64_t>(parts, threads);
  const int64_t height = ceil_divide(rows, std::max<int64_t>(blocks, 1));
  const int64_t state = target_.softmax_bytes(height);

  Memory memory(Memory::room<float>(rows * parts) * 2 +
                Memory::room<Candidate>(rows * ranges * wanted) +
                static_cast<size_t>(blocks * ranges) * Memory::room<char>(state));
  SoftmaxCall call{inputs, packed_.get(), classes_, size_, wanted, nullptr, nullptr};
  call.shifts = memory.take<float>(rows * parts);
  call.sums = memory.take<float>(rows * parts);
  auto* const heaps = memory.take<Candidate>(rows * ranges * wanted);
  std::vector<SoftmaxShare> shares;
  for (int64_t first = 0; first < rows; first += height) {
    const int64_t count = std::min(height, rows - first);
    for (int64_t range = 0; range < ranges; ++range) {
      shares.push_back({first, count, range * parts / ranges, (range + 1) * parts / ranges,
                        heaps + (first * ranges + range * count) * wanted,
                        memory.take<char>(state)});
    }
  }
  parallel(static_cast<int64_t>(shares.size()), threads,
           [&](int64_t share) { target_.softmax(call, shares[static_cast<size_t>(share)]); });

  std::vector<Candidate> best;
  for (size_t share = 0; share < shares.size(); share += static_cast<size_t>(ranges)) {
    const int64_t first = shares[share].first_row, count = shares[share].rows;
    for (int64_t row = 0; row < count; ++row) {
      best.clear();
      for (int64_t range = 0; range < ranges; ++range) {
        const Candidate* const heap = shares[share].heaps + (range * count + row) * wanted;
        best.insert(best.end(), heap, heap + wanted);
      }
      std::sort(best.begin(), best.end(), [](const Candidate& a, const Candidate& b) {
        return a.score > b.score || (a.score == b.score && a.id < b.id);
      });
      for (int64_t i = 0; i < wanted; ++i) {
        ids[(first + row) * wanted + i] = best[static_cast<size_t>(i)].id;
        scores[(first + row) * wanted + i] = best[static_cast<size_t>(i)].score;
      }
      log_totals[first + row] = total_of(call, first + row, parts);
    }
  }
}

}  // namespace gatewise
