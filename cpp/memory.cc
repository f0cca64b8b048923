#include "memory.h"

#include <pthread.h>
#include <sys/mman.h>

#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

namespace gatewise {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kKeptBlocks = 8;
constexpr size_t kKeptBytes = size_t{256} << 20;  // of all blocks together

struct Block {
  char* place;
  size_t bytes;
};

struct Store {
  std::mutex mutex;
  std::vector<Block> blocks;  // oldest first
  size_t bytes = 0;           // of all blocks

  Block take(std::vector<Block>::iterator block) {
    const Block taken = *block;
    blocks.erase(block);
    bytes -= taken.bytes;
    return taken;
  }
};

// Never destroyed: threads may still give memory back while the process ends. A fork waits for the
// lock, so that no child inherits it from a thread that it does not have.
Store& store() {
  static Store* const kept = [] {
    static Store* const made = new Store;
    pthread_atfork([] { made->mutex.lock(); }, [] { made->mutex.unlock(); },
                   [] { made->mutex.unlock(); });
    return made;
  }();
  return *kept;
}

// What is read over and over stays in the caches best if it lies in one piece of real memory.
size_t round_up(size_t bytes) {
  const size_t unit = bytes < kHugePage / 2 ? 4096 : kHugePage;
  return (bytes + unit - 1) / unit * unit;
}

void* allocate(size_t bytes) {
  void* place = nullptr;
  const size_t alignment = bytes < kHugePage / 2 ? 4096 : kHugePage;
  if (posix_memalign(&place, alignment, bytes) != 0) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  if (alignment == kHugePage) madvise(place, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return place;
}

}  // namespace

Floats floats(int64_t count) {
  const size_t bytes = round_up(sizeof(float) * static_cast<size_t>(count));
  return Floats(static_cast<float*>(allocate(bytes)));
}

Memory::Memory(size_t bytes) : bytes_(round_up(bytes + 1)), block_(nullptr) {
  Store& kept = store();
  Block outgrown{nullptr, 0};
  {
    std::lock_guard lock(kept.mutex);
    // The smallest block that is large enough, unless most of it would lie idle; if there is none,
    // the largest of the others has been outgrown and makes room.
    auto& blocks = kept.blocks;
    auto fit = blocks.end(), largest = blocks.end();
    for (auto block = blocks.begin(); block != blocks.end(); ++block) {
      if (block->bytes >= bytes_ && block->bytes <= 2 * bytes_) {
        if (fit == blocks.end() || block->bytes < fit->bytes) fit = block;
      } else if (block->bytes < bytes_) {
        if (largest == blocks.end() || block->bytes > largest->bytes) largest = block;
      }
    }
    if (fit != blocks.end()) {
      const Block taken = kept.take(fit);
      block_ = taken.place;
      bytes_ = taken.bytes;
    } else if (largest != blocks.end()) {
      outgrown = kept.take(largest);
    }
  }
  std::free(outgrown.place);
  if (block_ == nullptr) {
    bytes_ = round_up(bytes_ + bytes_ / 8);  // batches of texts are never quite the same size
    block_ = static_cast<char*>(allocate(bytes_));
  }
  next_ = block_;
  ASAN_POISON_MEMORY_REGION(block_, bytes_);
}

Memory::~Memory() {
  ASAN_UNPOISON_MEMORY_REGION(block_, bytes_);
  if (bytes_ > kKeptBytes) {
    std::free(block_);
    return;
  }
  Store& kept = store();
  std::lock_guard lock(kept.mutex);
  while (kept.blocks.size() >= kKeptBlocks || kept.bytes + bytes_ > kKeptBytes) {
    std::free(kept.take(kept.blocks.begin()).place);
  }
  kept.blocks.push_back({block_, bytes_});
  kept.bytes += bytes_;
}

}  // namespace gatewise
