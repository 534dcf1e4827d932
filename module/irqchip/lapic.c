// SPDX-License-Identifier: GPL-2.0
/*
 * The local APIC of a vCPU: its creation, and what the guest and the VMM do to
 * it. The rules are in lapic_regs.c, the timer in lapic_timer.c, what arrives
 * from elsewhere in apic_bus.c.
 *
 * The guest reaches it by MMIO (io/bus.c), x2APIC MSRs, IA32_APIC_BASE,
 * IA32_TSC_DEADLINE (cpu/msr.c) and CR8 (cpu/cr.c); the VMM by GET_LAPIC and
 * SET_LAPIC. All of these run in the vCPU thread, with interrupts on or off.
 *
 * Left out: the APIC-access page (every access exits), SMI, PMU and
 * thermal interrupts (nothing raises them). What of this the processor does by
 * itself is in lapic_apicv.c.
 */
#include <linux/gfp.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../vmx/kick.h"
#include "../vmx/vmx.h"
#include "internal.h"
#include "lapic.h"

#define APIC_BASE_DEFAULT	0xfee00000ULL
#define APIC_BASE_BSP		BIT_ULL(8)
#define APIC_BASE_X2APIC	BIT_ULL(10)
#define APIC_BASE_ENABLED	BIT_ULL(11)
#define APIC_BASE_ADDRESS	GENMASK_ULL(51, 12)
#define APIC_BASE_RESERVED	0x2ffULL

/*
 * Something may be deliverable: let the run loop look before the next entry. With APICv the
 * processor looks, and has to be told what has changed.
 */
static void look_again(struct lapic *lapic)
{
	struct vcpu *vcpu = lapic->vcpu;

	if (vcpu->apicv || irqchip_has_interrupt(vcpu) ||
	    lapic_regs_threshold(&lapic->regs) != vcpu->tpr_threshold)
		vcpu_make_request(vcpu, REQ_EVENT);
}

/**
 * lapic_deliver_lvtt - the timer's local interrupt
 * @lapic: whose timer expired
 *
 * Context: the vCPU thread. Nothing happens while LVTT is masked or the APIC off.
 */
void lapic_deliver_lvtt(struct lapic *lapic)
{
	u32 lvtt = lapic_reg(&lapic->regs, LAPIC_LVTT);
	struct apic_msg msg = { .vector = lvtt & 0xff, .assert = true };

	if (!(lvtt & LAPIC_LVT_MASKED))
		lapic_accept(lapic, &msg, true);
}

static void end_of_interrupt(struct lapic *lapic)
{
	bool level;
	int vector = lapic_regs_eoi(&lapic->regs, &level);

	if (vector >= 0)
		irqchip_eoi(lapic->vcpu, vector, level);
}

static void send_ipi(struct lapic *lapic, u32 low, u32 high)
{
	struct apic_msg msg;

	lapic_regs_icr(&lapic->regs, low, high, &msg);
	apic_deliver(lapic->vcpu->vm, lapic, &msg);
}

/** lapic_eoi - the interrupt in service has ended; @vcpu loaded, with a LAPIC */
void lapic_eoi(struct vcpu *vcpu)
{
	end_of_interrupt(vcpu->lapic);
	look_again(vcpu->lapic);
}

/**
 * lapic_eoi_is_quiet - does the end of the interrupt in service matter to nobody else?
 * @vcpu: a vCPU with a LAPIC
 *
 * Not if another one waits, for which the guest must be left, nor if an IOAPIC is to be told.
 *
 * Context: the vCPU thread.
 */
bool lapic_eoi_is_quiet(const struct vcpu *vcpu)
{
	int vector = lapic_regs_quiet(&vcpu->lapic->regs);

	return vector >= 0 && !irqchip_wants_eoi(vcpu, vector);
}

/* Carry out what a register write asks for. */
static void follow_up(struct lapic *lapic, unsigned int todo, u32 val)
{
	if (todo & LAPIC_DO_EOI)
		end_of_interrupt(lapic);
	if (todo & LAPIC_DO_IPI)
		send_ipi(lapic, lapic_reg(&lapic->regs, LAPIC_ICR),
			 lapic_reg(&lapic->regs, LAPIC_ICR2));
	if (todo & LAPIC_DO_SELF_IPI)
		send_ipi(lapic, LAPIC_ICR_SELF | val, 0);
	if (todo & LAPIC_DO_TIMER_MODE)
		lapic_timer_mode_changed(lapic);
	if (todo & LAPIC_DO_TIMER_DROP)
		WRITE_ONCE(lapic->expired, 0);
	if (todo & LAPIC_DO_TIMER_START)
		lapic_timer_start(lapic);
	if (todo & LAPIC_DO_TIMER_DIVIDE)
		lapic_timer_divide_changed(lapic);
	if (todo & LAPIC_DO_EVENT)
		look_again(lapic);
}

