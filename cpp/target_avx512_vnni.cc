// AVX-512 and AVX512-VNNI: products of bytes. Forward only.
#define GATEWISE_TARGET target_avx512_vnni
#define GATEWISE_NAME "avx512_vnni"
#define GATEWISE_INT8
#include "target.inc.h"
