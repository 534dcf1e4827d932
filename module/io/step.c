// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions with a device operand that the decoder does not know. The processor itself
 * carries them out, on a page that stands in for the device's:
 *
 *	- the table (step_table.c) says which bytes are read and which are written;
 *	- what is read comes from the chips or the VMM into the page, at most 8 bytes at a time;
 *	- a handler's verdict EXIT_STEP has run/step.c enter the guest for one instruction,
 *	  with tables that map the page (mm/ept_private.c);
 *	- if it meets another device page, that one joins in, and the entry is repeated;
 *	- when the instruction is done, what it wrote goes out. RIP is behind it already.
 *
 * No byte of a device is read twice for one instruction, whatever interrupts it; and none of an
 * operand that the guest may not access.
 *
 * A read-only slot's page is stood in for by a copy of it: for writes to it, which are the
 * VMM's, and for what page walks and loads of segments want to set in their tables there
 * (accessed, dirty, busy), which is lost.
 * Left out: instructions that the table does not know, code and page tables on a device.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "../cpu/cpu.h"
#include "../mm/memslot.h"
#include "../trace.h"
#include "../vmx/vmx.h"
#include "io.h"
#include "operand.h"
#include "step.h"

/** step_free - the vCPU goes away */
void step_free(struct vcpu *vcpu)
{
	if (!vcpu->step)
		return;
	ept_private_free(&vcpu->step->ept);
	kfree(vcpu->step);
}

/* A new step, for which nothing is known. NULL: no memory. */
static struct step *step_new(struct vcpu *vcpu)
{
	struct step *step = vcpu->step;

	if (!step)
		step = vcpu->step = kzalloc(sizeof(*step), GFP_KERNEL_ACCOUNT);
	if (!step)
		return NULL;
	ept_private_clear(&step->ept);
	step->n = 0;
	step->device = false;
	return step;
}

/* ---- operands */

static gva_t step_linear(int bits, int seg, u64 offset)
{
	return logical_linear(&(struct logical) { .seg = seg, .bits = bits, .offset = offset });
}

static gva_t stack_address(int bits, u64 offset)
{
	if (bits != 64)
		offset = vmcs_read_guest_ss_access() & SEGMENT_AR_DB ? (u32)offset : (u16)offset;
	return step_linear(bits, SEG_SS, offset);
}

static u64 modrm_offset(struct vcpu *vcpu, const struct step_insn *s)
{
	return operand_offset(vcpu, &s->insn) + (s->insn.base == RSP ? s->sp_early : 0);
}

static gva_t step_address(struct vcpu *vcpu, int bits, const struct step_insn *s,
			  const struct step_operand *op)
{
	u64 mask = insn_mask(s->insn.addr_size);

	switch (op->at) {
	case AT_SI:
		return step_linear(bits, s->insn.seg, vcpu->regs[RSI] & mask);
	case AT_DI:
		return step_linear(bits, SEG_ES, vcpu->regs[RDI] & mask);
	case AT_XLAT:
		return step_linear(bits, s->insn.seg, (vcpu->regs[RBX] + (u8)vcpu->regs[RAX]) & mask);
	case AT_PUSH:
		return stack_address(bits, vcpu_reg(vcpu, RSP) - (s->sp_down ?: op->size));
	case AT_POP:
		return stack_address(bits, vcpu_reg(vcpu, RSP));
	case AT_FRAME:
		return stack_address(bits, vcpu->regs[RBP]);
	default:
		return step_linear(bits, s->insn.seg, modrm_offset(vcpu, s) & mask);
	}
}

/* An operand, cut at the page boundary. One without bytes is a piece, too. */
static void add_operand(struct step *step, int bits, gva_t gva, const struct step_operand *op)
{
	struct step_piece *first = &step->piece[step->n];
	gva_t begin = gva;
	int left = op->size, n;

	do {
		n = min_t(int, left, PAGE_SIZE - offset_in_page(gva));
		step->piece[step->n++] = (struct step_piece) {
			.gva = gva, .other = begin, .len = n, .access = op->access,
		};
		gva = linear_wrap(bits, gva + n);
		left -= n;
	} while (left);
	first->other = step->piece[step->n - 1].gva;
}

static void add_operands(struct vcpu *vcpu, const struct step_insn *s, int bits)
{
	int i;

	for (i = 0; i < STEP_OPERANDS && s->op[i].at; i++)
		add_operand(vcpu->step, bits, step_address(vcpu, bits, s, &s->op[i]), &s->op[i]);
}

/* ---- bytes of devices */

static int step_ask(struct vcpu *vcpu, const struct step_piece *piece, bool write,
	       int (*complete)(struct vcpu *vcpu))
{
	const struct side_piece access = {
		.gpa = piece->gpa + piece->done, .len = min(8, piece->len - piece->done),
	};
	u64 data = 0;

	if (write)
		memcpy(&data, piece->data + piece->done, access.len);
	vcpu->complete = complete;
	return side_to_vmm(vcpu, &access, write, data);
}