/* 0, or 1 for #GP. */
static int reg_write(struct lapic *lapic, u32 reg, u32 val)
{
	unsigned int todo;

	if (reg == LAPIC_LVTT)
		lapic->regs.deadline_ok = lapic->vcpu->has_tsc_deadline;
	todo = lapic_regs_write(&lapic->regs, reg, val);
	if (todo & LAPIC_DO_GP)
		return 1;
	follow_up(lapic, todo, val);
	return 0;
}

static int reg_read(struct lapic *lapic, u32 reg, u32 *val)
{
	if (reg != LAPIC_TMCCT)
		return lapic_regs_read(&lapic->regs, reg, val);
	*val = lapic_timer_count(lapic);
	return 0;
}

/* Reads may be narrow, inside the first 4 bytes of a register's 16; the rest reads 0. */
static void lapic_mmio_read(struct lapic *lapic, u32 offset, void *data, int len)
{
	u32 shift = offset % 16, val;

	memset(data, 0, len);
	if (shift + len > 4 || reg_read(lapic, offset - shift, &val))
		return;
	val >>= shift * 8;
	memcpy(data, &val, len);
}

/**
 * lapic_mmio - an access to guest physical memory: the APIC's page?
 * @vcpu: whose access; the page is visible to this vCPU only
 * @write: direction
 * @gpa: address
 * @data: @len bytes, in or out
 * @len: 1..8
 *
 * Context: the vCPU thread. Return: 0, or -EOPNOTSUPP: not the APIC's page.
 * Writes other than aligned 32-bit ones are dropped. While the APIC is off or
 * in x2APIC mode the page reads as ones and drops writes, as KVM's does, unless the VMM has
 * switched that off.
 */
int lapic_mmio(struct vcpu *vcpu, bool write, gpa_t gpa, void *data, int len)
{
	struct lapic *lapic = vcpu->lapic;
	u64 offset = gpa - (vcpu->apic_base & APIC_BASE_ADDRESS);
	u32 val;

	if (!lapic || offset >= PAGE_SIZE)
		return -EOPNOTSUPP;
	if (lapic->regs.mode != LAPIC_XAPIC) {
		if (!vm_has_quirk(vcpu->vm, MINIKVM_X86_QUIRK_LAPIC_MMIO_HOLE))
			return -EOPNOTSUPP;
		if (!write)
			memset(data, 0xff, len);
	} else if (!write) {
		lapic_mmio_read(lapic, offset, data, len);
	} else if (len == 4 && offset % 16 == 0) {
		memcpy(&val, data, sizeof(val));
		reg_write(lapic, offset, val);
	}
	return 0;
}

/**
 * lapic_msr_read - RDMSR of an x2APIC register
 * @vcpu: the vCPU
 * @msr: 0x800..0x8ff
 * @data: where it goes
 *
 * Context: the vCPU thread; never sleeps. Return: 0, or 1 for #GP.
 */
int lapic_msr_read(struct vcpu *vcpu, u32 msr, u64 *data)
{
	struct lapic *lapic = vcpu->lapic;
	u32 reg = (msr - 0x800) << 4, val;

	if (!lapic || lapic->regs.mode != LAPIC_X2APIC || msr - 0x800 > 0x3f)
		return 1;
	if (reg_read(lapic, reg, &val))
		return 1;
	*data = val;
	if (reg == LAPIC_ICR)
		*data |= (u64)lapic_reg(&lapic->regs, LAPIC_ICR2) << 32;
	return 0;
}

/**
 * lapic_msr_write - WRMSR of an x2APIC register
 * @vcpu: the vCPU
 * @msr: 0x800..0x8ff
 * @data: the value
 *
 * Context: the vCPU thread; never sleeps. Return: 0, or 1 for #GP.
 */
int lapic_msr_write(struct vcpu *vcpu, u32 msr, u64 data)
{
	struct lapic *lapic = vcpu->lapic;
	u32 reg = (msr - 0x800) << 4;
	unsigned int todo;

	if (!lapic || lapic->regs.mode != LAPIC_X2APIC || msr - 0x800 > 0x3f)
		return 1;
	if (reg == LAPIC_ICR) {
		todo = lapic_regs_write_icr(&lapic->regs, data);
		if (todo & LAPIC_DO_GP)
			return 1;
		follow_up(lapic, todo, 0);
		return 0;
	}
	return data >> 32 ? 1 : reg_write(lapic, reg, data);
}

