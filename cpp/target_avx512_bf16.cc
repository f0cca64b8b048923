// AVX-512 and AVX512-BF16: dot products of pairs.
#define GATEWISE_TARGET target_avx512_bf16
#define GATEWISE_NAME "avx512_bf16"
#define GATEWISE_TILE "tile_dot.inc.h"
#include "target.inc.h"
