// SPDX-License-Identifier: GPL-2.0
/*
 * An instruction that accesses a device: fetch it, decode it, carry it out.
 *
 * An instruction has a side that is read, a side that is written, or both. Each
 * side is at most two pieces, as it may cross a page; each piece is memory, a
 * chip in the kernel, or the VMM's, which then gets an exit. When the VMM comes
 * back, mmio_go_on() continues where it stopped. Registers change last.
 */
#include <linux/mm.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "../trace.h"
#include "../mm/memslot.h"
#include "../vmx/vmx.h"
#include "../minikvm.h"

#define FLAGS_ALU (X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | \
		   X86_EFLAGS_SF | X86_EFLAGS_OF)

static u64 size_mask(int size)
{
	return size == 8 ? ~0ull : (1ull << (8 * size)) - 1;
}

static u64 sign_extend(u64 value, int size)
{
	int shift = 64 - 8 * size;

	return (u64)((s64)(value << shift) >> shift);
}

/* ---- registers */

static u64 get_reg(struct vcpu *vcpu, const struct insn *insn)
{
	u64 value = vcpu_reg(vcpu, insn->reg);

	return (insn->reg_high ? value >> 8 : value) & size_mask(insn->reg_size);
}

/* 32-bit results clear the upper half, 8- and 16-bit ones keep the rest. */
static void put_reg(struct vcpu *vcpu, int reg, bool high, int size, u64 value)
{
	u64 old = vcpu_reg(vcpu, reg), mask = size_mask(size);

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
	return insn->imm & size_mask(insn->size);
}

/* ---- arithmetic. SDM "EFLAGS Cross-Reference and Condition Codes" */

static u64 flags_of(u64 result, int size)
{
	u64 flags = 0;

	result &= size_mask(size);
	if (!(hweight8(result) & 1))
		flags |= X86_EFLAGS_PF;
	if (!result)
		flags |= X86_EFLAGS_ZF;
	if (result >> (8 * size - 1))
		flags |= X86_EFLAGS_SF;
	return flags;
}

/* a + b + carry; carry out of each bit tells all flags. */
static u64 add(u64 a, u64 b, u64 carry, int size, u64 *flags)
{
	u64 r = a + b + carry, top = 1ull << (8 * size - 1);
	u64 out = (a & b) | ((a | b) & ~r);

	*flags = flags_of(r, size) | (out & top ? X86_EFLAGS_CF : 0) |
		 (out & 8 ? X86_EFLAGS_AF : 0) |
		 ((a ^ r) & (b ^ r) & top ? X86_EFLAGS_OF : 0);
	return r;
}

static u64 sub(u64 a, u64 b, u64 borrow, int size, u64 *flags)
{
	u64 r = a - b - borrow, top = 1ull << (8 * size - 1);
	u64 out = (~a & b) | ((~a | b) & r);

	*flags = flags_of(r, size) | (out & top ? X86_EFLAGS_CF : 0) |
		 (out & 8 ? X86_EFLAGS_AF : 0) |
		 ((a ^ b) & (a ^ r) & top ? X86_EFLAGS_OF : 0);
	return r;
}

static u64 logic(u64 r, int size, u64 *flags)
{
	*flags = flags_of(r, size);
	return r;
}

static void set_flags(u64 mask, u64 flags)
{
	vmcs_write_guest_rflags((vmcs_read_guest_rflags() & ~mask) | (flags & mask));
}

/* One of the eight operations that opcodes 00 to 3F encode. */
static u64 alu(u8 op, u64 a, u64 b, int size)
{
	u64 carry = vmcs_read_guest_rflags() & X86_EFLAGS_CF ? 1 : 0, flags, r;

	switch (op) {
	case OP_ADD:
		r = add(a, b, 0, size, &flags);
		break;
	case OP_ADC:
		r = add(a, b, carry, size, &flags);
		break;
	case OP_SBB:
		r = sub(a, b, carry, size, &flags);
		break;
	case OP_SUB:
	case OP_CMP:
		r = sub(a, b, 0, size, &flags);
		break;
	case OP_OR:
		r = logic(a | b, size, &flags);
		break;
	case OP_XOR:
		r = logic(a ^ b, size, &flags);
		break;
	default:
		r = logic(a & b, size, &flags);
	}
	set_flags(FLAGS_ALU, flags);
	return r;
}

