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

struct Block {
  char* place;
  size_t bytes;
};

struct Store {
  std::mutex mutex;
  std::vector<Block> blocks;
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

size_t round_up(size_t bytes) {
  const size_t unit = bytes < kHugePage ? 4096 : kHugePage;
  return (bytes + unit - 1) / unit * unit;
}

}  // namespace

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
      block_ = fit->place;
      bytes_ = fit->bytes;
      blocks.erase(fit);
    } else if (largest != blocks.end()) {
      outgrown = *largest;
      blocks.erase(largest);
    }
  }
  std::free(outgrown.place);
  if (block_ == nullptr) {
    bytes_ = round_up(bytes_ + bytes_ / 8);  // batches of texts are never quite the same size
    const size_t alignment = bytes_ < kHugePage ? 4096 : kHugePage;
    block_ = static_cast<char*>(std::aligned_alloc(alignment, bytes_));
    if (block_ == nullptr) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
    if (alignment == kHugePage) madvise(block_, bytes_, MADV_HUGEPAGE);
#endif
  }
  next_ = block_;
}

Memory::~Memory() {
  Store& kept = store();
  Block oldest{nullptr, 0};
  {
    std::lock_guard lock(kept.mutex);
    if (kept.blocks.size() >= kKeptBlocks) {
      oldest = kept.blocks.front();
      kept.blocks.erase(kept.blocks.begin());
    }
    kept.blocks.push_back({block_, bytes_});
  }
  std::free(oldest.place);
}

}  // namespace gatewise
