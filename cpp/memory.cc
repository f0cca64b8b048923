#include "memory.h"

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

// Never destroyed: threads may still give memory back while the process ends.
Store& store() {
  static Store* const kept = new Store;
  return *kept;
}

size_t round_up(size_t bytes) {
  const size_t unit = bytes < kHugePage ? 4096 : kHugePage;
  return (bytes + unit - 1) / unit * unit;
}

}  // namespace

Memory::Memory(size_t bytes) : bytes_(round_up(bytes + 1)), block_(nullptr) {
  {
    Store& kept = store();
    std::lock_guard lock(kept.mutex);
    // The smallest block that is large enough, unless most of it would lie idle.
    size_t best = kept.blocks.size();
    for (size_t i = 0; i < kept.blocks.size(); ++i) {
      const size_t held = kept.blocks[i].bytes;
      if (held < bytes_ || held > 4 * bytes_) continue;
      if (best == kept.blocks.size() || held < kept.blocks[best].bytes) best = i;
    }
    if (best < kept.blocks.size()) {
      block_ = kept.blocks[best].place;
      bytes_ = kept.blocks[best].bytes;
      kept.blocks.erase(kept.blocks.begin() + static_cast<std::ptrdiff_t>(best));
    }
  }
  if (block_ == nullptr) {
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
