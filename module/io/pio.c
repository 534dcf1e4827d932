// SPDX-License-Identifier: GPL-2.0
/*
 * Port I/O: IN, OUT, INS and OUTS. The processor says all there is to know about
 * the access (SDM "Exit Qualification for I/O Instructions"), so nothing is
 * decoded. Chips in the kernel answer at once; the rest exits to the VMM, and
 * pio_complete() finishes the instruction when it runs the vCPU again. The memory
 * operand of a string form may be anything that side.c knows, a device included.
 */
#include <linux/mm.h>
#include <asm/processor-flags.h>

#include "../cpu/cpu.h"
#include "../irqchip/irqchip.h"
#include "../mm/mm.h"
#include "../trace.h"
#include "../vmx/vmx.h"
#include "io.h"
#include "string.h"

#define QUAL_SIZE(q)	(((q) & 7) + 1)
#define QUAL_IN		BIT(3)
#define QUAL_STRING	BIT(4)
#define QUAL_REP	BIT(5)
#define QUAL_PORT(q)	((q) >> 16 & 0xffff)

/* SDM "VM-Exit Instruction-Information Field for INS and OUTS": size in bytes, SEG_* of OUTS */
#define INFO_ADDR_SIZE(info)	(2 << ((info) >> 7 & 7))
#define INFO_SEGMENT(info)	((info) >> 15 & 7)

#define PORT_TPR_PATCH	0x7e

static void set_rax(struct vcpu *vcpu, u32 value)
{
	vcpu->regs[RAX] = insn_merge(vcpu->regs[RAX], value, vcpu->pio.size);
}

/* To the VMM; @vcpu->complete is to follow. */
static int to_vmm(struct vcpu *vcpu, u32 value)
{
	struct minikvm_run *run = vcpu->run;
	struct pio_state *pio = &vcpu->pio;

	if (pio->count > 1)
		memset(vcpu->pio_data, 0, pio->size * pio->count);
	else
		*(u32 *)vcpu->pio_data = value;
	run->exit_reason = MINIKVM_EXIT_IO;
	run->io.direction = pio->in ? MINIKVM_EXIT_IO_IN : MINIKVM_EXIT_IO_OUT;
	run->io.size = pio->size;
	run->io.port = pio->port;
	run->io.count = pio->count;
	run->io.data_offset = MINIKVM_PIO_PAGE_OFFSET * PAGE_SIZE;
	return EXIT_USER;
}

/* The VMM has answered an IN, or taken an OUT. */
static int pio_complete(struct vcpu *vcpu)
{
	if (vcpu->pio.in)
		set_rax(vcpu, READ_ONCE(*(u32 *)vcpu->pio_data));
	return EXIT_SKIP;
}

/* Bytes beyond the size of an access are none of the VMM's business. */
static u32 pio_output(const struct vcpu *vcpu)
{
	u32 value = vcpu->regs[RAX];

	if (vcpu->pio.in)
		return 0;
	return vcpu->pio.size == 1 ? (u8)value : vcpu->pio.size == 2 ? (u16)value : value;
}

/* Do the chips answer? Then the value of an IN is in RAX. */
static noinline_for_stack bool chips_answer(struct vcpu *vcpu)
{
	struct pio_state *pio = &vcpu->pio;
	u32 value = pio_output(vcpu);

	if (io_bus_pio(vcpu, !pio->in, pio->port, &value, pio->size))
		return false;
	if (pio->in)
		set_rax(vcpu, value);
	return true;
}

static bool pio_is_coalesced(struct vcpu *vcpu, u32 value)
{
	const struct pio_state *pio = &vcpu->pio;

	return !pio->in && io_coalesces(vcpu, true, pio->port, value, pio->size);
}

