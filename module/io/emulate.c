// SPDX-License-Identifier: GPL-2.0
/*
 * An instruction that accesses a device: fetch it, decode it, carry it out.
 *
 * An instruction has a side that is read, a side that is written, or both; side.c
 * makes the accesses. A read that the VMM must answer is an exit with the instruction
 * not yet done; emulate_answered() continues. With the exit of a write it is done: its
 * registers have changed, and its flags when the value to write was known.
 */
#include <linux/mm.h>
#include <asm/processor-flags.h>

#include "../cpu/cpu.h"
#include "../mm/memslot.h"
#include "../trace.h"
#include "../vmx/vmx.h"
#include "io.h"
#include "operand.h"
#include "step_table.h"
#include "string.h"

/* ---- registers */

static u64 get_reg(struct vcpu *vcpu, const struct insn *insn)
{
	u64 value = operand_reg(vcpu, insn->reg);

	return (insn->reg_high ? value >> 8 : value) & insn_mask(insn->reg_size);
}

static void put_reg(struct vcpu *vcpu, int reg, bool high, int size, u64 value)
{
	u64 old = vcpu_reg(vcpu, reg);

	if (high)
		value = (old & ~0xff00ull) | (value & 0xff) << 8;
	else
		value = insn_merge(old, value, size);
	vcpu_set_reg(vcpu, reg, value);
}

static u64 other_operand(struct vcpu *vcpu, const struct insn *insn)
{
	if (insn->other == OTHER_REG)
		return get_reg(vcpu, insn);
	return insn->imm & insn_mask(insn->size);
}

/* ---- addresses */

/* Bit tests with a register reach beyond the operand. */
static s64 bit_offset(struct vcpu *vcpu, const struct insn *insn)
{
	s64 bit;

	if (insn->op < OP_BT || insn->other != OTHER_REG)
		return 0;
	bit = insn_sign_extend(get_reg(vcpu, insn), insn->size);
	return (bit >> 3) & ~(s64)(insn->size - 1);
}

/*
 * A piece's address, if this is the access that exited: the processor has checked and
 * translated it. A write that exited may be one to memory that can be read.
 */
static bool emulate_is_translated(struct vcpu *vcpu, u64 gva, unsigned int access,
				  struct side_piece *piece)
{
	const struct vmexit *exit = &vcpu->exit;
	bool wrote = exit->qualification & EPT_QUAL_WRITE;

	if (gva != vcpu->emulate.gva || (access == ACCESS_WRITE && !wrote))
		return false;
	piece->device = wrote == (access == ACCESS_WRITE);
	piece->gpa = exit->gpa;
	return true;
}

static noinline_for_stack int locate_slowly(struct vcpu *vcpu, struct side *side, int seg,
					    u64 offset, unsigned int access)
{
	struct logical l = { .seg = seg, .bits = vcpu->emulate.bits, .offset = offset };

	return side_locate(vcpu, side, &l, vcpu->emulate.insn->size, access, NULL);
}

/* As side_locate(). Inlined: each MOV to or from a device comes here. */
static __always_inline int emulate_locate(struct vcpu *vcpu, struct side *side, int seg, u64 offset,
					  unsigned int access)
{
	const struct insn *insn = vcpu->emulate.insn;
	struct side_piece *p = &side->piece[0];
	u64 gva;

	if (insn->addr_size != 8)
		offset &= insn_mask(insn->addr_size);
	gva = logical_linear(&(struct logical) {
		.seg = seg, .bits = vcpu->emulate.bits, .offset = offset,
	});
	if (offset_in_page(gva) + insn->size > PAGE_SIZE ||
	    !emulate_is_translated(vcpu, gva, access, p))
		return locate_slowly(vcpu, side, seg, offset, access);
	p->len = insn->size;
	p->at = 0;
	p->written = false;
	side->n = 1;
	return 0;
}

/* The same for all the others, once. */
static noinline_for_stack int locate_one(struct vcpu *vcpu, struct side *side, int seg, u64 offset,
					 unsigned int access)
{
	return emulate_locate(vcpu, side, seg, offset, access);
}

/* One operand that is read and written is a write, for all the checks. */
static noinline_for_stack int locate_both(struct vcpu *vcpu, u64 offset)
{
	struct emulate_state *e = &vcpu->emulate;
	int ret = locate_one(vcpu, &e->write, e->insn->seg, offset, ACCESS_WRITE);

	if (ret)
		return ret;
	e->read.piece[0] = e->write.piece[0];
	e->read.piece[1] = e->write.piece[1];
	e->read.n = e->write.n;
	e->read.piece[0].device = false;	/* of a write that exited: it may be readable */
	return 0;
}

static struct string_form insn_string_form(const struct insn *insn)
{
	return (struct string_form) {
		.size = insn->size, .addr_size = insn->addr_size, .seg = insn->seg,
		.rep = insn->rep, .reads = insn->reads, .writes = insn->writes,
	};
}

