// SPDX-License-Identifier: GPL-2.0
/*
 * An instruction that accesses a device: fetch it, decode it, carry it out.
 *
 * An instruction has a side that is read, a side that is written, or both. Each
 * side is at most two pieces, as it may cross a page; each piece is memory, a
 * chip in the kernel, or the VMM's, which then gets an exit. When the VMM comes
 * back, mmio_go_on() continues where it stopped. Registers change last, flags when the
 * value to write is known.
 */
#include <linux/mm.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "../trace.h"
#include "../mm/memslot.h"
#include "../vmx/vmx.h"
#include "../minikvm.h"

static u64 sign_extend(u64 value, int size)
{
	int shift = 64 - 8 * size;

	return (u64)((s64)(value << shift) >> shift);
}

/* ---- registers */

static __always_inline u64 reg_value(struct vcpu *vcpu, int reg)
{
	return reg == RSP ? vcpu_reg(vcpu, RSP) : vcpu->regs[reg];
}

static u64 get_reg(struct vcpu *vcpu, const struct insn *insn)
{
	u64 value = reg_value(vcpu, insn->reg);

	return (insn->reg_high ? value >> 8 : value) & insn_mask(insn->reg_size);
}

/* 32-bit results clear the upper half, 8- and 16-bit ones keep the rest. */
static void put_reg(struct vcpu *vcpu, int reg, bool high, int size, u64 value)
{
	u64 old = vcpu_reg(vcpu, reg), mask = insn_mask(size);

	if (size == 4)
		vcpu_set_reg(vcpu, reg, (u32)value);
	else if (high)
		vcpu_set_reg(vcpu, reg, (old & ~0xff00ull) | (value & 0xff) << 8);
	else
		vcpu_set_reg(vcpu, reg, (old & ~mask) | (value & mask));
}

static u64 other_operand(struct vcpu *vcpu, const struct insn *insn)
{
	if (insn->other == OTHER_REG)
		return get_reg(vcpu, insn);
	return insn->imm & insn_mask(insn->size);
}

/* ---- addresses */

static u64 address_mask(const struct insn *insn)
{
	return insn_mask(insn->addr_size);
}

/* Linear addresses have 32 bits, but in 64-bit code. */
static u64 wrapped(const struct mmio_state *m, u64 addr)
{
	return m->bits == 64 ? addr : (u32)addr;
}

static __always_inline u64 linear(struct vcpu *vcpu, const struct insn *insn, int seg, u64 offset)
{
	bool is_64 = vcpu->mmio.bits == 64;
	u64 addr = insn->addr_size == 8 ? offset : offset & address_mask(insn);

	if (is_64 && seg != SEG_FS && seg != SEG_GS)
		return addr;
	return wrapped(&vcpu->mmio, addr + vmx_segment_base(seg));
}

/* Bit tests with a register reach beyond the operand. */
static s64 bit_offset(struct vcpu *vcpu, const struct insn *insn)
{
	s64 bit;

	if (insn->op < OP_BT || insn->other != OTHER_REG)
		return 0;
	bit = sign_extend(get_reg(vcpu, insn), insn->size);
	return (bit >> 3) & ~(s64)(insn->size - 1);
}

static u64 operand_address(struct vcpu *vcpu, const struct insn *insn)
{
	u64 offset = insn->disp;

	if (insn->base != INSN_NO_REG)
		offset += reg_value(vcpu, insn->base);
	if (insn->index != INSN_NO_REG)
		offset += reg_value(vcpu, insn->index) << insn->scale;
	if (insn->rip_relative)
		offset += vmcs_read_guest_rip() + insn->len;
	return linear(vcpu, insn, insn->seg, offset + bit_offset(vcpu, insn));
}

static u64 read_address(struct vcpu *vcpu, const struct insn *insn)
{
	if (insn->string)
		return linear(vcpu, insn, insn->seg, vcpu->regs[RSI]);
	return operand_address(vcpu, insn);
}

static u64 write_address(struct vcpu *vcpu, const struct insn *insn)
{
	if (insn->string)
		return linear(vcpu, insn, SEG_ES, vcpu->regs[RDI]);
	return operand_address(vcpu, insn);
}

/*
 * A piece's address, if this is the access that exited: the processor has translated it.
 * A write that exited may be one to memory that can be read.
 */
static bool translated(struct vcpu *vcpu, u64 gva, unsigned int access, struct mmio_piece *piece)
{
	const struct vmexit *exit = &vcpu->exit;
	bool wrote = exit->qualification & EPT_QUAL_WRITE;

	if (gva != exit->gva || (access == ACCESS_WRITE && !wrote))
		return false;
	piece->device = wrote == (access == ACCESS_WRITE);
	piece->gpa = exit->gpa;
	return true;
}

