/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_ASM_PROCESSOR_H
#define SHIM_ASM_PROCESSOR_H

static const struct { int x86_phys_bits, x86_virt_bits; } boot_cpu_data
	__attribute__((unused)) = { 42, 48 };

/* Wider than the kernel's: MKTME. */
static inline unsigned int native_cpuid_eax(unsigned int leaf)
{
	return leaf == 0x80000008 ? 0x3030 : 0;
}

#endif