static void set_base(struct vcpu *vcpu, u64 base)
{
	vcpu->apic_base = base;
	if (!vcpu->lapic)
		return;
	lapic_regs_set_mode(&vcpu->lapic->regs, lapic_mode_of(base));
	lapic_apicv_update(vcpu);
	look_again(vcpu->lapic);
}

/**
 * lapic_set_base - write IA32_APIC_BASE
 * @vcpu: the vCPU; the VMM may have its APIC
 * @base: the value
 * @host: from an ioctl: every mode can be entered from every other
 *
 * Context: the vCPU thread; never sleeps. Return: 0, or 1 for #GP. SDM "Local
 * APIC State Transitions" (x2APIC chapter).
 */
int lapic_set_base(struct vcpu *vcpu, u64 base, bool host)
{
	enum lapic_mode old = lapic_mode_of(vcpu->apic_base);
	enum lapic_mode new = lapic_mode_of(base);
	u64 reserved = APIC_BASE_RESERVED;

	/* KVM's width of a CPU without CPUID leaf 0x80000008. */
	reserved |= GENMASK_ULL(63, clamp_t(u8, vcpu->maxphyaddr ?: 36, 32, 52));
	if (!vcpu->has_x2apic)
		reserved |= APIC_BASE_X2APIC;
	if ((base & reserved) || new == LAPIC_INVALID)
		return 1;
	if (!host && ((old == LAPIC_X2APIC && new == LAPIC_XAPIC) ||
		      (old == LAPIC_DISABLED && new == LAPIC_X2APIC)))
		return 1;
	set_base(vcpu, base);
	return 0;
}

/**
 * lapic_get_tscdeadline - read IA32_TSC_DEADLINE
 * @vcpu: a vCPU with a LAPIC
 *
 * Context: the vCPU thread. 0 unless the timer is in TSC-deadline mode and armed.
 */
u64 lapic_get_tscdeadline(struct vcpu *vcpu)
{
	struct lapic *lapic = vcpu->lapic;

	if (lapic->regs.mode < LAPIC_XAPIC || lapic->timer_mode != LAPIC_DEADLINE)
		return 0;
	return lapic->deadline;
}

/**
 * lapic_set_tscdeadline - write IA32_TSC_DEADLINE
 * @vcpu: a vCPU with a LAPIC
 * @deadline: guest TSC; 0 disarms, one in the past expires now
 *
 * Context: the vCPU thread; never sleeps. Ignored in the other timer modes.
 */
void lapic_set_tscdeadline(struct vcpu *vcpu, u64 deadline)
{
	struct lapic *lapic = vcpu->lapic;

	if (lapic->regs.mode < LAPIC_XAPIC || lapic->timer_mode != LAPIC_DEADLINE)
		return;
	lapic_timer_stop(lapic);
	lapic->deadline = deadline;
	lapic_timer_arm_deadline(lapic);
}

/**
 * lapic_get_tpr - CR8
 * @vcpu: a vCPU with a LAPIC
 *
 * Context: the vCPU thread.
 */
u64 lapic_get_tpr(struct vcpu *vcpu)
{
	return lapic_reg(&vcpu->lapic->regs, LAPIC_TPR) >> 4 & 0xf;
}

/**
 * lapic_set_tpr - write CR8
 * @vcpu: a vCPU with a LAPIC
 * @cr8: bits 3:0 are the priority class
 *
 * Context: the vCPU thread; never sleeps.
 */
void lapic_set_tpr(struct vcpu *vcpu, u64 cr8)
{
	reg_write(vcpu->lapic, LAPIC_TPR, (cr8 & 0xf) << 4);
}

/* Does the VMM see the whole ID? Otherwise bits 7:0 of it, in bits 31:24. */
static bool lapic_id_is_wide(const struct vcpu *vcpu)
{
	return vcpu->lapic->regs.mode == LAPIC_X2APIC &&
	       (READ_ONCE(vcpu->vm->x2apic_api) & MINIKVM_X2APIC_API_USE_32BIT_IDS);
}

/**
 * lapic_get_state - GET_LAPIC
 * @vcpu: a vCPU with a LAPIC
 * @state: filled
 *
 * Context: the vCPU thread. The current count is what a read gives now: a timer
 * that is set with it goes on where this one was.
 */
void lapic_get_state(struct vcpu *vcpu, struct minikvm_lapic_state *state)
{
	lapic_regs_merge(&vcpu->lapic->regs);
	vcpu_make_request(vcpu, REQ_EVENT);	/* with APICv the processor is to know of it */
	lapic_regs_get(&vcpu->lapic->regs, state);
	lapic_state_put(state, LAPIC_TMCCT, lapic_timer_count(vcpu->lapic));
	if (lapic_id_is_wide(vcpu))
		lapic_state_put(state, LAPIC_ID, vcpu->lapic->regs.id);
}

