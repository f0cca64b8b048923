// x86-64-v4: AVX-512 F, BW, CD, DQ and VL, 32 registers of 16 lanes.
#define GATEWISE_TARGET target_avx512
#define GATEWISE_NAME "avx512"
#include "target.inc.h"
