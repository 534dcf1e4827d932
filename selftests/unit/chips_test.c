// SPDX-License-Identifier: GPL-2.0
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

static void create(void)
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

static void destroy(void)
{
	pit_destroy(&vm);
	lapic_destroy(&cpu[0]);
	lapic_destroy(&cpu[1]);
	irqchip_destroy(&vm);
}

static void apic_write(struct vcpu *vcpu, u32 reg, u32 val)
{
	CHECK_EQ(lapic_mmio(vcpu, true, 0xfee00000 + reg, &val, 4), 0);
}

static u32 apic_read(struct vcpu *vcpu, u32 reg)
{
	u32 val = 0;

	CHECK_EQ(lapic_mmio(vcpu, false, 0xfee00000 + reg, &val, 4), 0);
	return val;
}

static void enable(struct vcpu *vcpu)
{
	apic_write(vcpu, LAPIC_SVR, 0x1ff);
}

static void ioapic_put(u32 reg, u32 val)
{
	CHECK_EQ(irqchip_mmio(&vm, true, 0xfec00000, &reg, 4), 0);
	CHECK_EQ(irqchip_mmio(&vm, true, 0xfec00010, &val, 4), 0);
}

static void outb(u16 port, u8 val)
{
	CHECK_EQ(port < 0x40 || port >= 0x62 ? irqchip_pio(&vm, true, port, &val, 1)
					     : pit_pio(&vm, true, port, &val, 1), 0);
}

/* The PIC as Linux has it; and the PIT at about 1 kHz. */
static void setup_pic(void)
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

static void setup_pit(u16 count)
{
	outb(0x43, 0x34);
	outb(0x40, count & 0xff);
	outb(0x40, count >> 8);
}

/* Take an interrupt as the run loop would; -1: none. */
static int take(struct vcpu *vcpu)
{
	vcpu->requests = 0;
	return irqchip_has_interrupt(vcpu) ? irqchip_take_interrupt(vcpu) : -1;
}

static int line(u32 gsi, int level)
{
	int status = 99;

	CHECK_EQ(irqchip_set_irq(&vm, gsi, level, &status), 0);
	return status;
}

static void creation_rules(void)
{
	struct minikvm_pit_config config = {};
	int status;

	memset(&vm, 0, sizeof(vm));
	CHECK_EQ(irqchip_set_irq(&vm, 0, 1, &status), -ENXIO);
	CHECK_EQ(pit_create(&vm, &config), -ENOENT);
	vm.nr_vcpus = 1;
	CHECK_EQ(irqchip_create(&vm), -EINVAL);
	create();
	CHECK_EQ(irqchip_create(&vm), -EEXIST);
	CHECK_EQ(pit_create(&vm, &config), -EEXIST);
	CHECK_EQ(cpu[0].apic_base, 0xfee00900);
	CHECK_EQ(cpu[1].apic_base, 0xfee00800);
	destroy();
}

static void line_status(void)
{
	create();
	setup_pic();
	CHECK_EQ(line(24, 1), -1);
	CHECK_EQ(line(0xffffffff, 1), -1);
	CHECK_EQ(line(20, 1), -1);	/* IOAPIC only, masked */
	CHECK_EQ(line(4, 1), 1);	/* PIC */
	CHECK_EQ(line(4, 0), 2);
	CHECK_EQ(line(4, 1), 0);
	outb(0x21, 0xff);
	CHECK_EQ(line(4, 0), 1);
	CHECK_EQ(line(4, 1), -1);
	destroy();
}

static void pic_reaches_the_boot_cpu(void)
{
	create();
	setup_pic();
	line(4, 1);
	CHECK_EQ(cpu[0].woken, 1);
	CHECK_EQ(cpu[1].woken, 0);
	CHECK_EQ(take(&cpu[1]), -1);
	CHECK_EQ(take(&cpu[0]), 0x34);
	CHECK_EQ(take(&cpu[0]), -1);
	enable(&cpu[0]);
	apic_write(&cpu[0], LAPIC_LINT0, 0x10700);
	outb(0x20, 0x20);
	line(4, 0);
	line(4, 1);
	CHECK_EQ(take(&cpu[0]), -1);
	cpu[0].requests = 0;
	apic_write(&cpu[0], LAPIC_LINT0, 0x700);
	CHECK(cpu[0].requests);
	CHECK_EQ(take(&cpu[0]), 0x34);
	outb(0x20, 0x20);
	CHECK_EQ(lapic_set_base(&cpu[0], 0xfee00100, false), 0);	/* off */
	line(4, 0);
	line(4, 1);
	CHECK_EQ(take(&cpu[0]), 0x34);
	destroy();
}

