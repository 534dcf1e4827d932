/* SPDX-License-Identifier: GPL-2.0 */
/* A processor that has everything. */
#ifndef SHIM_ASM_CPUFEATURE_H
#define SHIM_ASM_CPUFEATURE_H

#define boot_cpu_has(feature)	true

#endif
