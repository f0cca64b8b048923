// x86-64-v3: AVX2 and FMA, 16 registers of 8 lanes.
#define GATEWISE_TARGET target_avx2
#define GATEWISE_NAME "avx2"
#include "target.inc.h"