static void level_interrupt_through_the_ioapic(void)
{
	create();
	enable(&cpu[1]);
	ioapic_put(0x11 + 2 * 10, 1 << 24);
	ioapic_put(0x10 + 2 * 10, 0x8052);
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	CHECK_EQ(line(10, 1), 1);
	CHECK_EQ(cpu[1].woken, 1);
	CHECK_EQ(take(&cpu[0]), -1);
	CHECK_EQ(take(&cpu[1]), 0x52);
	apic_write(&cpu[1], LAPIC_EOI, 0);
	CHECK_EQ(take(&cpu[1]), 0x52);		/* still asserted */
	line(10, 0);
	apic_write(&cpu[1], LAPIC_EOI, 0);
	CHECK_EQ(take(&cpu[1]), -1);
	destroy();
}

static void ipis(void)
{
	create();
	enable(&cpu[0]);
	enable(&cpu[1]);
	apic_write(&cpu[0], LAPIC_ICR2, 1 << 24);
	apic_write(&cpu[0], LAPIC_ICR, 0x4041);
	CHECK_EQ(take(&cpu[1]), 0x41);
	CHECK_EQ(take(&cpu[0]), -1);
	apic_write(&cpu[0], LAPIC_ICR, 0x44042);		/* self */
	CHECK_EQ(cpu[0].woken, 0);
	CHECK_EQ(take(&cpu[0]), 0x42);
	apic_write(&cpu[0], LAPIC_ICR, 0x84053);		/* all */
	CHECK_EQ(take(&cpu[0]), 0x53);
	CHECK_EQ(take(&cpu[1]), 0x53);
	apic_write(&cpu[0], LAPIC_ICR, 0xc4064);		/* all but self */
	CHECK_EQ(take(&cpu[0]), -1);
	CHECK_EQ(take(&cpu[1]), 0x64);
	apic_write(&cpu[0], LAPIC_ICR, 0xc4400);		/* NMI */
	CHECK_EQ(cpu[0].nmis, 0);
	CHECK_EQ(cpu[1].nmis, 1);
	apic_write(&cpu[0], LAPIC_LDR, 1 << 24);
	apic_write(&cpu[1], LAPIC_LDR, 2 << 24);
	apic_write(&cpu[0], LAPIC_ICR2, 3 << 24);
	apic_write(&cpu[0], LAPIC_ICR, 0x4970);			/* lowest of two */
	CHECK_EQ(take(&cpu[0]), 0x70);
	CHECK_EQ(take(&cpu[1]), -1);
	apic_write(&cpu[0], LAPIC_ICR, 0x4971);
	CHECK_EQ(take(&cpu[1]), 0x71);
	apic_write(&cpu[0], LAPIC_SVR, 0xff);
	apic_write(&cpu[0], LAPIC_ICR, 0x4980);			/* one is off */
	CHECK_EQ(take(&cpu[1]), 0x80);
	destroy();
}

static void init_and_sipi(void)
{
	create();
	apic_write(&cpu[0], LAPIC_ICR2, 1 << 24);
	apic_write(&cpu[0], LAPIC_ICR, 0xc500);		/* INIT assert */
	CHECK_EQ(cpu[1].starts, 1);
	CHECK_EQ(cpu[1].woken, 1);
	cpu[1].starts = 0;
	apic_write(&cpu[0], LAPIC_ICR, 0x8500);		/* de-assert */
	CHECK_EQ(cpu[1].starts, 0);
	apic_write(&cpu[0], LAPIC_ICR, 0x4699);
	CHECK_EQ(cpu[1].starts, 2);
	CHECK_EQ(cpu[1].sipi_vector, 0x99);
	apic_write(&cpu[0], LAPIC_ICR, 0x4500);
	CHECK_EQ(cpu[1].starts, 1);
	CHECK_EQ(cpu[0].starts, 0);
	destroy();
}

