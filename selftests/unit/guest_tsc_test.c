// SPDX-License-Identifier: GPL-2.0
/*
 * The time stamp counters of a VM: a frequency of their own, and what VMMs mean when they write
 * them one by one: module/cpu/tsc.c, module/vmx/guest_tsc.h. The host's counts 2 GHz.
 */
#include <string.h>
#include <linux/bitops.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include "unit.h"
#include "../../module/cpu/tsc.c"

#define MS	1000000		/* ns */

u64 tsc_lost;
unsigned int tsc_epoch;
struct vmx_caps vmx_caps;
static struct vm vm;
static struct vcpu cpu[2];
static int loads, clocks;

void vmx_load_tsc(struct vcpu *vcpu)
{
	CHECK(vcpu == &cpu[0] || vcpu == &cpu[1]);
	loads++;
}

void pv_clock_changed(struct vm *changed)
{
	CHECK(changed == &vm);
	clocks++;
}

/* Created a while ago, with two vCPUs. */
static void begin(u32 khz)
{
	int i;

	shim_now = 5000ull * MS;
	tsc_lost = 0;
	memset(&vm, 0, sizeof(vm));
	memset(cpu, 0, sizeof(cpu));
	vmx_caps.tsc_scaling = true;
	vm.tsc_base = host_tsc();
	shim_now += 300 * MS;
	for (i = 0; i < 2; i++) {
		cpu[i].vm = &vm;
		cpu[i].tsc_khz = khz;
		vcpu_reset_tsc(&cpu[i]);
	}
	loads = clocks = 0;
}

static void a_guests_counter_is_the_hosts_scaled_and_moved(void)
{
	begin(2000000);
	cpu[0].tsc_offset = 1000;
	CHECK_EQ(vcpu_tsc_at(&cpu[0], 500), 1500);
	cpu[0].tsc_offset = -200ull;
	CHECK_EQ(vcpu_tsc_at(&cpu[0], 500), 300);
	cpu[0].tsc_ratio = TSC_RATIO_ONE / 2;
	CHECK_EQ(vcpu_tsc_at(&cpu[0], 500), 50);	/* the offset is in the guest's ticks */
	cpu[0].tsc_ratio = 3 * TSC_RATIO_ONE;
	CHECK_EQ(vcpu_tsc_at(&cpu[0], 500), 1300);
}

static void a_frequency_near_the_hosts_is_the_hosts(void)
{
	static const struct { u32 khz; bool scaled; } rows[] = {
		{ 2000000, false }, { 2000500, false }, { 1999500, false },
		{ 2000501, true }, { 1999499, true }, { 1, true }, { 4000000, true },
	};
	size_t i;
	u64 ratio;

	begin(2000000);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		ratio = 99;
		CHECK_EQ(tsc_ratio_of(rows[i].khz, &ratio), 0);
		CHECK_EQ(!!ratio, rows[i].scaled);
	}
	CHECK_EQ(tsc_ratio_of(1000000, &ratio), 0);
	CHECK_EQ(ratio, TSC_RATIO_ONE / 2);
	CHECK_EQ(tsc_ratio_of(5000000, &ratio), 0);
	CHECK_EQ(ratio, TSC_RATIO_ONE / 2 * 5);
}

static void what_the_processor_cannot_is_refused(void)
{
	u64 ratio;

	begin(2000000);
	CHECK_EQ(tsc_ratio_of(S32_MAX, &ratio), -EINVAL);	/* as KVM */
	CHECK_EQ(tsc_ratio_of(0, &ratio), -EINVAL);
	vmx_caps.tsc_scaling = false;
	CHECK_EQ(tsc_ratio_of(1000000, &ratio), -EINVAL);
	CHECK_EQ(tsc_ratio_of(2000500, &ratio), 0);
	CHECK_EQ(ratio, 0);
}

static void vcpus_of_one_frequency_agree(void)
{
	begin(2000000);
	CHECK_EQ(vcpu_tsc(&cpu[0]), 600 * MS);		/* the VM began with 0 */
	CHECK_EQ(vcpu_tsc(&cpu[0]), vcpu_tsc(&cpu[1]));
	begin(1000000);
	CHECK_EQ(cpu[0].tsc_offset, cpu[1].tsc_offset);
	CHECK_EQ(vcpu_tsc(&cpu[0]), 300 * MS);
}

/* It shows what it would if it had always had that frequency. */
static void another_frequency(void)
{
	begin(2000000);
	CHECK_EQ(vcpu_set_tsc_khz(&cpu[0], 1000000), 0);
	CHECK_EQ(vcpu_tsc(&cpu[0]), 300 * MS);
	shim_now += 100 * MS;
	CHECK_EQ(vcpu_tsc(&cpu[0]), 400 * MS);
	CHECK_EQ(vcpu_tsc(&cpu[1]), 800 * MS);
	CHECK_EQ(loads, 1);
	CHECK_EQ(clocks, 1);
}

static void write(int id, u64 value)
{
	vcpu_write_tsc(&cpu[id], value, true);
}

/* Each a little later: the same number means the same moment. */
static void writes_that_mean_the_same_moment(void)
{
	static const u64 values[] = { 0, 1ull << 40, 500 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		begin(2000000);
		write(0, values[i]);
		if (values[i])
			CHECK_EQ(vcpu_tsc(&cpu[0]), values[i]);
		shim_now += 400 * MS;
		write(1, values[i]);
		CHECK_EQ(cpu[0].tsc_offset, cpu[1].tsc_offset);
	}
}

static void a_write_of_another_moment(void)
{
	begin(2000000);
	write(0, 500);
	shim_now += 1100 * MS;
	write(1, 500);		/* more than a second ago */
	CHECK_EQ(vcpu_tsc(&cpu[1]), 500);
	CHECK(cpu[0].tsc_offset != cpu[1].tsc_offset);
	write(0, 700);		/* near to what the VM's last one shows */
	CHECK_EQ(cpu[0].tsc_offset, cpu[1].tsc_offset);
	write(0, vcpu_tsc(&cpu[0]) + 2100ull * MS);	/* in the future */
	CHECK(cpu[0].tsc_offset != cpu[1].tsc_offset);
}

/* Within a second of what a new VM shows, but chosen. */
static void the_first_choice_counts(void)
{
	begin(2000000);
	write(0, 601 * MS);
	CHECK_EQ(vcpu_tsc(&cpu[0]), 601 * MS);
	write(0, 602 * MS);
	CHECK_EQ(vcpu_tsc(&cpu[0]), 601 * MS);
}

int main(void)
{
	RUN(a_guests_counter_is_the_hosts_scaled_and_moved);
	RUN(a_frequency_near_the_hosts_is_the_hosts);
	RUN(what_the_processor_cannot_is_refused);
	RUN(vcpus_of_one_frequency_agree);
	RUN(another_frequency);
	RUN(writes_that_mean_the_same_moment);
	RUN(a_write_of_another_moment);
	RUN(the_first_choice_counts);
	return unit_end();
}