static u64 inc_dec(u8 op, u64 a, int size)
{
	u64 flags, r;

	r = op == OP_INC ? add(a, 1, 0, size, &flags) : sub(a, 1, 0, size, &flags);
	set_flags(FLAGS_ALU & ~X86_EFLAGS_CF, flags);
	return r;
}

static u64 bit_op(u8 op, u64 a, u64 b, int size)
{
	u64 bit = 1ull << (b & (8 * size - 1));

	set_flags(X86_EFLAGS_CF, a & bit ? X86_EFLAGS_CF : 0);
	switch (op) {
	case OP_BTS:
		return a | bit;
	case OP_BTR:
		return a & ~bit;
	case OP_BTC:
		return a ^ bit;
	default:
		return a;
	}
}

static u64 swap_bytes(u64 value, int size)
{
	return size == 8 ? swab64(value) : size == 4 ? swab32(value) : swab16(value);
}

/* ---- which sides an instruction has */

static bool only_compares(const struct insn *insn)
{
	return insn->op == OP_CMP || insn->op == OP_TEST || insn->op == OP_BT;
}

static bool reads_memory(const struct insn *insn)
{
	return !(insn->to_mem && (insn->op == OP_MOV || insn->op == OP_MOVBE));
}

static bool writes_memory(const struct insn *insn)
{
	return insn->to_mem && !only_compares(insn);
}

/* ---- addresses */

static u64 address_mask(const struct insn *insn)
{
	return size_mask(insn->addr_size);
}