static void msi(void)
{
	create();
	enable(&cpu[0]);
	enable(&cpu[1]);
	CHECK_EQ(irqchip_send_msi(&vm, 0xfee01000, 0x61), 1);
	CHECK_EQ(take(&cpu[1]), 0x61);
	CHECK_EQ(irqchip_send_msi(&vm, 0xfee05000, 0x61), 0);
	CHECK_EQ(irqchip_send_msi(&vm, 0xfeeff000, 0x62), 2);
	CHECK_EQ(irqchip_send_msi(&vm, 0xfee00000, 0x200), 0);	/* SMI */
	destroy();
}

static void timer_setup(u32 lvtt, u32 divide)
{
	enable(&cpu[0]);
	apic_write(&cpu[0], LAPIC_TDCR, divide);
	apic_write(&cpu[0], LAPIC_LVTT, lvtt);
	apic_write(&cpu[0], LAPIC_LINT0, 0x10000);
	cpu[0].woken = 0;
}

static bool test_timer_request(void)
{
	return cpu[0].requests & BIT(REQ_TIMER);
}

static bool lapic_timer_armed(void)
{
	return cpu[0].lapic->timer.active;
}

static void one_shot(void)
{
	create();
	timer_setup(0xe0, 3);			/* divide by 16 */
	apic_write(&cpu[0], LAPIC_TMICT, 1000);
	CHECK_EQ(apic_read(&cpu[0], LAPIC_TMCCT), 1000);
	shim_advance(4000, false);
	CHECK_EQ(apic_read(&cpu[0], LAPIC_TMCCT), 750);
	CHECK_EQ(take(&cpu[0]), -1);
	shim_advance(11999, false);
	CHECK_EQ(cpu[0].woken, 0);
	shim_advance(1, false);
	CHECK_EQ(cpu[0].woken, 1);
	CHECK(test_timer_request());
	CHECK_EQ(take(&cpu[0]), 0xe0);
	CHECK_EQ(apic_read(&cpu[0], LAPIC_TMCCT), 0);
	apic_write(&cpu[0], LAPIC_EOI, 0);
	shim_advance(1000000, false);
	CHECK_EQ(take(&cpu[0]), -1);
	apic_write(&cpu[0], LAPIC_TDCR, 0);	/* nothing runs: nothing expires */
	CHECK_EQ(take(&cpu[0]), -1);
	destroy();
}

static void divider_changes_while_running(void)
{
	create();
	timer_setup(0xe0, 3);
	apic_write(&cpu[0], LAPIC_TMICT, 1000);
	shim_advance(8000, false);
	apic_write(&cpu[0], LAPIC_TDCR, 0xb);	/* 500 counts left, 1 ns each now */
	CHECK_EQ(apic_read(&cpu[0], LAPIC_TMCCT), 500);
	shim_advance(499, false);
	CHECK_EQ(take(&cpu[0]), -1);
	shim_advance(1, false);
	CHECK_EQ(take(&cpu[0]), 0xe0);
	destroy();
}

static void periodic(void)
{
	int i;

	create();
	timer_setup(0x200e0, 0xb);
	apic_write(&cpu[0], LAPIC_TMICT, 1000000);
	for (i = 0; i < 5; i++) {
		shim_advance(999999, false);
		CHECK_EQ(take(&cpu[0]), -1);
		shim_advance(1, false);
		CHECK_EQ(take(&cpu[0]), 0xe0);
		apic_write(&cpu[0], LAPIC_EOI, 0);
	}
	CHECK_EQ(apic_read(&cpu[0], LAPIC_TMCCT), 1000000);
	shim_advance(250000, false);
	CHECK_EQ(apic_read(&cpu[0], LAPIC_TMCCT), 750000);
	shim_advance(10000000000, true);	/* the host was away for 10 s */
	CHECK_EQ(take(&cpu[0]), 0xe0);
	apic_write(&cpu[0], LAPIC_EOI, 0);
	CHECK_EQ(take(&cpu[0]), -1);
	apic_write(&cpu[0], LAPIC_TMICT, 0);
	shim_advance(10000000, false);
	CHECK_EQ(take(&cpu[0]), -1);
	destroy();
}

