/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_ASM_DESC_DEFS_H
#define SHIM_ASM_DESC_DEFS_H

#include <linux/types.h>

struct desc_ptr {
	u16 size;
	unsigned long address;
} __attribute__((packed));

#endif