static int translate(struct vcpu *vcpu, u64 gva, unsigned int access, struct mmio_piece *piece,
		     struct guest_fault *fault)
{
	if (translated(vcpu, gva, access, piece))
		return 0;
	piece->device = false;
	return gva_to_gpa(vcpu, gva, access, &piece->gpa, fault);
}

static void side_clear(struct mmio_side *side)
{
	side->n = side->done = side->bytes = 0;
	side->value = 0;
}

/* Cut a side at the page boundary, and translate. 0, or 1: the guest's fault was raised. */
static noinline_for_stack int locate_pieces(struct vcpu *vcpu, struct mmio_side *side, u64 gva,
					    int size, unsigned int access)
{
	struct guest_fault fault;
	int n;

	side->n = 0;
	while (size) {
		n = min_t(int, size, PAGE_SIZE - offset_in_page(gva));
		if (translate(vcpu, gva, access, &side->piece[side->n], &fault)) {
			gva_inject(vcpu, &fault);
			return 1;
		}
		side->piece[side->n++].len = n;
		gva = wrapped(&vcpu->mmio, gva + n);
		size -= n;
	}
	return 0;
}

static int locate(struct vcpu *vcpu, struct mmio_side *side, u64 gva, int size, unsigned int access)
{
	if (offset_in_page(gva) + size > PAGE_SIZE ||
	    !translated(vcpu, gva, access, &side->piece[0]))
		return locate_pieces(vcpu, side, gva, size, access);
	side->piece[0].len = size;
	side->n = 1;
	return 0;
}

/* ---- the access itself */

static int mmio_go_on(struct vcpu *vcpu);

/* @data: the value to write, in its low bytes */
static int to_vmm(struct vcpu *vcpu, const struct mmio_piece *p, bool write, u64 data)
{
	struct minikvm_run *run = vcpu->run;

	run->exit_reason = MINIKVM_EXIT_MMIO;
	run->mmio.phys_addr = p->gpa;
	run->mmio.len = p->len;
	run->mmio.is_write = write;
	data &= insn_mask(p->len);
	memcpy(run->mmio.data, &data, sizeof(run->mmio.data));
	return EXIT_USER;
}

static void piece_done(struct mmio_side *side)
{
	side->bytes += side->piece[side->done++].len;
}

/* The value of a read piece, from the VMM's answer or from here. */
static void piece_read(struct mmio_side *side, u64 data)
{
	int len = side->piece[side->done].len;

	side->value |= (data & insn_mask(len)) << (8 * side->bytes);
	piece_done(side);
}

/* Is nobody but the VMM to be asked? */
static bool is_vmms(struct vcpu *vcpu, const struct mmio_piece *p)
{
	return p->device && !vcpu->lapic;
}

/* Memory first, if it may be some; then the chips. 0, or an error: the VMM's. */
static noinline_for_stack int read_here(struct vcpu *vcpu, struct mmio_side *side)
{
	const struct mmio_piece *p = &side->piece[side->done];
	u64 data = 0;

	if ((p->device || guest_read(vcpu, p->gpa, &data, p->len)) &&
	    io_bus_mmio(vcpu, false, p->gpa, &data, p->len))
		return -EOPNOTSUPP;
	trace_minikvm_mmio(false, p->gpa, p->len, data);
	piece_read(side, data);
	return 0;
}

static noinline_for_stack int write_here(struct vcpu *vcpu, const struct mmio_piece *p, u64 data)
{
	if (!p->device && !guest_write(vcpu, p->gpa, &data, p->len))
		return 0;
	return io_bus_mmio(vcpu, true, p->gpa, &data, p->len);
}

/* EXIT_RESUME: the whole side is read. */
static int read_side(struct vcpu *vcpu, struct mmio_side *side)
{
	while (side->done < side->n) {
		const struct mmio_piece *p = &side->piece[side->done];

		if (is_vmms(vcpu, p) || read_here(vcpu, side))
			return to_vmm(vcpu, p, false, 0);
	}
	return EXIT_RESUME;
}

static int write_side(struct vcpu *vcpu, struct mmio_side *side)
{
	while (side->done < side->n) {
		const struct mmio_piece *p = &side->piece[side->done];
		u64 data = side->value >> (8 * side->bytes);

		trace_minikvm_mmio(true, p->gpa, p->len, data);
		if (is_vmms(vcpu, p) || write_here(vcpu, p, data))
			return to_vmm(vcpu, p, true, data);
		piece_done(side);
	}
	return EXIT_RESUME;
}