static void periodic_rate_is_bounded(void)
{
	create();
	timer_setup(0x200e0, 0xb);
	apic_write(&cpu[0], LAPIC_TMICT, 1);
	CHECK(apic_read(&cpu[0], LAPIC_TMCCT) <= 1);
	shim_advance(CHIP_MIN_PERIOD_NS - 1, false);
	CHECK_EQ(take(&cpu[0]), -1);		/* the first expiry is no earlier, either */
	apic_write(&cpu[0], LAPIC_TMICT, 1);
	shim_fired = 0;
	shim_advance(10000000, false);
	CHECK_EQ(shim_fired, 50);
	timer_setup(0xe0, 0xb);			/* one-shot, then periodic while it runs */
	apic_write(&cpu[0], LAPIC_TMICT, 1);
	apic_write(&cpu[0], LAPIC_LVTT, 0x200e0);
	shim_fired = 0;
	shim_advance(10000000, false);
	CHECK(shim_fired <= 51);
	apic_write(&cpu[0], LAPIC_TDCR, 0);	/* a new divider does not lift it */
	shim_fired = 0;
	shim_advance(10000000, false);
	CHECK(shim_fired <= 51);
	destroy();
}

static void deadline(void)
{
	create();
	cpu[0].tsc_offset = -(u64)rdtsc();	/* the guest's TSC starts at 0 */
	lapic_set_tscdeadline(&cpu[0], 5000);
	CHECK_EQ(lapic_get_tscdeadline(&cpu[0]), 0);	/* not in this mode */
	timer_setup(0x400e0, 0xb);
	apic_write(&cpu[0], LAPIC_TMICT, 5);
	CHECK_EQ(apic_read(&cpu[0], LAPIC_TMICT), 0);
	lapic_set_tscdeadline(&cpu[0], 5000);
	CHECK_EQ(lapic_get_tscdeadline(&cpu[0]), 5000);
	CHECK_EQ(apic_read(&cpu[0], LAPIC_TMCCT), 0);
	shim_advance(2499, false);
	CHECK_EQ(take(&cpu[0]), -1);
	shim_advance(2, false);
	CHECK_EQ(take(&cpu[0]), 0xe0);
	CHECK_EQ(lapic_get_tscdeadline(&cpu[0]), 0);
	apic_write(&cpu[0], LAPIC_EOI, 0);

	lapic_set_tscdeadline(&cpu[0], 1);		/* in the past */
	CHECK(test_timer_request());
	CHECK_EQ(take(&cpu[0]), 0xe0);
	apic_write(&cpu[0], LAPIC_EOI, 0);

	lapic_set_tscdeadline(&cpu[0], 100000);
	lapic_set_tscdeadline(&cpu[0], 0);		/* disarmed */
	shim_advance(1000000, false);
	CHECK_EQ(take(&cpu[0]), -1);

	lapic_set_tscdeadline(&cpu[0], 1ULL << 63);
	shim_fired = 0;
	shim_advance(30ULL * 86400 * 1000000000, false);
	CHECK(shim_fired <= 1);
	CHECK_EQ(take(&cpu[0]), -1);
	CHECK_EQ(lapic_get_tscdeadline(&cpu[0]), 1ULL << 63);
	CHECK(lapic_timer_armed());
	lapic_set_tscdeadline(&cpu[0], ~0ULL);
	apic_write(&cpu[0], LAPIC_LVTT, 0xe0);		/* leaving the mode disarms */
	apic_write(&cpu[0], LAPIC_LVTT, 0x400e0);
	CHECK_EQ(lapic_get_tscdeadline(&cpu[0]), 0);
	CHECK(!lapic_timer_armed());
	destroy();
}

