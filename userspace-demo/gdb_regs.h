/* SPDX-License-Identifier: GPL-2.0 */
/* The registers of a vCPU as gdb numbers them, and the text that tells gdb how. */
#ifndef GDB_REGS_H
#define GDB_REGS_H

#include "gdb_packet.h"
#include "vcpu.h"

/* The target description, XML; made at the first call. */
const char *gdb_regs_description(void);

/*
 * Of a vCPU at rest: all registers, or one, as digits to @out; from digits. False: there is
 * no such register, these are no digits of it, or the processor does not take it.
 */
void gdb_regs_get(const struct vcpu *vcpu, struct gdb_out *out);
bool gdb_regs_set(const struct vcpu *vcpu, const char *digits);
bool gdb_reg_get(const struct vcpu *vcpu, uint64_t number, struct gdb_out *out);
bool gdb_reg_set(const struct vcpu *vcpu, uint64_t number, const char *digits);

#endif
