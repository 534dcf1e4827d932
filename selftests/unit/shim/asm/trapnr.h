/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_ASM_TRAPNR_H
#define SHIM_ASM_TRAPNR_H

#define X86_TRAP_DB	1
#define X86_TRAP_GP	13
#define X86_TRAP_AC	17

#endif
