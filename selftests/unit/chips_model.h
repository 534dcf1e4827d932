/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The chips together, two vCPUs, and a clock that the test moves: all of
 * module/irqchip/. Stands in for minikvm.h with as much of it as the chips use.
 */
#define MINIKVM_H
#define MINIKVM_VMX_H
#include <errno.h>
#include <string.h>
#include <linux/bitops.h>
#include <linux/gfp.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/kvm_types.h>
#include <linux/math64.h>
#include "unit.h"
#include "../../uapi/linux/minikvm.h"

typedef int raw_spinlock_t;
struct mutex { int depth; };

#define VM_MAX_VCPUS 16
enum { REQ_EVENT, REQ_KILL, REQ_TIMER };
enum { START_INIT, START_SIPI };
enum { GFP_KERNEL_ACCOUNT };

u64 tsc_lost;
static struct { bool timer_exact; } vmx_caps;

struct vm;
struct lapic;
struct irqchip;
struct pit;

struct vcpu {
	struct vm *vm;
	unsigned long requests;
	u32 id;
	u64 apic_base, tsc_offset, timer_deadline;
	u8 maxphyaddr, sipi_vector;
	bool has_x2apic, has_tsc_deadline;
	struct lapic *lapic;
	unsigned long starts;
	unsigned int woken, nmis;
};

struct vm {
	struct mutex lock;
	struct vcpu *vcpus[VM_MAX_VCPUS];
	u32 nr_vcpus;
	struct irqchip *irqchip;
	struct pit *pit;
};

#define smp_load_acquire(p)		(*(p))
#define smp_store_release(p, v)		(*(p) = (v))
#define smp_wmb()
#define lockdep_assert_held(l)		((void)(l))
#define __acquires(l)
#define __releases(l)
#define raw_spin_lock_init(l)		(*(l) = 0)
#define raw_spin_lock_irqsave(l, flags)	((flags) = shim_lock(l))
#define raw_spin_unlock_irqrestore(l, flags) (shim_unlock(l), (void)(flags))
#define mutex_init(l)			((l)->depth = 0)
#define mutex_lock(l)			shim_lock(&(l)->depth)
#define mutex_unlock(l)			shim_unlock(&(l)->depth)
#define CLOCK_MONOTONIC			1

/* A lock that is taken twice would be a deadlock. */
static unsigned long shim_lock(int *lock)
{
	CHECK(!*lock);
	*lock = 1;
	return 0;
}

static void shim_unlock(int *lock)
{
	CHECK(*lock);
	*lock = 0;
}

int irqchip_set_irq(struct vm *vm, u32 gsi, int level, int *status);
bool irqchip_has_interrupt(struct vcpu *vcpu);
void lapic_timer_expired(struct vcpu *vcpu);

#include "../../module/irqchip/lapic_regs.c"
#include "../../module/irqchip/lapic_state.c"
#include "../../module/irqchip/lapic_address.c"
#include "../../module/irqchip/pic.c"
#include "../../module/irqchip/ioapic.c"
#include "../../module/irqchip/pit_regs.c"
#include "../../module/irqchip/apic_bus.c"
#include "../../module/irqchip/lapic.c"
#include "../../module/irqchip/lapic_timer.c"
#include "../../module/irqchip/pit.c"
#include "../../module/irqchip/irqchip.c"

static struct vm vm;
static struct vcpu cpu[2];

void vcpu_queue_nmi(struct vcpu *vcpu)
{
	vcpu->nmis++;
}

void vcpu_kick(struct vcpu *vcpu)
{
	CHECK(vcpu->requests);
	vcpu->woken++;
}

void vcpu_request(struct vcpu *vcpu, int req)
{
	vcpu_make_request(vcpu, req);
	vcpu_kick(vcpu);
}

static inline void create(void)
{
	static const struct minikvm_pit_config config = { .flags = MINIKVM_PIT_SPEAKER_DUMMY };
	u32 i;

	memset(&vm, 0, sizeof(vm));
	memset(cpu, 0, sizeof(cpu));
	shim_timers = NULL;
	shim_now = 1000000000;
	CHECK_EQ(irqchip_create(&vm), 0);
	CHECK_EQ(pit_create(&vm, &config), 0);
	for (i = 0; i < 2; i++) {
		cpu[i].vm = &vm;
		cpu[i].id = i;
		cpu[i].maxphyaddr = 39;
		cpu[i].has_x2apic = cpu[i].has_tsc_deadline = true;
		CHECK_EQ(lapic_create(&cpu[i]), 0);
		lapic_reset(&cpu[i], false);
		vm.vcpus[vm.nr_vcpus++] = &cpu[i];
	}
}

static inline void destroy(void)
{
	pit_destroy(&vm);
	lapic_destroy(&cpu[0]);
	lapic_destroy(&cpu[1]);
	irqchip_destroy(&vm);
}

static inline void apic_write(struct vcpu *vcpu, u32 reg, u32 val)
{
	CHECK_EQ(lapic_mmio(vcpu, true, 0xfee00000 + reg, &val, 4), 0);
}

static inline u32 apic_read(struct vcpu *vcpu, u32 reg)
{
	u32 val = 0;

	CHECK_EQ(lapic_mmio(vcpu, false, 0xfee00000 + reg, &val, 4), 0);
	return val;
}

static inline void enable(struct vcpu *vcpu)
{
	apic_write(vcpu, LAPIC_SVR, 0x1ff);
}

static inline void ioapic_put(u32 reg, u32 val)
{
	CHECK_EQ(irqchip_mmio(&vm, true, 0xfec00000, &reg, 4), 0);
	CHECK_EQ(irqchip_mmio(&vm, true, 0xfec00010, &val, 4), 0);
}

static inline void outb(u16 port, u8 val)
{
	CHECK_EQ(port < 0x40 || port >= 0x62 ? irqchip_pio(&vm, true, port, &val, 1)
					     : pit_pio(&vm, true, port, &val, 1), 0);
}

/* The PIC as Linux has it; and the PIT at about 1 kHz. */
static inline void setup_pic(void)
{
	outb(0x20, 0x11);
	outb(0x21, 0x30);
	outb(0x21, 4);
	outb(0x21, 1);
	outb(0xa0, 0x11);
	outb(0xa1, 0x38);
	outb(0xa1, 2);
	outb(0xa1, 1);
}

static inline void setup_pit(u16 count)
{
	outb(0x43, 0x34);
	outb(0x40, count & 0xff);
	outb(0x40, count >> 8);
}

/* Take an interrupt as the run loop would; -1: none. */
static inline int take(struct vcpu *vcpu)
{
	vcpu->requests = 0;
	return irqchip_has_interrupt(vcpu) ? irqchip_take_interrupt(vcpu) : -1;
}

static inline int line(u32 gsi, int level)
{
	int status = 99;

	CHECK_EQ(irqchip_set_irq(&vm, gsi, level, &status), 0);
	return status;
}
