// Which instruction set serves this process.
#include "kernels.h"

namespace gatewise {
namespace {

// Best last.
std::vector<const Target*> usable_targets() {
  std::vector<const Target*> usable{&target_generic};
#ifdef GATEWISE_X86
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("bmi2")) {
    usable.push_back(&target_avx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
      usable.push_back(&target_avx512);
    }
  }
#endif
  return usable;
}

const Target* chosen = usable_targets().back();

}  // namespace

const Target& target() { return *chosen; }

std::vector<std::string> available_targets() {
  std::vector<std::string> names;
  for (const Target* usable : usable_targets()) names.emplace_back(usable->name);
  return names;
}

bool use_target(const std::string& name) {
  for (const Target* usable : usable_targets()) {
    if (name == usable->name) {
      chosen = usable;
      return true;
    }
  }
  return false;
}

int gates_of(CellKind cell) {
  return cell == CellKind::lstm ? 4 : cell == CellKind::gru ? 3 : 1;
}

int blocks_of(CellKind cell) {
  return cell == CellKind::lstm || cell == CellKind::gru ? 4 : 1;
}

}  // namespace gatewise
