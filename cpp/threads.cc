#include "threads.h"

#include <dlfcn.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>
#ifdef __linux__
#include <link.h>
#endif

namespace gatewise {
namespace {

// Tasks are handed out one by one, so the result does not rest on how many threads take part.
struct Job {
  const std::function<void(int64_t)>& work;
  int64_t tasks;
  std::atomic<int64_t> next{0};

  void run() {
    for (int64_t task; (task = next.fetch_add(1, std::memory_order_relaxed)) < tasks;) work(task);
  }
};

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

using GompParallel = void (*)(void (*)(void*), void*, unsigned, unsigned);

std::atomic<GompParallel> torch_team{nullptr};
thread_local bool sharing = false;

// Torch's helpers or our own. One caller at a time: another one that comes meanwhile works alone,
// which is never wrong and never waits.
class Team {
 public:
  void run(int helpers, Job& job) {
    std::unique_lock turn(turn_, std::try_to_lock);
    if (!turn.owns_lock()) return job.run();
    if (const GompParallel gomp = sharing ? torch_team.load() : nullptr) {
      // torch's threads spin for a while after each of its operations; a second team beside them
      // would lose milliseconds at every change between the two.
      return gomp([](void* shared) { static_cast<Job*>(shared)->run(); }, &job,
                  static_cast<unsigned>(helpers + 1), 0);
    }
    start(helpers);
    {
      std::lock_guard lock(mutex_);
      job_ = &job;
      wanted_ = std::min(helpers, started_);
    }
    wake_.notify_all();
    job.run();
    std::unique_lock lock(mutex_);
    wanted_ = 0;  // a helper that has not woken yet has nothing left to do
    done_.wait(lock, [this] { return busy_ == 0; });
  }

 private:
  // Regions follow each other closely within a training step: look for the next one for a short
  // while before going to sleep.
  static constexpr int kLooks = 2000;

  void start(int helpers) {
    try {
      for (; started_ < helpers; ++started_) std::thread([this] { help(); }).detach();
    } catch (const std::system_error&) {
      // The system has no more threads to give: those that have started share the work.
    }
  }

  [[noreturn]] void help() {
    for (;;) {
      for (int look = 0; look < kLooks && wanted_.load(std::memory_order_relaxed) == 0; ++look) {
        relax();
      }
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return wanted_ > 0; });
      --wanted_;
      ++busy_;
      Job* const job = job_;
      lock.unlock();
      job->run();
      lock.lock();
      if (--busy_ == 0) done_.notify_one();
    }
  }

  std::mutex turn_, mutex_;
  std::condition_variable wake_, done_;
  std::atomic<int> wanted_{0};
  int busy_ = 0, started_ = 0;
  Job* job_ = nullptr;
};

std::atomic<Team*> the_team{nullptr};  // never destroyed: its helpers outlive main
std::atomic<bool> forked{false};
std::once_flag fork_watch;

// A child of fork has none of its parent's threads, but both teams would wait for them.
void forget_threads() {
  forked = true;
  torch_team = nullptr;
  the_team = new Team;
}

void watch_forks() {
  std::call_once(fork_watch, [] {
    the_team = new Team;
    pthread_atfork(nullptr, nullptr, forget_threads);
  });
}

#ifdef __linux__
// The libgomp that torch works with. Other packages, scikit-learn among them, carry their own.
int look_for_torch(dl_phdr_info* library, size_t, void* found) {
  const std::string_view path = library->dlpi_name;
  const size_t slash = path.rfind('/');
  if (slash == path.npos || !path.substr(slash + 1).starts_with("libgomp")) return 0;
  const std::string_view folder = path.substr(0, slash);
  if (!folder.ends_with("/torch/lib") && !folder.ends_with("/torch.libs")) return 0;
  *static_cast<std::string*>(found) = path;
  return 1;
}
#endif

}  // namespace

void share_threads() {
  watch_forks();
  sharing = true;
#ifdef __linux__
  if (torch_team != nullptr || forked) return;
  std::string path;
  dl_iterate_phdr(look_for_torch, &path);
  void* const library = path.empty() ? nullptr : dlopen(path.c_str(), RTLD_NOLOAD | RTLD_LAZY);
  if (library != nullptr) {
    torch_team = reinterpret_cast<GompParallel>(dlsym(library, "GOMP_parallel"));
  }
#endif
}

std::string team() { return sharing && torch_team != nullptr ? "shared with torch" : "own"; }

void parallel(int64_t tasks, int threads, const std::function<void(int64_t)>& work) {
  watch_forks();
  Job job{work, tasks};
  const int workers = static_cast<int>(tasks < threads ? tasks : threads);
  if (workers <= 1) return job.run();
  the_team.load()->run(workers - 1, job);
}

}  // namespace gatewise
