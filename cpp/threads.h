// Runs independent tasks on several threads.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace gatewise {

// Calls work(0) .. work(tasks - 1), each once, on at most `threads` threads, the caller's among
// them, and returns when all are done. Fewer threads may come than were asked for; results must not
// depend on it. May be called from many threads at once, and after a fork. `work` must not throw.
void parallel(int64_t tasks, int threads, const std::function<void(int64_t)>& work);

// From now on the calling thread works with the OpenMP threads that torch has given it, if torch is
// loaded. For threads that run torch's operations too: libgomp keeps threads of their own for each
// thread that asks, so one that only answers would get a team that nobody else uses.
void share_threads();

// Whose threads the calling thread works with.
std::string team();

}  // namespace gatewise
