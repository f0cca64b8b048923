// Runs independent tasks on several threads.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "target.h"

namespace gatewise {

// Calls work(0) .. work(tasks - 1), each once, on at most `threads` threads, the caller's among
// them, and returns when all are done. Fewer threads may come than were asked for; results must not
// depend on it. May be called from many threads at once, and after a fork. `work` must not throw.
void parallel(int64_t tasks, int threads, const std::function<void(int64_t)>& work);

// Calls body(crew) on the calling thread, with a crew whose helpers stay awake as long as it runs:
// to divide a piece of work among them costs about a microsecond. Helpers that come late join
// between two pieces; those that never come are not waited for.
void with_crew(int threads, const std::function<void(const Crew&)>& body);

// Until end_of_call the calling thread works with the OpenMP threads that torch has given it, if
// torch is loaded: for calls among torch's operations. Others are better off with our own, which
// nobody waits for if they come late: a call may be over in less time than it takes to wake them.
void share_threads();
void end_of_call();

// Whose threads the calling thread works with, or has in its last call.
std::string team();

}  // namespace gatewise