/* The run loop gets the deadline; the host's clock only while the vCPU sleeps. */
static void watched_deadline(void)
{
	create();
	cpu[0].lapic->hv_timer = true;
	cpu[0].tsc_offset = -(u64)rdtsc();
	timer_setup(0x400e0, 0xb);
	lapic_set_tscdeadline(&cpu[0], 5000);
	CHECK_EQ(cpu[0].timer_deadline, 5000);
	shim_advance(10000, false);
	CHECK(!test_timer_request());
	CHECK(!lapic_timer_armed());
	lapic_timer_due(&cpu[0]);
	CHECK_EQ(take(&cpu[0]), 0xe0);
	CHECK_EQ(cpu[0].timer_deadline, 0);
	CHECK_EQ(lapic_get_tscdeadline(&cpu[0]), 0);
	apic_write(&cpu[0], LAPIC_EOI, 0);

	lapic_set_tscdeadline(&cpu[0], 100000);
	lapic_set_tscdeadline(&cpu[0], 0);
	CHECK_EQ(cpu[0].timer_deadline, 0);
	lapic_timer_sleep(&cpu[0]);		/* nothing to wake it for */
	CHECK(!lapic_timer_armed());
	lapic_timer_awake(&cpu[0]);

	lapic_set_tscdeadline(&cpu[0], 100000);
	lapic_timer_sleep(&cpu[0]);
	CHECK(lapic_timer_armed());
	lapic_timer_awake(&cpu[0]);		/* woken by something else */
	CHECK(!lapic_timer_armed());
	CHECK_EQ(cpu[0].timer_deadline, 100000);
	lapic_timer_sleep(&cpu[0]);
	shim_advance(100000, false);
	CHECK(test_timer_request());
	lapic_timer_awake(&cpu[0]);
	CHECK_EQ(take(&cpu[0]), 0xe0);
	CHECK_EQ(cpu[0].timer_deadline, 0);
	apic_write(&cpu[0], LAPIC_EOI, 0);

	lapic_set_tscdeadline(&cpu[0], 1);	/* in the past: too late to sleep */
	lapic_timer_sleep(&cpu[0]);
	CHECK(test_timer_request());
	apic_write(&cpu[0], LAPIC_LVTT, 0xe0);
	CHECK_EQ(cpu[0].timer_deadline, 0);
	destroy();
}

static void timer_state_goes_round(void)
{
	struct minikvm_lapic_state state;

	create();
	timer_setup(0xe0, 3);
	apic_write(&cpu[0], LAPIC_TMICT, 1000);
	shim_advance(4000, false);
	lapic_get_state(&cpu[0], &state);
	lapic_reset(&cpu[0], false);
	shim_advance(1000000, false);
	CHECK_EQ(take(&cpu[0]), -1);
	lapic_set_state(&cpu[0], &state);
	CHECK_EQ(apic_read(&cpu[0], LAPIC_TMCCT), 750);
	CHECK_EQ(apic_read(&cpu[0], LAPIC_TMICT), 1000);
	shim_advance(12000, false);
	CHECK_EQ(take(&cpu[0]), 0xe0);
	/* Any page at all: no more than the rate limit, no fault. */
	memset(&state, 0xff, sizeof(state));
	lapic_set_state(&cpu[0], &state);
	shim_advance(1000000000, false);
	memset(&state, 0x0f, sizeof(state));
	state.regs[LAPIC_LVTT + 2] = 2;
	memset(state.regs + LAPIC_TMICT, 0, 4);
	state.regs[LAPIC_TMICT] = 1;
	lapic_set_state(&cpu[0], &state);
	shim_fired = 0;
	shim_advance(100000000, false);
	CHECK(shim_fired <= 501);
	destroy();
}