static int pio_simple(struct vcpu *vcpu)
{
	if ((vm_has_ports(vcpu->vm) || vm_has_ioeventfds(vcpu->vm)) && chips_answer(vcpu))
		return EXIT_SKIP;
	if (pio_is_coalesced(vcpu, pio_output(vcpu)))
		return EXIT_SKIP;
	to_vmm(vcpu, pio_output(vcpu));
	/* As KVM always did: who patches accesses to the TPR looks at RIP. */
	if (unlikely(vcpu->pio.port == PORT_TPR_PATCH) && !vcpu->pio.in &&
	    vm_has_quirk(vcpu->vm, MINIKVM_X86_QUIRK_OUT_7E_INC_RIP))
		return EXIT_USER_SKIP;
	vcpu->complete = pio_complete;
	return EXIT_USER;
}

/* ---- strings */

/* The form of INS, or of OUTS. */
static struct string_form pio_string_form(const struct pio_state *pio, u64 qualification, u32 info,
					  int bits)
{
	int seg = INFO_SEGMENT(info);

	/* 64-bit mode ignores the prefixes of the others. */
	if (bits == 64 && seg != SEG_FS && seg != SEG_GS)
		seg = SEG_DS;
	return (struct string_form) {
		.size = pio->size, .addr_size = INFO_ADDR_SIZE(info), .seg = seg,
		.rep = qualification & QUAL_REP, .reads = !pio->in, .writes = pio->in,
	};
}

/* Values are done: move the registers, and RIP if none is left. */
static int values_done(struct vcpu *vcpu, u32 count)
{
	const struct pio_state *pio = &vcpu->pio;

	/* The rest of a batch is here. */
	return string_done(vcpu, &pio->string, count, pio->done + count < pio->count);
}

static int outs_answered(struct vcpu *vcpu);

/* Read the value, then send it: when the VMM hears of it the iteration is over, as with KVM. */
static int pio_outs(struct vcpu *vcpu)
{
	struct side *from = &vcpu->emulate.read;
	int ret = side_read(vcpu, from, outs_answered, pio_outs);
	u32 value = from->value;

	if (ret != EXIT_RESUME)
		return ret;
	if (!string_left(vcpu, &vcpu->pio.string))
		return EXIT_SKIP;	/* the VMM has changed RCX meanwhile */
	if (!io_bus_pio(vcpu, true, vcpu->pio.port, &value, vcpu->pio.size) ||
	    pio_is_coalesced(vcpu, value))
		return values_done(vcpu, 1);
	to_vmm(vcpu, value);
	return values_done(vcpu, 1) == EXIT_SKIP ? EXIT_USER_SKIP : EXIT_USER;
}

static int outs_answered(struct vcpu *vcpu)
{
	side_answer(vcpu, &vcpu->emulate.read);
	return pio_outs(vcpu);
}

static u32 value_at(const struct vcpu *vcpu, u32 i)
{
	const void *p = vcpu->pio_data + i * vcpu->pio.size;

	switch (vcpu->pio.size) {
	case 1:
		return READ_ONCE(*(const u8 *)p);
	case 2:
		return READ_ONCE(*(const u16 *)p);
	default:
		return READ_ONCE(*(const u32 *)p);
	}
}

static int ins_store(struct vcpu *vcpu);

/* The next value goes to memory, to a chip, or to the VMM, which then gets an exit. Verdict. */
static int store_one(struct vcpu *vcpu)
{
	struct side *to = &vcpu->emulate.write;
	struct pio_state *pio = &vcpu->pio;
	int ret;

	to->value = value_at(vcpu, pio->done);
	ret = side_write_here(vcpu, to, ins_store);
	if (ret)
		return ret;
	ret = side_write_rest(vcpu, to, values_done(vcpu, 1));
	if (++pio->done == pio->count)
		return ret;
	/* Of a batch: its values are in one page. */
	to->piece[0].gpa += pio->size;
	to->piece[0].written = false;
	to->done = 0;
	if (ret == EXIT_USER)
		vcpu->complete = ins_store;
	return ret;
}

/* Several values at once, if they go to memory. 0; -ENXIO: they do not; -EFAULT. */
static int store_many(struct vcpu *vcpu, u32 count)
{
	const struct pio_state *pio = &vcpu->pio;

	return guest_write(vcpu, vcpu->emulate.write.piece[0].gpa,
			   vcpu->pio_data + pio->done * pio->size, count * pio->size);
}