static u64 linear(struct vcpu *vcpu, const struct insn *insn, int seg, u64 offset)
{
	bool is_64 = vcpu->mmio.bits == 64, flat = is_64 && seg != SEG_FS && seg != SEG_GS;
	u64 addr = (offset & address_mask(insn)) + (flat ? 0 : vmx_segment_base(seg));

	return is_64 ? addr : (u32)addr;
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
		offset += vcpu_reg(vcpu, insn->base);
	if (insn->index != INSN_NO_REG)
		offset += vcpu_reg(vcpu, insn->index) << insn->scale;
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

/* A piece's address: the processor has translated it, if this is the access that exited. */
static int translate(struct vcpu *vcpu, u64 gva, unsigned int access, struct mmio_piece *piece,
		     struct guest_fault *fault)
{
	const struct vmexit *exit = &vcpu->exit;
	bool wrote = exit->qualification & EPT_QUAL_WRITE;

	/* A write that exited may be one to memory that can be read. */
	piece->device = gva == exit->gva && wrote == (access == ACCESS_WRITE);
	if (gva != exit->gva || (access == ACCESS_WRITE && !wrote))
		return gva_to_gpa(vcpu, gva, access, &piece->gpa, fault);
	piece->gpa = exit->gpa;
	return 0;
}

/* Cut a side at the page boundary, and translate. 0, or 1: the guest's fault was raised. */
static int locate(struct vcpu *vcpu, struct mmio_side *side, u64 gva, int size, unsigned int access)
{
	struct guest_fault fault;
	int n;

	*side = (struct mmio_side) { };
	while (size) {
		n = min_t(int, size, PAGE_SIZE - offset_in_page(gva));
		if (translate(vcpu, gva, access, &side->piece[side->n], &fault)) {
			gva_inject(vcpu, &fault);
			return 1;
		}
		side->piece[side->n++].len = n;
		gva += n;
		size -= n;
	}
	return 0;
}

/* ---- the access itself */

static int mmio_go_on(struct vcpu *vcpu);

static int to_vmm(struct vcpu *vcpu, const struct mmio_piece *p, bool write, u64 data)
{
	struct minikvm_run *run = vcpu->run;

	run->exit_reason = MINIKVM_EXIT_MMIO;
	run->mmio.phys_addr = p->gpa;
	run->mmio.len = p->len;
	run->mmio.is_write = write;
	memset(run->mmio.data, 0, sizeof(run->mmio.data));
	if (write)
		memcpy(run->mmio.data, &data, p->len);
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

	side->value |= (data & size_mask(len)) << (8 * side->bytes);
	piece_done(side);
}

/* EXIT_RESUME: the whole side is read. */
static int read_side(struct vcpu *vcpu, struct mmio_side *side)
{
	while (side->done < side->n) {
		const struct mmio_piece *p = &side->piece[side->done];
		u64 data = 0;

		if ((p->device || guest_read(vcpu, p->gpa, &data, p->len)) &&
		    io_bus_mmio(vcpu, false, p->gpa, &data, p->len))
			return to_vmm(vcpu, p, false, 0);
		trace_minikvm_mmio(false, p->gpa, p->len, data);
		piece_read(side, data);
	}
	return EXIT_RESUME;
}

static int write_side(struct vcpu *vcpu, struct mmio_side *side)
{
	while (side->done < side->n) {
		const struct mmio_piece *p = &side->piece[side->done];
		u64 data = side->value >> (8 * side->bytes);

		trace_minikvm_mmio(true, p->gpa, p->len, data);
		if ((p->device || guest_write(vcpu, p->gpa, &data, p->len)) &&
		    io_bus_mmio(vcpu, true, p->gpa, &data, p->len))
			return to_vmm(vcpu, p, true, data);
		piece_done(side);
	}
	return EXIT_RESUME;
}

/* ---- results */

/* The value to write, and the flags. @a is what was read. */
static u64 compute(struct vcpu *vcpu, const struct insn *insn, u64 a)
{
	u64 b = other_operand(vcpu, insn), flags;

	switch (insn->op) {
	case OP_MOV:
		return b;
	case OP_MOVBE:
		return swap_bytes(b, insn->size);
	case OP_NOT:
		return ~a;
	case OP_NEG:
		a = sub(0, a, 0, insn->size, &flags);
		set_flags(FLAGS_ALU, flags);
		return a;
	case OP_INC:
	case OP_DEC:
		return inc_dec(insn->op, a, insn->size);
	case OP_TEST:
		return alu(OP_AND, a, b, insn->size);
	case OP_XCHG:
		return b;
	case OP_XADD:
		return alu(OP_ADD, a, b, insn->size);
	case OP_CMPXCHG:
		alu(OP_CMP, vcpu->regs[RAX] & size_mask(insn->size), a, insn->size);
		return vmcs_read_guest_rflags() & X86_EFLAGS_ZF ? b : a;
	case OP_BT:
	case OP_BTS:
	case OP_BTR:
	case OP_BTC:
		return bit_op(insn->op, a, b, insn->size);
	case OP_MOVS:
		return a;
	default:
		return alu(insn->op, a, b, insn->size);
	}
}

/* What goes into a register when memory was the source, or was exchanged. */
static void load_register(struct vcpu *vcpu, const struct insn *insn, u64 a)
{
	u64 value;

	switch (insn->op) {
	case OP_MOV:
	case OP_MOVZX:
		value = a;
		break;
	case OP_MOVSX:
		value = sign_extend(a, insn->size);
		break;
	case OP_MOVBE:
		value = swap_bytes(a, insn->size);
		break;
	default:
		value = alu(insn->op, get_reg(vcpu, insn), a, insn->size);
		if (only_compares(insn))
			return;
	}
	put_reg(vcpu, insn->reg, insn->reg_high, insn->reg_size, value);
}

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
	if (reads_memory(insn))
		advance(vcpu, insn, RSI, step);
	if (writes_memory(insn))
		advance(vcpu, insn, RDI, step);
	if (!insn->rep)
		return EXIT_SKIP;
	advance(vcpu, insn, RCX, -1);
	return vcpu->regs[RCX] & address_mask(insn) ? EXIT_RESUME : EXIT_SKIP;
}