static void base_msr(void)
{
	struct vcpu *v = &cpu[1];

	create();
	CHECK_EQ(lapic_set_base(v, 0xfee00800 | 1ULL << 39, true), 1);
	CHECK_EQ(lapic_set_base(v, 0xfee00801, false), 1);
	CHECK_EQ(lapic_set_base(v, 0xfee00400, true), 1);	/* x2APIC without enable */
	CHECK_EQ(lapic_set_base(v, 0xfee00c00, false), 0);
	CHECK_EQ(lapic_set_base(v, 0xfee00800, false), 1);
	CHECK_EQ(lapic_set_base(v, 0xfee00000, false), 0);
	CHECK_EQ(lapic_set_base(v, 0xfee00c00, false), 1);
	CHECK_EQ(lapic_set_base(v, 0xfee00c00, true), 0);
	CHECK_EQ(lapic_set_base(v, 0xfee00800, true), 0);
	v->has_x2apic = false;
	CHECK_EQ(lapic_set_base(v, 0xfee00c00, true), 1);
	v->has_x2apic = true;
	CHECK_EQ(lapic_set_base(v, 0x1000800, false), 0);	/* the page moves */
	CHECK_EQ(lapic_mmio(v, false, 0xfee00030, &(u32) { 0 }, 4), -EOPNOTSUPP);
	CHECK_EQ(lapic_mmio(v, false, 0x1000030, &(u32) { 0 }, 4), 0);
	destroy();
}

static void x2apic_msrs(void)
{
	u64 data;
	u32 msr;

	create();
	CHECK_EQ(lapic_msr_read(&cpu[1], 0x802, &data), 1);
	CHECK_EQ(lapic_set_base(&cpu[1], 0xfee00c00, false), 0);
	CHECK_EQ(lapic_msr_read(&cpu[1], 0x802, &data), 0);
	CHECK_EQ(data, 1);
	CHECK_EQ(lapic_msr_write(&cpu[1], 0x80f, 0x1ff), 0);
	CHECK_EQ(lapic_msr_write(&cpu[1], 0x80f, 0x1000001ffULL), 1);
	CHECK_EQ(lapic_msr_write(&cpu[1], 0x83f, 0x77), 0);
	CHECK_EQ(take(&cpu[1]), 0x77);
	CHECK_EQ(lapic_msr_write(&cpu[1], 0x830, 0x100004078ULL), 0);
	CHECK_EQ(take(&cpu[1]), -1);			/* same class */
	CHECK_EQ(lapic_msr_write(&cpu[1], 0x80b, 0), 0);
	CHECK_EQ(take(&cpu[1]), 0x78);
	CHECK_EQ(lapic_msr_read(&cpu[1], 0x830, &data), 0);
	CHECK_EQ(data, 0x100004078ULL);
	for (msr = 0x840; msr < 0x900; msr++) {
		CHECK_EQ(lapic_msr_read(&cpu[1], msr, &data), 1);
		CHECK_EQ(lapic_msr_write(&cpu[1], msr, 0), 1);
	}
	CHECK_EQ(apic_read(&cpu[1], LAPIC_ID), 0xffffffff);	/* MMIO is a hole */
	destroy();
}

static void mmio_sizes(void)
{
	u8 data[8];
	u32 val = 0x1ff;

	create();
	CHECK_EQ(lapic_mmio(&cpu[0], false, 0xfee00032, data, 1), 0);
	CHECK_EQ(data[0], 5);
	CHECK_EQ(lapic_mmio(&cpu[0], false, 0xfee00032, data, 4), 0);
	CHECK_EQ(data[0], 0);
	CHECK_EQ(lapic_mmio(&cpu[0], false, 0xfee00030, data, 8), 0);
	CHECK_EQ(data[0], 0);
	lapic_mmio(&cpu[0], true, 0xfee000f0, &val, 2);
	lapic_mmio(&cpu[0], true, 0xfee000f4, &val, 4);
	CHECK_EQ(apic_read(&cpu[0], LAPIC_SVR), 0xff);
	CHECK_EQ(lapic_mmio(&cpu[0], false, 0xfee00fff, data, 8), 0);
	CHECK_EQ(lapic_mmio(&cpu[0], false, 0xfee01000, data, 4), -EOPNOTSUPP);
	CHECK_EQ(lapic_mmio(&cpu[0], false, 0xfedfffff, data, 4), -EOPNOTSUPP);
	CHECK_EQ(irqchip_mmio(&vm, false, 0xfec00000, data, 8), 0);
	CHECK_EQ(irqchip_mmio(&vm, false, 0xfec00100, data, 4), -EOPNOTSUPP);
	CHECK_EQ(irqchip_mmio(&vm, false, 0xfebfffff, data, 4), -EOPNOTSUPP);
	CHECK_EQ(irqchip_pio(&vm, false, 0x21, data, 2), -EOPNOTSUPP);
	CHECK_EQ(irqchip_pio(&vm, false, 0x20, data, 2), 0);
	CHECK_EQ(irqchip_pio(&vm, false, 0x22, data, 1), -EOPNOTSUPP);
	CHECK_EQ(pit_pio(&vm, false, 0x43, data, 2), -EOPNOTSUPP);
	CHECK_EQ(pit_pio(&vm, false, 0x40, data, 4), 0);
	CHECK_EQ(pit_pio(&vm, false, 0x3f, data, 1), -EOPNOTSUPP);
	CHECK_EQ(pit_pio(&vm, false, 0x61, data, 1), 0);
	destroy();
}