static noinline_for_stack int locate_string(struct vcpu *vcpu)
{
	struct emulate_state *e = &vcpu->emulate;
	struct string_form f = insn_string_form(e->insn);
	struct logical l;
	int ret = 0;

	if (f.reads) {
		l = string_source(vcpu, &f, e->bits);
		ret = locate_one(vcpu, &e->read, l.seg, l.offset, ACCESS_READ);
	}
	if (!ret && f.writes) {
		l = string_dest(vcpu, &f, e->bits);
		ret = locate_one(vcpu, &e->write, l.seg, l.offset, ACCESS_WRITE);
	}
	return ret;
}

/* The operands of an instruction. As side_locate(). */
static int locate_all(struct vcpu *vcpu)
{
	struct emulate_state *e = &vcpu->emulate;
	const struct insn *insn = e->insn;
	u64 offset;

	e->read.n = e->read.done = e->write.n = e->write.done = 0;
	e->read.value = 0;
	if (insn->string)
		return locate_string(vcpu);
	offset = operand_offset(vcpu, insn) + bit_offset(vcpu, insn);
	if (!insn->writes)
		return emulate_locate(vcpu, &e->read, insn->seg, offset, ACCESS_READ);
	if (!insn->reads)
		return emulate_locate(vcpu, &e->write, insn->seg, offset, ACCESS_WRITE);
	return locate_both(vcpu, offset);
}

/* ---- results */

static void put_flags(u64 old, u64 rflags)
{
	if (rflags != old)
		vmcs_write_guest_rflags(rflags);
}

/* The value to write, and the flags. @a is what was read, @b the other operand. */
static noinline_for_stack u64 emulate_compute(struct vcpu *vcpu, const struct insn *insn, u64 a,
					      u64 b)
{
	u64 old = vmcs_read_guest_rflags(), rflags = old;
	u64 result = alu_memory(insn, a, b, vcpu->regs[RAX], &rflags);

	put_flags(old, rflags);
	return result;
}

static u64 value_to_write(struct vcpu *vcpu, const struct insn *insn, u64 a)
{
	u64 b = other_operand(vcpu, insn);

	return insn->op == OP_MOV ? b : emulate_compute(vcpu, insn, a, b);
}

static noinline_for_stack void alu_register(struct vcpu *vcpu, const struct insn *insn, u64 a)
{
	u64 old = vmcs_read_guest_rflags(), rflags = old;
	u64 value = alu(insn->op, get_reg(vcpu, insn), a, insn->size, &rflags);

	put_flags(old, rflags);
	if (insn->op != OP_CMP && insn->op != OP_TEST)
		put_reg(vcpu, insn->reg, insn->reg_high, insn->reg_size, value);
}

/* What goes into a register when memory was the source. */
static void load_register(struct vcpu *vcpu, const struct insn *insn, u64 a)
{
	if (insn->op == OP_MOVSX)
		a = insn_sign_extend(a, insn->size);
	else if (insn->op == OP_MOVBE)
		a = alu_swap(a, insn->size);
	else if (insn->op != OP_MOV && insn->op != OP_MOVZX)
		return alu_register(vcpu, insn, a);
	put_reg(vcpu, insn->reg, insn->reg_high, insn->reg_size, a);
}

/* The other side of an exchange. */
static void exchange_registers(struct vcpu *vcpu, const struct insn *insn, u64 a)
{
	if (insn->op == OP_XCHG || insn->op == OP_XADD)
		put_reg(vcpu, insn->reg, insn->reg_high, insn->size, a);
	if (insn->op == OP_CMPXCHG && !(vmcs_read_guest_rflags() & X86_EFLAGS_ZF))
		put_reg(vcpu, RAX, false, insn->size, a);
}

/* One element of a string is done. */
static noinline_for_stack int finish_string(struct vcpu *vcpu, const struct insn *insn)
{
	struct string_form f = insn_string_form(insn);

	return string_done(vcpu, &f, 1, false);
}

static noinline_for_stack bool string_is_over(struct vcpu *vcpu, const struct insn *insn)
{
	struct string_form f = insn_string_form(insn);

	return !string_left(vcpu, &f);
}

static int emulate_finish(struct vcpu *vcpu)
{
	const struct insn *insn = vcpu->emulate.insn;
	u64 a = vcpu->emulate.read.value;

	if (!insn->to_mem)
		load_register(vcpu, insn, a);
	else
		exchange_registers(vcpu, insn, a);
	vcpu->insn_len = insn->len;
	return insn->string ? finish_string(vcpu, insn) : EXIT_SKIP;
}

/* The value to write, if any, is known. Verdict. */
static int emulate_carry_out_write(struct vcpu *vcpu)
{
	struct side *to = &vcpu->emulate.write;
	int ret;

	if (!to->n)
		return emulate_finish(vcpu);
	ret = side_is_vmms(vcpu, to) ? 0 : side_write_here(vcpu, to, emulate_carry_out_write);
	if (unlikely(ret))
		return ret;
	return side_write_rest(vcpu, to, emulate_finish(vcpu));
}

static int emulate_answered(struct vcpu *vcpu);