/* The values of a string input, from the VMM or a chip, go into guest memory. Verdict. */
static int ins_store(struct vcpu *vcpu)
{
	struct pio_state *pio = &vcpu->pio;
	/* The VMM may have changed RCX meanwhile. */
	u32 count = min_t(u64, pio->count - pio->done, string_left(vcpu, &pio->string));
	int ret = -ENXIO;

	if (!count)
		return EXIT_SKIP;
	if (count > 1)
		ret = store_many(vcpu, count);
	if (!ret)
		return values_done(vcpu, count);
	if (ret != -ENXIO) {
		vcpu->complete = ins_store;	/* nothing that was read is lost */
		return ret;
	}
	do
		ret = store_one(vcpu);
	while (ret == EXIT_RESUME && pio->done < pio->count);
	return ret;
}

/*
 * How many values one exit may bring: to the end of the page, of the segment, and of what
 * the address size can count. Only upwards, and one at a time for a guest that steps.
 */
static u32 ins_batch(struct vcpu *vcpu, u64 segment_room)
{
	const struct side *to = &vcpu->emulate.write;
	const struct pio_state *pio = &vcpu->pio;
	u64 offset = string_reg(vcpu, &pio->string, RDI), n;

	if (to->n != 1 || (vmcs_read_guest_rflags() & (X86_EFLAGS_DF | X86_EFLAGS_TF)))
		return 1;
	n = (PAGE_SIZE - offset_in_page(to->piece[0].gpa)) / pio->size;
	n = min(n, segment_room / pio->size);
	n = min(n, (insn_mask(pio->string.addr_size) - offset) / pio->size + 1);
	return min(n, string_left(vcpu, &pio->string));
}

/* The guest's faults come before the port is read. */
static int pio_ins(struct vcpu *vcpu, u64 segment_room)
{
	struct pio_state *pio = &vcpu->pio;
	u32 value = 0;

	if (!io_bus_pio(vcpu, false, pio->port, &value, pio->size)) {
		*(u32 *)vcpu->pio_data = value;
		return ins_store(vcpu);
	}
	pio->count = ins_batch(vcpu, segment_room);
	vcpu->complete = ins_store;
	return to_vmm(vcpu, 0);
}

static noinline_for_stack int pio_string(struct vcpu *vcpu, u64 qualification)
{
	struct emulate_state *e = &vcpu->emulate;
	struct pio_state *pio = &vcpu->pio;
	int bits = vcpu_code_bits(vcpu), ret;
	struct logical l;
	u64 room;

	/* No other port access needs the instruction information. */
	pio->string = pio_string_form(pio, qualification, vmcs_read_exit_insn_info(), bits);
	pio->done = 0;
	if (!string_left(vcpu, &pio->string))
		return EXIT_SKIP;
	l = pio->in ? string_dest(vcpu, &pio->string, bits) : string_source(vcpu, &pio->string, bits);
	e->read.value = 0;
	ret = side_locate(vcpu, pio->in ? &e->write : &e->read, &l, pio->size,
			  pio->in ? ACCESS_WRITE : ACCESS_READ, &room);
	if (ret)
		return ret > 0 ? EXIT_RESUME : ret;
	return pio->in ? pio_ins(vcpu, room) : pio_outs(vcpu);
}

/**
 * pio_exit - an exit of IN, OUT, INS or OUTS
 * @vcpu: loaded
 * @exit: with its qualification
 *
 * A REP form goes on by executing the instruction again.
 * Context: sleeps. Return: verdict.
 */
int pio_exit(struct vcpu *vcpu, const struct vmexit *exit)
{
	u64 q = exit->qualification;
	struct pio_state *pio = &vcpu->pio;

	pio->port = QUAL_PORT(q);
	pio->size = QUAL_SIZE(q);
	pio->in = q & QUAL_IN;
	pio->count = 1;
	vcpu->stats.pio++;
	trace_minikvm_pio(pio->in, pio->port, pio->size, 1);
	return unlikely(q & QUAL_STRING) ? pio_string(vcpu, q) : pio_simple(vcpu);
}
