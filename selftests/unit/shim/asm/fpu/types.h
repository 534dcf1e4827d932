/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_ASM_FPU_TYPES_H
#define SHIM_ASM_FPU_TYPES_H

#include <linux/types.h>

struct fpu_guest { u64 xfeatures; };

#endif