/* At most 8 bytes that a chip in the kernel answers, or the kernel takes. False: the VMM's. */
static bool chips_take(struct vcpu *vcpu, struct step_piece *piece, bool write)
{
	u8 *data = piece->data + piece->done;
	int n = min(8, piece->len - piece->done);
	u64 value = 0;

	memcpy(&value, data, n);
	trace_minikvm_mmio(write, piece->gpa + piece->done, n, value);
	if (io_bus_mmio(vcpu, write, piece->gpa + piece->done, data, n) &&
	    !(write && io_coalesces(vcpu, false, piece->gpa + piece->done, value, n)))
		return false;
	piece->done += n;
	return true;
}

/* The first piece of a device that has bytes to be read, or written. */
static struct step_piece *piece_left(struct step *step, u8 access)
{
	int i;

	for (i = 0; i < step->n; i++) {
		struct step_piece *p = &step->piece[i];

		if (p->data && (p->access & access) && p->done < p->len)
			return p;
	}
	return NULL;
}

static int step_answered(struct vcpu *vcpu);

/* Read what is known to be read. EXIT_STEP: all of it is there. */
static int step_fetch(struct vcpu *vcpu)
{
	struct step_piece *piece;

	while ((piece = piece_left(vcpu->step, STEP_READS)))
		if (!chips_take(vcpu, piece, false))
			return step_ask(vcpu, piece, false, step_answered);
	return EXIT_STEP;
}

/* The VMM has answered. */
static int step_answered(struct vcpu *vcpu)
{
	struct step_piece *piece = piece_left(vcpu->step, STEP_READS);
	int n = min(8, piece->len - piece->done);
	u64 data = READ_ONCE(*(u64 *)vcpu->run->mmio.data);

	trace_minikvm_mmio(false, piece->gpa + piece->done, n, data);
	memcpy(piece->data + piece->done, &data, n);
	piece->done += n;
	return step_fetch(vcpu);
}

static int step_sent(struct vcpu *vcpu);

/* Send what was written. EXIT_RESUME: all of it is out. */
static int step_send(struct vcpu *vcpu)
{
	struct step_piece *piece;

	while ((piece = piece_left(vcpu->step, STEP_WRITES)))
		if (!chips_take(vcpu, piece, true))
			return step_ask(vcpu, piece, true, step_sent);
	return EXIT_RESUME;
}

static int step_sent(struct vcpu *vcpu)
{
	struct step_piece *piece = piece_left(vcpu->step, STEP_WRITES);

	piece->done += min(8, piece->len - piece->done);
	return step_send(vcpu);
}

/* ---- pages */

/* Was this piece what the processor stopped at first, or is it in the frame of @gpa? */
static bool is_in_page(struct vcpu *vcpu, const struct step_piece *piece, gpa_t gpa, bool walk)
{
	struct guest_fault fault;
	gpa_t other;

	if (!walk && !((piece->gva ^ vcpu->emulate.gva) & PAGE_MASK))
		return true;
	/* An operand that faults is none yet: the processor will say so. */
	return !gva_to_gpa(vcpu, piece->gva, ACCESS_READ, &other, &fault) &&
	       !((other ^ gpa) & PAGE_MASK);
}

/*
 * The whole of an operand, before a device hears of it. The processor may have come to one part
 * only, and of one that it will write, only to the read. As gva_to_gpa(), and the fault is injected.
 */
static int check_operand(struct vcpu *vcpu, const struct step_piece *p)
{
	unsigned int access = p->access & STEP_WRITES ? ACCESS_WRITE : ACCESS_READ;
	struct guest_fault fault;
	gpa_t gpa;
	int ret = gva_to_gpa(vcpu, p->gva, access, &gpa, &fault) ?:
		  gva_to_gpa(vcpu, p->other, access, &gpa, &fault);

	if (ret > 0)
		gva_inject(vcpu, &fault);
	return ret;
}

/*
 * Find the operands in a page that has come into play. A page that is only read is mapped
 * so: a write that the table does not know of is noticed. -EOPNOTSUPP: none is there; or as
 * check_operand().
 */
static int place_operands(struct vcpu *vcpu, struct private_page *page, gpa_t gpa, bool walk,
			  bool rom)
{
	struct step *step = vcpu->step;
	int i, ret = -EOPNOTSUPP;

	for (i = 0; i < step->n; i++) {
		struct step_piece *p = &step->piece[i];

		if (p->data || !is_in_page(vcpu, p, gpa, walk))
			continue;
		p->data = page->data + offset_in_page(p->gva);
		p->gpa = (gpa & PAGE_MASK) | offset_in_page(p->gva);
		if (rom)
			p->done = p->len;	/* the copy has it */
		if (p->access & STEP_WRITES)
			page->rights |= EPT_WRITE;
		ret = check_operand(vcpu, p);
		if (ret)
			break;
	}
	return ret;
}

static bool in_table(gva_t gva, u64 base, u32 limit)
{
	return gva - base <= limit;
}

/*
 * Did the processor stop at a segment descriptor? To load it counts as a write if it gets
 * accessed or busy. SDM "Segment Descriptors", "TSS Descriptor".
 */
