/* SPDX-License-Identifier: GPL-2.0 */
/* A processor that has everything. */
#ifndef SHIM_ASM_CPUFEATURE_H
#define SHIM_ASM_CPUFEATURE_H

#define X86_FEATURE_IBPB		0
#define boot_cpu_has(feature)		true
#define cpu_feature_enabled(feature)	true

#endif
