/* SPDX-License-Identifier: GPL-2.0 */
/* Nothing faults: no test executes a VMX instruction. */
#ifndef SHIM_ASM_ASM_H
#define SHIM_ASM_ASM_H

#define _ASM_EXTABLE(from, to)

#endif