static bool stopped_at_descriptor(struct vcpu *vcpu)
{
	gva_t gva = vmcs_read_exit_gva();

	if (!(vcpu_cr0(vcpu) & X86_CR0_PE))	/* the tables' registers are there, but not used */
		return false;
	return in_table(gva, vmcs_read_guest_gdtr_base(), vmcs_read_guest_gdtr_limit()) ||
	       in_table(gva, vmx_segment_base(SEG_LDTR), vmx_segment_limit(SEG_LDTR));
}

/*
 * The page that the processor stopped at joins in. 0; EXIT_RESUME: the guest got a fault;
 * -EOPNOTSUPP: not a known operand, nor a @walk through tables in a read-only slot; -EFAULT,
 * -ENOMEM.
 */
static int add_page(struct vcpu *vcpu, bool walk)
{
	struct step *step = vcpu->step;
	gpa_t gpa = vcpu->exit.gpa;
	bool rom = memslot_find(READ_ONCE(vcpu->vm->slots), gpa >> PAGE_SHIFT);
	struct private_page *page;
	int ret;

	if ((walk && !rom) || gpa >> vcpu->vm->gpa_bits ||	/* beyond what tables map */
	    ept_private_find(&step->ept, gpa >> PAGE_SHIFT) ||
	    step->ept.n == EPT_COPY_FRAMES)
		return -EOPNOTSUPP;
	page = ept_private_add(&step->ept, gpa >> PAGE_SHIFT);
	if (!page)
		return -ENOMEM;
	page->rights = EPT_READ | (rom ? EPT_EXEC : 0) | (walk ? EPT_WRITE : 0);
	if (rom && guest_read(vcpu, gpa & PAGE_MASK, page->data, PAGE_SIZE)) {
		ept_private_drop(&step->ept);
		return -EFAULT;
	}
	ret = place_operands(vcpu, page, gpa, walk, rom);
	return ret == -EOPNOTSUPP && walk ? 0 : ret;
}

static int step_refuse(struct vcpu *vcpu)
{
	return report_insn(vcpu, vcpu->emulate.bytes, vcpu->emulate.n);
}

/* A page has joined in, or why not. Verdict. */
static int step_joined(struct vcpu *vcpu, int ret)
{
	if (ret == -EOPNOTSUPP)
		return step_refuse(vcpu);
	return ret ?: step_fetch(vcpu);
}

/* Neither an operand nor a walk: then it is a descriptor in a read-only slot, or refused. */
static int step_descriptor(struct vcpu *vcpu)
{
	if (!stopped_at_descriptor(vcpu))
		return step_refuse(vcpu);
	if (!step_new(vcpu))
		return -ENOMEM;
	return step_joined(vcpu, add_page(vcpu, true));
}

/**
 * step_begin - have the processor carry out the instruction that emulate.c has fetched
 * @vcpu: loaded, slots read-locked, after an EPT violation of an access to a device
 *
 * Context: sleeps. Return: verdict.
 */
int step_begin(struct vcpu *vcpu)
{
	const struct emulate_state *e = &vcpu->emulate;
	struct step_insn s;
	int ret;

	if (READ_ONCE(vcpu->vm->emulation_exits))
		return step_refuse(vcpu);
	if (step_decode((const u8 *)e->bytes, e->n, e->bits, &s) ||
	    (s.needs_mtf && !vmx_step_is_exact()))
		return step_descriptor(vcpu);
	if (!step_new(vcpu))
		return -ENOMEM;
	vcpu->step->device = true;
	add_operands(vcpu, &s, e->bits);
	ret = add_page(vcpu, false);
	return ret == -EOPNOTSUPP ? step_descriptor(vcpu) : step_joined(vcpu, ret);
}

/**
 * step_walk - a page walk that counts as a write to a read-only slot
 * @vcpu: loaded, slots read-locked, after an EPT violation of a page walk
 * @join: in an entry of run/step.c; else a new one is needed
 *
 * SDM "Accessed and Dirty Flags for EPT": with them, walks are writes. The instruction runs
 * alone, on a copy. Context: sleeps. Return: verdict.
 */
int step_walk(struct vcpu *vcpu, bool join)
{
	if (!join) {
		vcpu->emulate.n = 0;	/* nobody has fetched it */
		if (!step_new(vcpu))
			return -ENOMEM;
	}
	return step_joined(vcpu, add_page(vcpu, true));
}

/**
 * step_more - the instruction on its way met another page of a device
 * @vcpu: loaded, slots read-locked, after an EPT violation of an entry of run/step.c
 *
 * Context: sleeps. Return: verdict.
 */
int step_more(struct vcpu *vcpu)
{
	int ret = add_page(vcpu, stopped_at_descriptor(vcpu));

	/* A table may reach, by its limit, over what is a device. */
	if (ret == -EOPNOTSUPP)
		ret = add_page(vcpu, false);
	return step_joined(vcpu, ret);
}

/**
 * step_done - the processor is through with the instruction
 * @vcpu: loaded
 *
 * Context: sleeps. Return: verdict.
 */
int step_done(struct vcpu *vcpu)
{
	struct step *step = vcpu->step;
	int i;

	for (i = 0; i < step->n; i++)
		step->piece[i].done = 0;
	return step_send(vcpu);
}
