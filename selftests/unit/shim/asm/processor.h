/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_ASM_PROCESSOR_H
#define SHIM_ASM_PROCESSOR_H

static const struct { int x86_virt_bits; } boot_cpu_data __attribute__((unused)) = { 48 };

#endif