/* ---- results */

static void put_flags(u64 old, u64 rflags)
{
	if (rflags != old)
		vmcs_write_guest_rflags(rflags);
}

/* The value to write, and the flags. @a is what was read, @b the other operand. */
static noinline_for_stack u64 compute(struct vcpu *vcpu, const struct insn *insn, u64 a, u64 b)
{
	u64 old = vmcs_read_guest_rflags(), rflags = old;
	u64 result = alu_memory(insn, a, b, vcpu->regs[RAX], &rflags);

	put_flags(old, rflags);
	return result;
}

static u64 value_to_write(struct vcpu *vcpu, const struct insn *insn, u64 a)
{
	u64 b = other_operand(vcpu, insn);

	return insn->op == OP_MOV ? b : compute(vcpu, insn, a, b);
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
		a = sign_extend(a, insn->size);
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

/* A register of which only the low address-size bits move. */
static void advance(struct vcpu *vcpu, const struct insn *insn, int reg, s64 delta)
{
	u64 mask = address_mask(insn), old = vcpu->regs[reg];

	vcpu->regs[reg] = ((old + delta) & mask) | (insn->addr_size == 2 ? old & ~mask : 0);
}

static bool nothing_left(struct vcpu *vcpu, const struct insn *insn)
{
	return insn->string && insn->rep && !(vcpu->regs[RCX] & address_mask(insn));
}

/* One element of a string is done. */
static int finish_string(struct vcpu *vcpu, const struct insn *insn)
{
	s64 step = vmcs_read_guest_rflags() & X86_EFLAGS_DF ? -(s64)insn->size : insn->size;

	/* The VMM may have changed RCX meanwhile. */
	if (nothing_left(vcpu, insn))
		return EXIT_SKIP;
	if (insn->reads)
		advance(vcpu, insn, RSI, step);
	if (insn->writes)
		advance(vcpu, insn, RDI, step);
	if (!insn->rep)
		return EXIT_SKIP;
	advance(vcpu, insn, RCX, -1);
	return vcpu->regs[RCX] & address_mask(insn) ? EXIT_RESUME : EXIT_SKIP;
}

static int finish(struct vcpu *vcpu)
{
	const struct insn *insn = vcpu->mmio.insn;
	u64 a = vcpu->mmio.read.value;

	if (!insn->to_mem)
		load_register(vcpu, insn, a);
	else
		exchange_registers(vcpu, insn, a);
	vcpu->exit.insn_len = insn->len;
	return insn->string ? finish_string(vcpu, insn) : EXIT_SKIP;
}

/* Read, compute, write, as far as it goes without the VMM. Verdict. */
static int carry_out(struct vcpu *vcpu)
{
	struct mmio_state *m = &vcpu->mmio;
	int ret;

	if (m->read.done < m->read.n || (m->insn->to_mem && !m->write.done)) {
		ret = read_side(vcpu, &m->read);
		if (ret == EXIT_USER)
			goto wait;
		if (m->insn->to_mem)
			m->write.value = value_to_write(vcpu, m->insn, m->read.value);
	}
	ret = write_side(vcpu, &m->write);
	if (ret == EXIT_USER)
		goto wait;
	return finish(vcpu);
wait:
	vcpu->complete = mmio_go_on;
	return EXIT_USER;
}

/* The VMM has answered the access that it was asked for. */
static int mmio_go_on(struct vcpu *vcpu)
{
	struct mmio_state *m = &vcpu->mmio;

	if (m->read.done < m->read.n) {
		/* Read once; what is more than asked for goes. */
		u64 data = READ_ONCE(*(u64 *)vcpu->run->mmio.data);

		trace_minikvm_mmio(false, m->read.piece[m->read.done].gpa,
				   m->read.piece[m->read.done].len, data);
		piece_read(&m->read, data);
		return carry_out(vcpu);
	}
	piece_done(&m->write);
	if (m->write.done < m->write.n)
		return carry_out(vcpu);
	return finish(vcpu);
}

/* ---- entry */

/*
 * Not an instruction that we know: the VMM gets its bytes. But a process in the
 * guest must not be able to end it: as with KVM, that gets #UD.
 */
static noinline_for_stack int cannot(struct vcpu *vcpu)
{
	struct minikvm_run *run = vcpu->run;

	if (vmx_cpl()) {
		event_exception(vcpu, X86_TRAP_UD);
		return EXIT_RESUME;
	}
	run->exit_reason = MINIKVM_EXIT_INTERNAL_ERROR;
	run->emulation_failure.suberror = MINIKVM_INTERNAL_ERROR_EMULATION;
	run->emulation_failure.ndata = 3;
	run->emulation_failure.flags = MINIKVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
	run->emulation_failure.insn_size = vcpu->mmio.n;
	memset(run->emulation_failure.insn_bytes, 0x90, INSN_MAX);
	memcpy(run->emulation_failure.insn_bytes, vcpu->mmio.bytes, vcpu->mmio.n);
	return EXIT_USER;
}

static noinline_for_stack int decode_anew(struct mmio_state *m, struct mmio_decoded *d)
{
	int err = insn_decode((const u8 *)m->bytes, m->n, m->bits, &d->insn);

	d->bytes[0] = m->bytes[0];
	d->bytes[1] = m->bytes[1];
	d->bits = m->bits;
	if (err)
		d->insn.len = 0;
	return err;
}

/* Bytes that were decoded lately need not be decoded again. */
static int decode(struct mmio_state *m, u64 rip)
{
	struct mmio_decoded *d = &m->decoded[rip / 4 % MMIO_DECODED];

	m->insn = &d->insn;
	if (d->insn.len && d->bytes[0] == m->bytes[0] && d->bytes[1] == m->bytes[1] &&
	    d->bits == m->bits && d->insn.len <= m->n)
		return 0;
	return decode_anew(m, d);
}

/* The next page is read only if the instruction goes on there. */
static noinline_for_stack int fetch_slowly(struct vcpu *vcpu, u64 rip)
{
	struct mmio_state *m = &vcpu->mmio;
	int room = PAGE_SIZE - offset_in_page(rip), ret;
	struct guest_fault fault;

	m->bytes[0] = m->bytes[1] = 0;
	m->n = min(INSN_MAX, room);
	ret = gva_read(vcpu, rip, m->bytes, min(INSN_ROOM, room), ACCESS_FETCH, &fault);
	if (!ret) {
		ret = decode(m, rip);
		if (ret != INSN_MORE || room >= INSN_MAX)
			return ret;
		ret = gva_read(vcpu, wrapped(m, rip + room), (u8 *)m->bytes + room,
			       INSN_MAX - room, ACCESS_FETCH, &fault);
		if (!ret) {
			m->n = INSN_MAX;
			return decode(m, rip);
		}
	}
	if (ret > 0)
		gva_inject(vcpu, &fault);
	else
		m->n = 0;
	return ret;
}

/* The instruction at RIP. 0; 1: the guest got a fault; -errno: none that we know. */
static int fetch(struct vcpu *vcpu)
{
	struct mmio_state *m = &vcpu->mmio;
	struct code_mode mode = vcpu_code_mode(vcpu);
	u64 rip = vmcs_read_guest_rip();

	m->bits = mode.bits;
	if (mode.bits != 64)
		rip = wrapped(m, rip + vmcs_read_guest_cs_base());
	if (!gva_fetch_again(vcpu, rip, mode.cpl, m->bytes))
		return fetch_slowly(vcpu, rip);
	m->n = INSN_MAX;
	return decode(m, rip);
}

static int emulate(struct vcpu *vcpu)
{
	struct mmio_state *m = &vcpu->mmio;
	const struct insn *insn;
	int ret;

	ret = fetch(vcpu);
	if (ret > 0)
		return EXIT_RESUME;	/* the guest got a fault */
	if (ret)
		return cannot(vcpu);
	insn = m->insn;
	vcpu->exit.insn_len = insn->len;
	if (nothing_left(vcpu, insn))
		return EXIT_SKIP;
	side_clear(&m->read);
	side_clear(&m->write);
	if (insn->reads &&
	    locate(vcpu, &m->read, read_address(vcpu, insn), insn->size, ACCESS_READ))
		return EXIT_RESUME;
	if (insn->writes &&
	    locate(vcpu, &m->write, write_address(vcpu, insn), insn->size, ACCESS_WRITE))
		return EXIT_RESUME;
	return carry_out(vcpu);
}

/**
 * mmio_exit - an access to a guest physical address without writable memory
 * @vcpu: attached, slots read-locked, after an EPT violation
 *
 * Context: sleeps. Return: verdict.
 */
int mmio_exit(struct vcpu *vcpu)
{
	vcpu->stats.mmio++;
	vcpu->exit.gva = vmcs_read_exit_gva();
	return emulate(vcpu);
}
