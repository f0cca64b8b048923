// Any machine of this architecture: SSE2 on x86-64, NEON on aarch64.
#define GATEWISE_TARGET target_generic
#define GATEWISE_NAME "generic"
#include "target.inc.h"
