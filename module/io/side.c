// SPDX-License-Identifier: GPL-2.0
/*
 * A side of an instruction: the memory operand that it reads, or the one that it
 * writes. It is at most two pieces, as it may cross a page; each piece is memory, a
 * chip in the kernel, or the VMM's, which then gets an exit. What goes into memory
 * goes there first: if the host has no page for it, nothing else has happened yet.
 *
 * Called by emulate.c and pio.c, which know what the instruction does with the value.
 */
#include <linux/mm.h>

#include "../cpu/cpu.h"
#include "../mm/mm.h"
#include "../trace.h"
#include "decode.h"
#include "io.h"

/* Cut an operand at the page boundary, and translate. As side_locate(). */
static int side_cut(struct vcpu *vcpu, struct side *side, gva_t gva, int size, int bits,
		    unsigned int access, struct guest_fault *fault)
{
	int at = 0, ret;

	while (at < size) {
		struct side_piece *p = &side->piece[side->n];
		int len = min_t(int, size - at, PAGE_SIZE - offset_in_page(gva));

		*p = (struct side_piece) { .len = len, .at = at };
		ret = gva_to_gpa(vcpu, gva, access, &p->gpa, fault);
		if (ret)
			return ret;
		side->n++;
		at += len;
		gva = linear_wrap(bits, gva + len);
	}
	return 0;
}

/**
 * side_locate - find an operand, with all checks that the processor makes
 * @vcpu: loaded
 * @side: filled
 * @l: where it is
 * @size: 1, 2, 4 or 8
 * @access: ACCESS_READ or ACCESS_WRITE
 * @room: bytes that the segment allows from there on; or NULL
 *
 * Sets accessed and dirty flags in the guest's page tables.
 *
 * Context: sleeps. Return: 0; 1: the guest got a fault, or is to try again: EXIT_RESUME;
 * -EFAULT: the host's page of a table cannot be had.
 */
int side_locate(struct vcpu *vcpu, struct side *side, const struct logical *l, int size,
		unsigned int access, u64 *room)
{
	struct guest_fault fault;
	gva_t gva;
	int ret;

	side->n = side->done = 0;
	ret = logical_to_linear(vcpu, l, size, access, &gva, room, &fault);
	if (!ret)
		ret = side_cut(vcpu, side, gva, size, l->bits, access, &fault);
	if (ret > 0)
		gva_inject(vcpu, &fault);
	return ret;
}

/**
 * side_to_vmm - the exit that asks the VMM for an access
 * @vcpu: loaded; the caller sets vcpu->complete
 * @p: where, and how many bytes, at most 8
 * @write: direction
 * @data: the value to write, in its low bytes
 *
 * Return: EXIT_USER.
 */
int side_to_vmm(struct vcpu *vcpu, const struct side_piece *p, bool write, u64 data)
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

/* The value of a piece, from the VMM's answer or from here. */
static __always_inline void piece_read(struct side *side, u64 data)
{
	const struct side_piece *p = &side->piece[side->done++];

	trace_minikvm_mmio(false, p->gpa, p->len, data);
	side->value |= (data & insn_mask(p->len)) << (8 * p->at);
}

/* Memory first, if it may be some; then the chips. 0; -EOPNOTSUPP: the VMM's; -EFAULT. */
static noinline_for_stack int read_here(struct vcpu *vcpu, struct side *side)
{
	const struct side_piece *p = &side->piece[side->done];
	int ret = p->device ? -ENXIO : 0;
	u64 data = 0;

	if (!ret)
		ret = guest_read(vcpu, p->gpa, &data, p->len);
	if (ret == -ENXIO)
		ret = io_bus_mmio(vcpu, false, p->gpa, &data, p->len);
	if (!ret)
		piece_read(side, data);
	return ret;
}

/**
 * side_read - read an operand, as far as it goes without the VMM
 * @vcpu: loaded
 * @side: located; its value was 0 when this was called first
 * @answered: calls side_answer(), then as @again
 * @again: calls this again, then goes on with the instruction
 *
 * Context: sleeps. Return: EXIT_RESUME: @side->value is complete; EXIT_USER: the VMM is
 * asked, RUN continues with @answered; -EFAULT: the host's page cannot be had. What a device
 * has said by then is not asked again: RUN continues with @again.
 */
