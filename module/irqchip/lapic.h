/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vCPU's local APIC as the chips' files share it: lapic.c, lapic_timer.c,
 * apic_bus.c, irqchip.c. Other folders use irqchip.h.
 */
#ifndef IRQCHIP_LAPIC_H
#define IRQCHIP_LAPIC_H

#include "irqchip.h"
#include "lapic_regs.h"

/*
 * A guest may not make the host take timer interrupts faster than this from
 * one periodic timer: hrtimers are not throttled. KVM's default limit.
 */
#define CHIP_MIN_PERIOD_NS	200000

/**
 * struct lapic - the local APIC of a vCPU
 *
 * Letters as in minikvm.h; [t] is for the vCPU thread to write while @timer is
 * not running, and for the timer's callback to read and write while it is.
 */
struct lapic {
	struct lapic_regs regs;		/* see lapic_regs.h */
	struct vcpu *vcpu;		/* [c] */
	struct hrtimer timer;
	u32 timer_mode;			/* [a] enum lapic_timer_mode; the vCPU thread writes */
	u32 divide;			/* [m] */
	u64 period;			/* [a] ns; 0: never started. The vCPU thread writes */
	ktime_t target;			/* [t] next expiry; 0: none */
	u64 deadline;			/* [m] guest TSC; 0: disarmed */
	bool hv_timer;			/* [c] the VMX-preemption timer is set to TSC deadlines */
	bool timer_started;		/* [m] @timer may be running: to be cancelled */
	int expired;			/* [a] the timer expired and LVTT was not delivered yet */
	u64 eoi_exits[4];		/* [m] as in the VMCS: vectors whose EOI exits */
	u32 eoi_seq;			/* [m] ioapic.wanted_seq as of then */
};

/* lapic.c */
void lapic_deliver_lvtt(struct lapic *lapic);

/* lapic_timer.c */
void lapic_timer_init(struct lapic *lapic);
void lapic_timer_stop(struct lapic *lapic);
void lapic_timer_start(struct lapic *lapic);
void lapic_timer_restore(struct lapic *lapic);
void lapic_timer_mode_changed(struct lapic *lapic);
void lapic_timer_divide_changed(struct lapic *lapic);
void lapic_timer_arm_deadline(struct lapic *lapic);
u32 lapic_timer_count(const struct lapic *lapic);

/* apic_bus.c */
int lapic_accept(struct lapic *lapic, const struct apic_msg *msg, bool self);
struct lapic *apic_next(struct vm *vm, u32 *slot);

#endif
