/* SPDX-License-Identifier: GPL-2.0 */
/* The host's descriptor tables and CR0: the test has them. */
#ifndef SHIM_ASM_DESC_H
#define SHIM_ASM_DESC_H

#include <asm/desc_defs.h>

#define GDT_ENTRY_TSS	8
#define __KERNEL_CS	0x10
#define __KERNEL_DS	0x18
#define X86_CR0_TS	0x8ul

void store_idt(struct desc_ptr *idt);
unsigned long read_cr0(void);

#endif