int side_read(struct vcpu *vcpu, struct side *side, int (*answered)(struct vcpu *vcpu),
	      int (*again)(struct vcpu *vcpu))
{
	while (side->done < side->n) {
		const struct side_piece *p = &side->piece[side->done];
		int ret = piece_is_vmms(vcpu, p) ? -EOPNOTSUPP : read_here(vcpu, side);

		if (ret == -EOPNOTSUPP) {
			vcpu->complete = answered;
			return side_to_vmm(vcpu, p, false, 0);
		}
		if (ret) {
			if (side->done)
				vcpu->complete = again;
			return ret;
		}
	}
	return EXIT_RESUME;
}

/** side_answer - the VMM has answered what side_read() asked; read once, and cut to size */
void side_answer(struct vcpu *vcpu, struct side *side)
{
	piece_read(side, READ_ONCE(*(u64 *)vcpu->run->mmio.data));
}

static u64 piece_value(const struct side *side, const struct side_piece *p)
{
	return side->value >> (8 * p->at);
}

/* 0; -EOPNOTSUPP: the VMM's; -EFAULT. */
static noinline_for_stack int write_here(struct vcpu *vcpu, const struct side_piece *p, u64 data)
{
	int ret = p->device ? -ENXIO : guest_write(vcpu, p->gpa, &data, p->len);

	return ret == -ENXIO ? io_bus_mmio(vcpu, true, p->gpa, &data, p->len) : ret;
}

/**
 * side_write_here - write what memory and the chips take of an operand
 * @vcpu: loaded
 * @side: located, with its value
 * @again: calls this again, then goes on with the instruction
 *
 * Context: sleeps. Return: 0: side_write_rest() has the rest; -EFAULT: the host's page
 * cannot be had. Nothing that a device said is lost: RUN continues with @again.
 */
int side_write_here(struct vcpu *vcpu, struct side *side, int (*again)(struct vcpu *vcpu))
{
	int i, ret;

	for (i = side->done; i < side->n; i++) {
		struct side_piece *p = &side->piece[i];
		u64 data = piece_value(side, p);

		if (p->written)
			continue;
		ret = piece_is_vmms(vcpu, p) ? -EOPNOTSUPP : write_here(vcpu, p, data);
		if (ret == -EOPNOTSUPP)
			continue;
		if (ret) {
			vcpu->complete = again;
			return ret;
		}
		p->written = true;
		trace_minikvm_mmio(true, p->gpa, p->len, data);
	}
	return 0;
}

/* The VMM has taken one piece; the instruction is over, but its other one may be left. */
static int next_piece(struct vcpu *vcpu)
{
	return side_write_rest(vcpu, &vcpu->emulate.write, EXIT_RESUME);
}

/* The next piece that must be an exit, or NULL. */
static __always_inline const struct side_piece *next_for_vmm(struct vcpu *vcpu, struct side *side)
{
	while (side->done < side->n) {
		const struct side_piece *p = &side->piece[side->done++];
		u64 data = piece_value(side, p);

		if (p->written)
			continue;
		trace_minikvm_mmio(true, p->gpa, p->len, data);
		if (!io_coalesces(vcpu, false, p->gpa, data, p->len))
			return p;
	}
	return NULL;
}

/**
 * side_write_rest - hand the VMM what side_write_here() has left of an operand
 * @vcpu: loaded; all its registers but RIP are as after the instruction
 * @side: &vcpu->emulate.write
 * @verdict: EXIT_SKIP or EXIT_RESUME, of the instruction
 *
 * The instruction is over when its write exits: who looks at the registers then finds
 * them behind it.
 *
 * Return: @verdict; or EXIT_USER_SKIP or EXIT_USER, and RUN continues here.
 */
int side_write_rest(struct vcpu *vcpu, struct side *side, int verdict)
{
	const struct side_piece *p = next_for_vmm(vcpu, side);

	if (!p)
		return verdict;
	side_to_vmm(vcpu, p, true, piece_value(side, p));
	vcpu->complete = side->done < side->n ? next_piece : NULL;
	return verdict == EXIT_SKIP ? EXIT_USER_SKIP : EXIT_USER;
}