static void pit_ticks_through_the_pic(void)
{
	int i;

	create();
	setup_pic();
	setup_pit(1193);
	for (i = 0; i < 10; i++) {
		shim_advance(1000000, false);
		CHECK_EQ(take(&cpu[0]), 0x30);
		CHECK_EQ(take(&cpu[0]), -1);
		outb(0x20, 0x20);
		CHECK_EQ(take(&cpu[0]), -1);
	}
	/* 5 ticks while the guest is busy: they come one after the other. */
	shim_advance(5 * 999848, false);
	for (i = 0; i < 5; i++) {
		CHECK_EQ(take(&cpu[0]), 0x30);
		CHECK_EQ(take(&cpu[0]), -1);
		outb(0x20, 0x20);
	}
	CHECK_EQ(take(&cpu[0]), -1);
	destroy();
}

static void pit_ticks_through_the_ioapic(void)
{
	int i, n = 0;

	create();
	enable(&cpu[0]);
	apic_write(&cpu[0], LAPIC_LINT0, 0x10000);
	outb(0x21, 0xff);
	ioapic_put(0x10, 0x30);
	setup_pit(1193);
	shim_advance(7 * 999848, false);
	while (take(&cpu[0]) == 0x30) {
		n++;
		apic_write(&cpu[0], LAPIC_EOI, 0);
	}
	CHECK_EQ(n, 7);
	ioapic_put(0x10, 0x10030);	/* masked for a while: those ticks are gone */
	shim_advance(7 * 999848, false);
	ioapic_put(0x10, 0x30);
	CHECK_EQ(take(&cpu[0]), -1);
	shim_advance(999848, false);
	CHECK_EQ(take(&cpu[0]), 0x30);
	apic_write(&cpu[0], LAPIC_EOI, 0);
	/* Ticks that wait for an EOI are dropped by an unmask; the one that was sent is not. */
	shim_advance(4 * 999848, false);
	ioapic_put(0x10, 0x10030);
	ioapic_put(0x10, 0x30);
	CHECK_EQ(take(&cpu[0]), 0x30);
	apic_write(&cpu[0], LAPIC_EOI, 0);
	CHECK_EQ(take(&cpu[0]), -1);
	shim_advance(999848, false);
	CHECK_EQ(take(&cpu[0]), 0x30);
	/* A new vector while the old one is in service must not stop the ticks. */
	ioapic_put(0x10, 0x10040);
	ioapic_put(0x10, 0x40);
	apic_write(&cpu[0], LAPIC_EOI, 0);
	for (i = 0; i < 3; i++) {
		shim_advance(999848, false);
		CHECK_EQ(take(&cpu[0]), 0x40);
		apic_write(&cpu[0], LAPIC_EOI, 0);
	}
	destroy();
}

