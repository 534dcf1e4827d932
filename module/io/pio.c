// SPDX-License-Identifier: GPL-2.0
/*
 * Port I/O: IN, OUT, INS and OUTS. The processor says all there is to know about
 * the access (SDM "Exit Qualification for I/O Instructions"), so nothing is
 * decoded. Chips in the kernel answer at once; the rest exits to the VMM, and
 * pio_complete() finishes the instruction when it runs the vCPU again.
 */
#include <linux/mm.h>
#include <asm/processor-flags.h>

#include "../trace.h"
#include "../irqchip/irqchip.h"
#include "../vmx/vmx.h"
#include "../minikvm.h"

#define QUAL_SIZE(q)	(((q) & 7) + 1)
#define QUAL_IN		BIT(3)
#define QUAL_STRING	BIT(4)
#define QUAL_REP	BIT(5)
#define QUAL_PORT(q)	((q) >> 16 & 0xffff)

/* SDM "VM-Exit Instruction-Information Field for INS and OUTS": 0, 1, 2: 16, 32, 64 bits */
#define INFO_ADDR_SIZE(info)	((info) >> 7 & 7)

static u64 address_mask(const struct pio_state *pio)
{
	return pio->addr_size == 2 ? ~0ull : pio->addr_size == 1 ? 0xffffffffull : 0xffffull;
}

/* A register of which only the low address-size bits count; 32 bits clear the rest. */
static void advance(struct vcpu *vcpu, int reg, s64 delta)
{
	u64 mask = address_mask(&vcpu->pio), old = vcpu->regs[reg];
	u64 new = (old + delta) & mask;

	if (mask == 0xffff)
		new |= old & ~0xffffull;
	vcpu->regs[reg] = new;
}

static u64 rep_count(struct vcpu *vcpu)
{
	return vcpu->pio.rep ? vcpu->regs[RCX] & address_mask(&vcpu->pio) : 1;
}

static bool backwards(void)
{
	return vmcs_read_guest_rflags() & X86_EFLAGS_DF;
}

/* The values are done: move the registers, and RIP if none is left. */
static int string_done(struct vcpu *vcpu, u32 count)
{
	const struct pio_state *pio = &vcpu->pio;
	s64 bytes = (s64)count * pio->size;

	advance(vcpu, pio->in ? RDI : RSI, backwards() ? -bytes : bytes);
	if (pio->rep) {
		advance(vcpu, RCX, -(s64)count);
		if (rep_count(vcpu))
			return EXIT_RESUME;
	}
	return EXIT_SKIP;
}

static void set_rax(struct vcpu *vcpu, u32 value)
{
	switch (vcpu->pio.size) {
	case 1:
		vcpu->regs[RAX] = (vcpu->regs[RAX] & ~0xfful) | (u8)value;
		break;
	case 2:
		vcpu->regs[RAX] = (vcpu->regs[RAX] & ~0xfffful) | (u16)value;
		break;
	default:
		vcpu->regs[RAX] = value;
	}
}

/* Put what a string input got into guest memory. Verdict. */
static int store_string(struct vcpu *vcpu, const void *data, u32 count)
{
	struct guest_fault fault;
	int ret = gva_write(vcpu, vcpu->pio.gva, data, count * vcpu->pio.size, &fault);

	if (ret > 0) {
		gva_inject(vcpu, &fault);
		return EXIT_RESUME;
	}
	/* Memory that went away since the access began: the data is lost, as on a bus. */
	return string_done(vcpu, count);
}

static noinline_for_stack int complete_string(struct vcpu *vcpu)
{
	struct pio_state *pio = &vcpu->pio;
	/* The VMM may have changed RCX meanwhile. */
	u32 count = min_t(u64, pio->count, rep_count(vcpu));

	if (!count)
		return EXIT_SKIP;
	return pio->in ? store_string(vcpu, vcpu->pio_data, count) : string_done(vcpu, count);
}

/* The VMM has answered. */
static int pio_complete(struct vcpu *vcpu)
{
	if (vcpu->pio.string)
		return complete_string(vcpu);
	if (vcpu->pio.in)
		set_rax(vcpu, READ_ONCE(*(u32 *)vcpu->pio_data));
	return EXIT_SKIP;
}

/*
 * To the VMM. RIP stays until it comes back, but an OUT is over: who reads the
 * registers now sees what comes after it only then.
 */
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
	vcpu->complete = pio_complete;
	return EXIT_USER;
}

/* Bytes beyond the size of an access are none of the VMM's business. */
static u32 output(const struct vcpu *vcpu)
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
	u32 value = output(vcpu);

	if (io_bus_pio(vcpu, !pio->in, pio->port, &value, pio->size))
		return false;
	if (pio->in)
		set_rax(vcpu, value);
	return true;
}

static int simple(struct vcpu *vcpu)
{
	if (vm_has_ports(vcpu->vm) && chips_answer(vcpu))
		return EXIT_SKIP;
	return to_vmm(vcpu, output(vcpu));
}

static int outs(struct vcpu *vcpu)
{
	struct pio_state *pio = &vcpu->pio;
	struct guest_fault fault;
	u32 value = 0;
	int ret;

	ret = gva_read(vcpu, pio->gva, &value, pio->size, ACCESS_READ, &fault);
	if (ret > 0) {
		gva_inject(vcpu, &fault);
		return EXIT_RESUME;
	}
	if (ret < 0)
		value = ~0u;	/* no memory there */
	if (io_bus_pio(vcpu, true, pio->port, &value, pio->size))
		return to_vmm(vcpu, value);
	return string_done(vcpu, 1);
}

/* How many values one exit may bring: to the end of the page, upwards only. */
static u32 ins_batch(struct vcpu *vcpu)
{
	struct pio_state *pio = &vcpu->pio;
	u64 room = (PAGE_SIZE - offset_in_page(pio->gva)) / pio->size;

	if (backwards() || !room)
		return 1;
	return min_t(u64, rep_count(vcpu), room);
}

static int ins(struct vcpu *vcpu)
{
	struct pio_state *pio = &vcpu->pio;
	struct guest_fault fault;
	u32 value = 0;
	gpa_t gpa;

	/* The guest's page fault comes before the port is read. */
	if (gva_to_gpa(vcpu, pio->gva, ACCESS_WRITE, &gpa, &fault)) {
		gva_inject(vcpu, &fault);
		return EXIT_RESUME;
	}
	if (!io_bus_pio(vcpu, false, pio->port, &value, pio->size))
		return store_string(vcpu, &value, 1);
	pio->count = ins_batch(vcpu);
	return to_vmm(vcpu, 0);
}

static noinline_for_stack int string(struct vcpu *vcpu, u64 qualification)
{
	struct pio_state *pio = &vcpu->pio;

	pio->rep = qualification & QUAL_REP;
	pio->addr_size = INFO_ADDR_SIZE(vmcs_read_exit_insn_info());
	pio->gva = vmcs_read_exit_gva();
	if (!rep_count(vcpu))
		return EXIT_SKIP;
	return pio->in ? ins(vcpu) : outs(vcpu);
}

/**
 * pio_exit - an exit of IN, OUT, INS or OUTS
 * @vcpu: attached
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
	pio->string = q & QUAL_STRING;
	pio->rep = false;
	pio->count = 1;
	vcpu->stats.pio++;
	trace_minikvm_pio(pio->in, pio->port, pio->size, 1);
	return q & QUAL_STRING ? string(vcpu, q) : simple(vcpu);
}