/**
 * lapic_set_state - SET_LAPIC
 * @vcpu: a vCPU with a LAPIC, its mode set by IA32_APIC_BASE before
 * @state: the page; nothing in it is refused but a whole ID that is another's
 *
 * Context: the vCPU thread. Starts the timer at the current count. Return: 0 or -EINVAL.
 */
int lapic_set_state(struct vcpu *vcpu, const struct minikvm_lapic_state *state)
{
	struct lapic *lapic = vcpu->lapic;
	u32 id;

	memcpy(&id, state->regs + LAPIC_ID, sizeof(id));
	if (lapic_id_is_wide(vcpu) && id != lapic->regs.id)
		return -EINVAL;
	lapic_timer_stop(lapic);
	lapic->regs.deadline_ok = vcpu->has_tsc_deadline;
	lapic_regs_set(&lapic->regs, state);
	lapic_timer_restore(lapic);
	vcpu_make_request(vcpu, REQ_EVENT);
	return 0;
}

/**
 * lapic_reset - power-up or INIT
 * @vcpu: the vCPU; the VMM may have its APIC
 * @init: INIT: IA32_APIC_BASE stays
 *
 * Context: the vCPU thread, or before the vCPU is published.
 */
void lapic_reset(struct vcpu *vcpu, bool init)
{
	struct lapic *lapic = vcpu->lapic;
	bool bsp = vcpu->id == vcpu->vm->boot_id;

	if (!init)
		vcpu->apic_base = APIC_BASE_DEFAULT | APIC_BASE_ENABLED |
				  (bsp ? APIC_BASE_BSP : 0);
	if (!lapic)
		return;
	lapic_timer_stop(lapic);
	lapic_regs_set_mode(&lapic->regs, lapic_mode_of(vcpu->apic_base));
	lapic_regs_reset(&lapic->regs, init,
			 bsp && vm_has_quirk(vcpu->vm, MINIKVM_X86_QUIRK_LINT0_REENABLED));
	vcpu_make_request(vcpu, REQ_EVENT);
	lapic_timer_mode_changed(lapic);
	lapic_timer_start(lapic);
	lapic_timer_divide_changed(lapic);
}

/**
 * lapic_create - give a new vCPU its local APIC, if the VM has the chips
 * @vcpu: not published yet; @vcpu->id is set
 *
 * Context: may sleep. Return: 0 or -ENOMEM. lapic_reset() comes next, chips or not.
 */
int lapic_create(struct vcpu *vcpu)
{
	struct lapic *lapic;

	if (!vm_irqchip(vcpu->vm))
		return 0;
	lapic = kzalloc(sizeof(*lapic), GFP_KERNEL_ACCOUNT);
	if (!lapic)
		return -ENOMEM;
	vcpu->apic_page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vcpu->apic_page) {
		kfree(lapic);
		return -ENOMEM;
	}
	lapic_regs_init(&lapic->regs, vcpu->apic_page, vcpu->id, vmx_caps.apicv);
	lapic->regs.aliases = &vcpu->vm->apic_aliases;
	lapic->regs.narrow = &vcpu->vm->apic_narrow;
	lapic->vcpu = vcpu;
	/*
	 * Clever: deadline-timer: delete this and all still works, 1371 instructions slower (row
	 * T7). A TSC deadline ends the guest's stay; the plain way is a timer of the host, also
	 * for a guest that can take the processor to where the VMX-preemption timer stands still.
	 */
	lapic->hv_timer = vmx_caps.timer_exact &&
			  !(vcpu->exits_off & MINIKVM_X86_DISABLE_EXITS_MWAIT);
	/* Clever ends: deadline-timer */
	lapic_timer_init(lapic);
	vcpu->lapic = lapic;
	return 0;
}

/**
 * lapic_destroy - undo lapic_create()
 * @vcpu: a vCPU that nobody sends interrupts to any more: it was not published,
 *	  or the VM's vCPUs do not run any more and its PIT is gone
 *
 * May sleep.
 */
void lapic_destroy(struct vcpu *vcpu)
{
	struct lapic *lapic = vcpu->lapic;

	if (!lapic)
		return;
	lapic_timer_stop(lapic);
	lapic_regs_set_mode(&lapic->regs, LAPIC_DISABLED);	/* what it counts as */
	vcpu->lapic = NULL;
	free_page((unsigned long)lapic->regs.page);
	kfree(lapic);
}
