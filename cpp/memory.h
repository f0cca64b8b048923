// Scratch memory that is kept between calls.
//
// A training step needs some ten megabytes for a few milliseconds; taking them from the system each
// time costs more in page faults than the arithmetic on them. Freed blocks, a few and of bounded
// size, wait here for the next call, whichever thread makes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(place, bytes) ((void)0)
#define ASAN_UNPOISON_MEMORY_REGION(place, bytes) ((void)0)
#endif

namespace gatewise {

class Memory {
 public:
  explicit Memory(size_t bytes);
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  // The next `count` items, aligned to 64 bytes, with undefined content.
  template <class T>
  T* take(int64_t count) {
    char* place = next_;
    next_ += room<T>(count);
    ASAN_UNPOISON_MEMORY_REGION(place, sizeof(T) * static_cast<size_t>(count));
    return reinterpret_cast<T*>(place);
  }
  // Bytes that `take` uses up; the sum of these is what the constructor needs. Where addresses are
  // checked, a line that nobody may touch lies behind each.
  template <class T>
  static size_t room(int64_t count) {
    return (sizeof(T) * static_cast<size_t>(count) + 63) / 64 * 64 + kFence;
  }

 private:
#ifdef __SANITIZE_ADDRESS__
  static constexpr size_t kFence = 64;
#else
  static constexpr size_t kFence = 0;
#endif
  size_t bytes_;
  char* block_;
  char* next_;
};

struct Free {
  void operator()(void* place) const { std::free(place); }
};
using Floats = std::unique_ptr<float[], Free>;

// For what lives long: exactly so many, aligned as above, straight from the system and back to it.
Floats floats(int64_t count);

}  // namespace gatewise
