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

// Looks for an OpenMP runtime that torch has loaded, to share its threads; says whose are in use.
std::string find_team();

}  // namespace gatewise
