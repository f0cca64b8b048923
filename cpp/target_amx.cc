// AVX-512, AVX512-BF16 and AMX: products of whole tiles.
#define GATEWISE_TARGET target_amx
#define GATEWISE_NAME "amx"
#define GATEWISE_TILE "tile_amx.inc.h"
#include "target.inc.h"
