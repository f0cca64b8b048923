// Which instruction set serves this process.
#include "kernels.h"

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace gatewise {
namespace {

// A step on the ladder of instruction sets, and its products by precision.
struct Level {
  const char* name;
  const Target* products[3];  // by precision
};

#ifdef GATEWISE_X86
// Linux gives a process the matrix unit's registers when it asks for them.
bool has_matrix_unit() {
#ifdef __linux__
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // of arch_prctl, asm/prctl.h
  return __builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-bf16") &&
         syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}
#endif

// Best last.
std::vector<Level> find_levels() {
  std::vector<Level> levels{{target_generic.name, {&target_generic}}};
#ifdef GATEWISE_X86
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
      !__builtin_cpu_supports("bmi2")) {
    return levels;
  }
  levels.push_back({target_avx2.name, {&target_avx2}});
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512cd") || !__builtin_cpu_supports("avx512dq") ||
      !__builtin_cpu_supports("avx512vl")) {
    return levels;
  }
  Level level{target_avx512.name, {&target_avx512}};
  levels.push_back(level);
  const auto add = [&](Precision precision, const Target& target) {
    level.name = target.name;
    level.products[static_cast<int>(precision)] = &target;
    levels.push_back(level);
  };
  if (__builtin_cpu_supports("avx512vnni")) add(Precision::int8, target_avx512_vnni);
  if (!__builtin_cpu_supports("avx512bf16")) return levels;
  add(Precision::bfloat16, target_avx512_bf16);
  if (has_matrix_unit()) add(Precision::bfloat16, target_amx);
#endif
  return levels;
}

const std::vector<Level>& levels() {
  static const std::vector<Level> found = find_levels();
  return found;
}

const Level* chosen = &levels().back();

}  // namespace

const Target* target(Precision precision) {
  return chosen->products[static_cast<int>(precision)];
}

bool prefers_bfloat16() {
#ifdef GATEWISE_X86
  if (target(Precision::bfloat16) == &target_avx512_bf16) return __builtin_cpu_is("amd");
#endif
  return target(Precision::bfloat16) != nullptr;
}

std::string target_name() { return chosen->name; }

std::vector<std::string> available_targets() {
  std::vector<std::string> names;
  for (const Level& level : levels()) names.emplace_back(level.name);
  return names;
}

bool use_target(const std::string& name) {
  for (const Level& level : levels()) {
    if (name == level.name) {
      chosen = &level;
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
