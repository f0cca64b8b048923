// The processor's baseline: SSE2 on x86-64; NEON, 32 registers of 4 lanes, on 64-bit ARM.
#define GATEWISE_TARGET target_generic
#if defined(__aarch64__)
#define GATEWISE_NAME "neon"
#else
#define GATEWISE_NAME "generic"
#endif
#include "target.inc.h"
