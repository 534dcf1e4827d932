/* SPDX-License-Identifier: GPL-2.0 */
/* The address of an instruction's memory operand: module/io/decode.c's and Zydis'. */
#ifndef FUZZ_DECODE_H
#define FUZZ_DECODE_H

#include "zydis.h"
#include "../../module/io/decode.c"

/* A SIB byte that says "no base"; with REX.B and 32-bit addresses Zydis 4.0 has R13D alone. */
static inline bool has_no_base(const struct oracle *o)
{
	return (o->i.attributes & ZYDIS_ATTRIB_HAS_SIB) && !o->i.raw.modrm.mod && o->i.raw.sib.base == 5;
}

static inline bool same_base(const struct insn *i, const struct oracle *o, ZydisRegister base)
{
	if (has_no_base(o))
		return i->base == INSN_NO_REG && !i->rip_relative;
	if (base == ZYDIS_REGISTER_RIP || base == ZYDIS_REGISTER_EIP)
		return i->rip_relative;
	if (i->rip_relative)
		return false;
	if (base == ZYDIS_REGISTER_NONE)
		return i->base == INSN_NO_REG;
	return i->base == oracle_reg(o, base);
}

static inline bool same_index(const struct insn *i, const struct oracle *o)
{
	const ZydisDecodedOperandMem *m = &o->mem->mem;

	if (m->index == ZYDIS_REGISTER_NONE)
		return i->index == INSN_NO_REG;
	return i->index == oracle_reg(o, m->index) && 1 << i->scale == (m->scale ?: 1);
}

static inline bool same_address(const struct insn *i, const struct oracle *o)
{
	const ZydisDecodedOperandMem *m = &o->mem->mem;
	u64 disp = has_no_base(o) ? o->i.raw.disp.value : m->disp.value;

	return i->addr_size * 8 == o->i.address_width &&
	       i->seg == m->segment - ZYDIS_REGISTER_ES &&
	       same_base(i, o, m->base) && same_index(i, o) &&
	       !((i->disp ^ disp) & insn_mask(i->addr_size));
}

#endif