/* Read, compute, write, as far as it goes without the VMM. Verdict. */
static int emulate_carry_out(struct vcpu *vcpu)
{
	struct emulate_state *e = &vcpu->emulate;
	int ret = side_is_read(&e->read) ? EXIT_RESUME :
		  side_read(vcpu, &e->read, emulate_answered, emulate_carry_out);

	if (ret != EXIT_RESUME)
		return ret;
	if (e->insn->to_mem)
		e->write.value = value_to_write(vcpu, e->insn, e->read.value);
	return emulate_carry_out_write(vcpu);
}

/* The VMM has answered what it was asked for. */
static int emulate_answered(struct vcpu *vcpu)
{
	side_answer(vcpu, &vcpu->emulate.read);
	return emulate_carry_out(vcpu);
}

/* ---- entry */

static noinline_for_stack int decode_anew(struct emulate_state *e, struct insn_decoded *d)
{
	int err = insn_decode((const u8 *)e->bytes, e->n, e->bits, &d->insn);

	d->bytes[0] = e->bytes[0];
	d->bytes[1] = e->bytes[1];
	d->bits = e->bits;
	if (err)
		d->insn.len = 0;
	return err;
}

static int emulate_decode(struct emulate_state *e, u64 rip)
{
	struct insn_decoded *d = &e->decoded[rip / 4 % INSN_DECODED];

	e->insn = &d->insn;
	/*
	 * Clever: decode-cache: delete this and all still works, 262 instructions slower (row
	 * T4a). Bytes that were decoded lately need not be decoded again.
	 */
	if (d->insn.len && d->bytes[0] == e->bytes[0] && d->bytes[1] == e->bytes[1] &&
	    d->bits == e->bits && d->insn.len <= e->n)
		return 0;
	/* Clever ends: decode-cache */
	return decode_anew(e, d);
}

/* Do the bytes end inside the instruction? Either table may know it. */
static bool ends_early(const struct emulate_state *e, int err)
{
	struct step_insn s;

	return err == INSN_MORE ||
	       (err && step_decode((const u8 *)e->bytes, e->n, e->bits, &s) == INSN_MORE);
}

/* The next page is read only if the instruction goes on there. */
static noinline_for_stack int fetch_slowly(struct vcpu *vcpu, u64 rip)
{
	struct emulate_state *e = &vcpu->emulate;
	int room = PAGE_SIZE - offset_in_page(rip), ret;
	struct guest_fault fault;

	e->bytes[0] = e->bytes[1] = 0;
	e->n = min(INSN_MAX, room);
	ret = gva_read(vcpu, rip, e->bytes, min(INSN_ROOM, room), ACCESS_FETCH, &fault);
	if (!ret) {
		ret = emulate_decode(e, rip);
		if (room >= INSN_MAX || !ends_early(e, ret))
			return ret;
		ret = gva_read(vcpu, linear_wrap(e->bits, rip + room), (u8 *)e->bytes + room,
			       INSN_MAX - room, ACCESS_FETCH, &fault);
		if (!ret) {
			e->n = INSN_MAX;
			return emulate_decode(e, rip);
		}
	}
	if (ret > 0)
		gva_inject(vcpu, &fault);
	else
		e->n = 0;
	return ret;
}

/* The instruction at RIP. 0; 1: the guest got a fault; -EFAULT; -errno: none that we know. */
static int emulate_fetch(struct vcpu *vcpu)
{
	struct emulate_state *e = &vcpu->emulate;
	struct code_mode mode = vcpu_code_mode(vcpu);
	u64 rip = vmcs_read_guest_rip();

	e->bits = mode.bits;
	if (mode.bits != 64)
		rip = linear_wrap(mode.bits, rip + vmcs_read_guest_cs_base());
	/* Clever: walk-cache */
	if (gva_fetch_again(vcpu, rip, mode.cpl, e->bytes)) {
		e->n = INSN_MAX;
		return emulate_decode(e, rip);
	}
	/* Clever ends: walk-cache */
	return fetch_slowly(vcpu, rip);
}

static int emulate_insn(struct vcpu *vcpu)
{
	struct emulate_state *e = &vcpu->emulate;
	int ret = emulate_fetch(vcpu);

	if (ret > 0)
		return EXIT_RESUME;	/* the guest got a fault */
	if (ret)
		return ret == -EFAULT ? ret : step_begin(vcpu);	/* the processor knows it */
	vcpu->insn_len = e->insn->len;
	if (e->insn->string && string_is_over(vcpu, e->insn))
		return EXIT_SKIP;
	ret = locate_all(vcpu);
	if (ret)
		return ret > 0 ? EXIT_RESUME : ret;
	return emulate_carry_out(vcpu);
}

/**
 * emulate_exit - an access to a guest physical address without writable memory
 * @vcpu: loaded, slots read-locked, after an EPT violation
 *
 * Context: sleeps. Return: verdict.
 */
int emulate_exit(struct vcpu *vcpu)
{
	vcpu->stats.mmio++;
	vcpu->emulate.gva = vmcs_read_exit_gva();	/* no other EPT violation needs it */
	return emulate_insn(vcpu);
}
