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
#include <utility>
#include <vector>
#ifdef __linux__
#include <link.h>
#include <sched.h>
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

// Pieces of work follow each other closely: look for the next one so often before going to sleep.
constexpr int kLooks = 2000;

// Waits for what another thread is about to do. That one may be waiting for this very processor, so
// after a while every look lets others go first.
template <class Seen>
void look_out(const Seen& seen) {
  for (int look = 0; !seen(); ++look) look < kLooks ? relax() : std::this_thread::yield();
}

// The leader posts one piece of work after the other, for the helpers that have joined by then,
// does its own part and waits for theirs.
class AwakeCrew : public Crew {
 public:
  explicit AwakeCrew(int workers) : Crew{workers, lead}, done_(static_cast<size_t>(workers)) {}

  void help() {
    const uint32_t me = joined_.fetch_add(1, std::memory_order_relaxed) + 1;
    for (uint32_t seen = 0;;) {
      Post post;
      look_out([&] {
        post = post_.load(std::memory_order_acquire);
        return post.number != seen && me <= post.helpers;
      });
      if (post.helpers == kDismissed) return;
      seen = post.number;
      work(me, post.helpers + 1);
      done_[me].number.store(seen, std::memory_order_release);
    }
  }

  void dismiss() { post_.store({last_ + 1, kDismissed}, std::memory_order_release); }

 private:
  // One word, so that a helper which is not called upon reads nothing that may change meanwhile.
  struct alignas(8) Post {
    uint32_t number, helpers;
  };
  struct alignas(64) Done {
    std::atomic<uint32_t> number{0};
  };
  static constexpr uint32_t kDismissed = ~0u;

  static void lead(const Crew& crew, int64_t tasks, void (*task)(void*, int64_t), void* argument) {
    // What a kernel holds is constant to it; the crew is made by with_crew, which does not say so.
    auto& self = const_cast<AwakeCrew&>(static_cast<const AwakeCrew&>(crew));
    self.tasks_ = tasks;
    self.task_ = task;
    self.argument_ = argument;
    const uint32_t helpers = self.joined_.load(std::memory_order_relaxed);
    if (helpers != 0) self.post_.store({++self.last_, helpers}, std::memory_order_release);
    self.work(0, helpers + 1);
    for (uint32_t helper = 1; helper <= helpers; ++helper) {
      const std::atomic<uint32_t>& done = self.done_[helper].number;
      look_out([&] { return done.load(std::memory_order_acquire) == self.last_; });
    }
  }

  void work(int64_t part, int64_t parts) const {
    const int64_t end = tasks_ * (part + 1) / parts;
    for (int64_t i = tasks_ * part / parts; i < end; ++i) task_(argument_, i);
  }

  alignas(64) int64_t tasks_ = 0;
  void (*task_)(void*, int64_t) = nullptr;
  void* argument_ = nullptr;
  uint32_t last_ = 0;
  std::atomic<Post> post_{Post{0, 0}};
  alignas(64) std::atomic<uint32_t> joined_{0};
  std::vector<Done> done_;  // by helper, from 1 on
};

using GompParallel = void (*)(void (*)(void*), void*, unsigned, unsigned);

std::atomic<GompParallel> torch_team{nullptr};
thread_local bool sharing = false, shared_last = false;

#ifdef __linux__
int processor() { return sched_getcpu(); }

// Some schedulers wake a helper on the very processor that its caller keeps busy, and leave it
// there for milliseconds: longer than many a call takes.
void leave_processor(int caller) {
  if (caller < 0 || caller >= CPU_SETSIZE || sched_getcpu() != caller) return;
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  cpu_set_t others = allowed;
  CPU_CLR(static_cast<size_t>(caller), &others);
  if (CPU_COUNT(&others) == 0 || sched_setaffinity(0, sizeof others, &others) != 0) return;
  sched_setaffinity(0, sizeof allowed, &allowed);  // it stays where it went
}
#else
int processor() { return -1; }
void leave_processor(int) {}
#endif

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
      caller_processor_ = processor();
      wanted_ = std::min(helpers, started_);
    }
    wake_.notify_all();
    job.run();
    for (int look = 0; look < kLooks && busy_.load(std::memory_order_relaxed) != 0; ++look) relax();
    std::unique_lock lock(mutex_);
    wanted_ = 0;  // a helper that has not woken yet has nothing left to do
    done_.wait(lock, [this] { return busy_ == 0; });
  }

 private:
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
      const int caller = caller_processor_;
      lock.unlock();
      leave_processor(caller);
      job->run();
      lock.lock();
      if (--busy_ == 0) done_.notify_one();
    }
  }

  std::mutex turn_, mutex_;
  std::condition_variable wake_, done_;
  std::atomic<int> wanted_{0}, busy_{0};
  int started_ = 0;
  Job* job_ = nullptr;
  int caller_processor_ = -1;
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

void end_of_call() { shared_last = std::exchange(sharing, false); }

std::string team() {
  return (sharing || shared_last) && torch_team != nullptr ? "shared with torch" : "own";
}

void parallel(int64_t tasks, int threads, const std::function<void(int64_t)>& work) {
  watch_forks();
  Job job{work, tasks};
  const int workers = static_cast<int>(tasks < threads ? tasks : threads);
  if (workers <= 1) return job.run();
  the_team.load()->run(workers - 1, job);
}

void with_crew(int threads, const std::function<void(const Crew&)>& body) {
  AwakeCrew crew(threads);
  const std::thread::id leader = std::this_thread::get_id();
  bool begun = false;
  // As many tasks as threads, and a helper keeps its own to the end: the leader gets at least one.
  parallel(threads, threads, [&](int64_t) {
    if (std::this_thread::get_id() != leader) return crew.help();
    if (std::exchange(begun, true)) return;
    body(crew);
    crew.dismiss();
  });
}

}  // namespace gatewise