static int finish(struct vcpu *vcpu)
{
	const struct insn *insn = &vcpu->mmio.insn;
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

	if (m->read.done < m->read.n || (m->insn.to_mem && !m->write.done)) {
		ret = read_side(vcpu, &m->read);
		if (ret == EXIT_USER)
			goto wait;
		if (m->insn.to_mem)
			m->write.value = compute(vcpu, &m->insn, m->read.value);
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
	u64 data = 0;

	if (m->read.done < m->read.n) {
		memcpy(&data, vcpu->run->mmio.data, m->read.piece[m->read.done].len);
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
static int cannot(struct vcpu *vcpu, const u8 *bytes, int n)
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
	run->emulation_failure.insn_size = n;
	memset(run->emulation_failure.insn_bytes, 0x90, INSN_MAX);
	memcpy(run->emulation_failure.insn_bytes, bytes, n);
	return EXIT_USER;
}

/* Bytes that were decoded lately need not be decoded again. */
static int decode(struct vcpu *vcpu, u64 rip, const u64 bytes[2], int n)
{
	struct mmio_state *m = &vcpu->mmio;
	struct mmio_decoded *d = &m->decoded[rip / 4 % MMIO_DECODED];
	int err;

	if (d->insn.len && d->bytes[0] == bytes[0] && d->bytes[1] == bytes[1] &&
	    d->bits == m->bits && d->insn.len <= n) {
		m->insn = d->insn;
		return 0;
	}
	err = insn_decode((const u8 *)bytes, n, m->bits, &m->insn);
	if (!err)
		*d = (struct mmio_decoded) { { bytes[0], bytes[1] }, m->bits, m->insn };
	return err;
}

/* The instruction at RIP; the next page is read only if it goes on there. */
static int fetch(struct vcpu *vcpu, u64 bytes[2], int *n)
{
	int bits = vcpu->mmio.bits = vcpu_code_bits(vcpu), ret;
	u64 rip = vmcs_read_guest_rip() + (bits == 64 ? 0 : vmcs_read_guest_cs_base());
	struct guest_fault fault;

	if (bits != 64)
		rip = (u32)rip;
	*n = min_t(int, INSN_ROOM, PAGE_SIZE - offset_in_page(rip));
	ret = gva_read(vcpu, rip, bytes, *n, ACCESS_FETCH, &fault);
	if (!ret) {
		ret = decode(vcpu, rip, bytes, min(*n, INSN_MAX));
		if (ret != INSN_MORE || *n >= INSN_MAX)
			return ret;
		ret = gva_read(vcpu, rip + *n, (u8 *)bytes + *n, INSN_MAX - *n, ACCESS_FETCH,
			       &fault);
		if (!ret) {
			*n = INSN_MAX;
			return decode(vcpu, rip, bytes, *n);
		}
	}
	if (ret > 0)
		gva_inject(vcpu, &fault);
	return ret;
}

static int emulate(struct vcpu *vcpu)
{
	struct mmio_state *m = &vcpu->mmio;
	const struct insn *insn = &m->insn;
	u64 bytes[INSN_ROOM / sizeof(u64)] = { };
	int n, ret;

	ret = fetch(vcpu, bytes, &n);
	if (ret > 0)
		return EXIT_RESUME;	/* the guest got a fault */
	if (ret)
		return cannot(vcpu, (const u8 *)bytes, ret == -EFAULT ? 0 : min(n, INSN_MAX));
	vcpu->exit.insn_len = insn->len;
	if (nothing_left(vcpu, insn))
		return EXIT_SKIP;
	m->read = m->write = (struct mmio_side) { };
	if (reads_memory(insn) &&
	    locate(vcpu, &m->read, read_address(vcpu, insn), insn->size, ACCESS_READ))
		return EXIT_RESUME;
	if (writes_memory(insn) &&
	    locate(vcpu, &m->write, write_address(vcpu, insn), insn->size, ACCESS_WRITE))
		return EXIT_RESUME;
	return carry_out(vcpu);
}

/**
 * mmio_exit - an access to a guest physical address without writable memory
 * @vcpu: attached
 * @exit: of an EPT violation, with its addresses and their translation
 *
 * Context: sleeps. Return: verdict.
 */
int mmio_exit(struct vcpu *vcpu, const struct vmexit *exit)
{
	int verdict;

	vcpu->stats.mmio++;
	slots_read_lock(vcpu);	/* once for the many reads of a page walk */
	verdict = emulate(vcpu);
	slots_read_unlock(vcpu);
	return verdict;
}