static void pit_bounds(void)
{
	struct minikvm_pit_state2 state, again;
	int n = 0;

	create();
	setup_pic();
	setup_pit(1);
	shim_fired = 0;
	shim_advance(10000000, false);
	CHECK_EQ(shim_fired, 50);
	shim_advance(3600ULL * 1000000000, true);	/* an hour at 5 kHz, late */
	CHECK(shim_fired <= 51);
	outb(0x43, 0x30);				/* one-shot, and no load: it goes on */
	while (take(&cpu[0]) == 0x30 && n < 20000) {
		n++;
		outb(0x20, 0x20);
	}
	CHECK(n > 9000 && n <= MAX_WAITING + 1);
	outb(0x40, 0);
	outb(0x40, 1);
	shim_fired = 0;
	shim_advance(10000000, false);
	CHECK_EQ(shim_fired, 1);
	pit_get(&vm, &state);
	CHECK_EQ(state.channels[0].count, 256);
	pit_set(&vm, &state);
	pit_get(&vm, &again);
	CHECK_EQ(again.channels[0].count, 256);
	memset(&state, 0xff, sizeof(state));
	pit_set(&vm, &state);
	shim_advance(10000000, false);
	memset(&state, 0, sizeof(state));
	state.channels[0].mode = 2;
	state.channels[0].count = 1;
	pit_set(&vm, &state);
	shim_fired = 0;
	shim_advance(10000000, false);
	CHECK_EQ(shim_fired, 50);
	destroy();
}

static void chip_state_ioctls(void)
{
	struct minikvm_irqchip chip = { .chip_id = 3 };

	create();
	CHECK_EQ(irqchip_get(&vm, &chip), -EINVAL);
	CHECK_EQ(irqchip_set(&vm, &chip), -EINVAL);
	for (chip.chip_id = 0; chip.chip_id < 3; chip.chip_id++) {
		memset(&chip.chip, 0xff, sizeof(chip.chip));
		CHECK_EQ(irqchip_get(&vm, &chip), 0);
		CHECK_EQ(chip.chip.dummy[511], 0);
		CHECK_EQ(irqchip_set(&vm, &chip), 0);
		memset(&chip.chip, 0xff, sizeof(chip.chip));
		CHECK_EQ(irqchip_set(&vm, &chip), 0);
	}
	line(3, 1);
	take(&cpu[0]);
	destroy();
}

static void without_chips(void)
{
	struct vcpu v = { .vm = &vm, .has_x2apic = true };
	u32 data;

	memset(&vm, 0, sizeof(vm));
	CHECK_EQ(lapic_create(&v), 0);
	lapic_reset(&v, false);
	CHECK(!v.lapic);
	CHECK_EQ(v.apic_base, 0xfee00900);
	CHECK_EQ(lapic_mmio(&v, false, 0xfee00020, &data, 4), -EOPNOTSUPP);
	CHECK_EQ(irqchip_pio(&vm, false, 0x20, &data, 1), -EOPNOTSUPP);
	CHECK_EQ(irqchip_mmio(&vm, false, 0xfec00000, &data, 4), -EOPNOTSUPP);
	CHECK_EQ(pit_pio(&vm, false, 0x40, &data, 1), -EOPNOTSUPP);
	CHECK_EQ(pit_get(&vm, &(struct minikvm_pit_state2) {}), -ENXIO);
	CHECK_EQ(irqchip_get(&vm, &(struct minikvm_irqchip) {}), -ENXIO);
	CHECK(!irqchip_has_interrupt(&v));
	CHECK_EQ(irqchip_take_interrupt(&v), -1);
	CHECK_EQ(lapic_set_base(&v, 0xfee00c00, true), 0);
	lapic_timer_expired(&v);
	lapic_reset(&v, true);
	CHECK_EQ(v.apic_base, 0xfee00c00);
	lapic_destroy(&v);
}

int main(void)
{
	RUN(creation_rules);
	RUN(line_status);
	RUN(pic_reaches_the_boot_cpu);
	RUN(level_interrupt_through_the_ioapic);
	RUN(ipis);
	RUN(init_and_sipi);
	RUN(msi);
	RUN(one_shot);
	RUN(divider_changes_while_running);
	RUN(periodic);
	RUN(periodic_rate_is_bounded);
	RUN(deadline);
	RUN(watched_deadline);
	RUN(timer_state_goes_round);
	RUN(base_msr);
	RUN(x2apic_msrs);
	RUN(mmio_sizes);
	RUN(pit_ticks_through_the_pic);
	RUN(pit_ticks_through_the_ioapic);
	RUN(pit_bounds);
	RUN(chip_state_ioctls);
	RUN(without_chips);
	return unit_end();
}
