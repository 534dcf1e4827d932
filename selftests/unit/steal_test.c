// SPDX-License-Identifier: GPL-2.0
/*
 * Steal time: what the vCPU's thread has waited comes to the guest's memory, in an order in which
 * who reads meanwhile can tell: module/pv/steal.c.
 */
#include <string.h>
#include <linux/compiler.h>
#include <asm/barrier.h>

static void barrier(void);

#undef smp_wmb
#define smp_wmb()	barrier()

#include <linux/bitops.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>

#define CONFIG_SCHED_INFO
struct task_struct { struct { unsigned long long run_delay; } sched_info; };
static struct task_struct thread[2], *current;

#include "unit.h"
#include "../../module/pv/steal.c"

#define PLACE	0x4000

static struct vcpu vcpu;
static struct kvm_steal_time memory;	/* at PLACE */
static bool is_there;
static char order[32];			/* v: the version, s: the sum, |: a barrier */
static u32 versions[8];
static int n, nr_versions;

static void note(char what)
{
	if (n < (int)sizeof(order) - 1)
		order[n++] = what;
	order[n] = 0;
}

static void barrier(void)
{
	note('|');
}

int guest_read(struct vcpu *v, gpa_t gpa, void *data, size_t len)
{
	CHECK(v == &vcpu);
	CHECK(gpa >= PLACE && gpa + len <= PLACE + sizeof(memory));
	if (!is_there)
		return -ENXIO;
	memcpy(data, (char *)&memory + (gpa - PLACE), len);
	return 0;
}

int guest_write(struct vcpu *v, gpa_t gpa, const void *data, size_t len)
{
	size_t at = gpa - PLACE;

	CHECK(v == &vcpu);
	CHECK(at + len <= sizeof(memory));
	if (!is_there)
		return -ENXIO;
	memcpy((char *)&memory + at, data, len);
	if (at == offsetof(struct kvm_steal_time, version) && nr_versions < 8)
		versions[nr_versions++] = memory.version;
	note(at == offsetof(struct kvm_steal_time, version) ? 'v' : 's');
	return 0;
}

static void waits(int who, u64 ns)
{
	thread[who].sched_info.run_delay += ns;
}

/* A guest that has named its place, and was told once. */
static void begin(void)
{
	memset(&vcpu, 0, sizeof(vcpu));
	memset(&memory, 0, sizeof(memory));
	memset(thread, 0, sizeof(thread));
	current = &thread[0];
	waits(0, 5000);
	waits(1, 70000);
	is_there = true;
	CHECK_EQ(pv_steal_write(&vcpu, PLACE | KVM_MSR_ENABLED), 0);
	pv_steal_update(&vcpu);
	vcpu.requests = 0;
	n = nr_versions = 0;
	order[0] = 0;
}

static void what_the_thread_has_waited_is_added(void)
{
	begin();
	CHECK_EQ(memory.steal, 0);	/* what was before is nobody's */
	waits(0, 300);
	pv_steal_update(&vcpu);
	CHECK_EQ(memory.steal, 300);
	waits(0, 40);
	waits(0, 2);
	pv_steal_update(&vcpu);
	CHECK_EQ(memory.steal, 342);
	pv_steal_update(&vcpu);
	CHECK_EQ(memory.steal, 342);
}

static void who_reads_meanwhile_can_tell(void)
{
	begin();
	memory.version = 8;
	waits(0, 1);
	pv_steal_update(&vcpu);
	CHECK(!strcmp(order, "v|s|v"));
	CHECK_EQ(versions[0], 9);
	CHECK_EQ(versions[1], 10);
}

/* The guest has written there itself, or somebody has gone away in the middle. */
static void an_odd_version_is_put_right(void)
{
	begin();
	memory.version = 7;
	pv_steal_update(&vcpu);
	CHECK_EQ(versions[0], 9);
	CHECK_EQ(versions[1], 10);
}

static void another_threads_past_is_not_the_guests(void)
{
	begin();
	waits(0, 10);
	current = &thread[1];
	pv_steal_update(&vcpu);
	CHECK_EQ(memory.steal, 0);
	waits(1, 600);
	pv_steal_update(&vcpu);
	CHECK_EQ(memory.steal, 600);
}

static void it_is_written_when_there_is_something(void)
{
	begin();
	pv_steal_look(&vcpu);
	CHECK_EQ(vcpu.requests, 0);
	waits(0, 1);
	pv_steal_look(&vcpu);
	CHECK_EQ(vcpu.requests, BIT(REQ_STEAL));
	pv_steal_update(&vcpu);
	vcpu.requests = 0;
	current = &thread[1];
	waits(1, 5001 - 70000);		/* as much as the other one had */
	pv_steal_look(&vcpu);
	CHECK_EQ(vcpu.requests, BIT(REQ_STEAL));
}

static void nowhere_to_write(void)
{
	begin();
	is_there = false;
	waits(0, 300);
	pv_steal_update(&vcpu);
	is_there = true;
	CHECK(!strcmp(order, ""));
	pv_steal_write(&vcpu, PLACE);		/* off */
	waits(0, 4);
	pv_steal_update(&vcpu);
	CHECK_EQ(memory.steal, 0);
	CHECK(!strcmp(order, ""));
	pv_steal_write(&vcpu, PLACE | KVM_MSR_ENABLED);
	pv_steal_update(&vcpu);
	CHECK_EQ(memory.steal, 0);
	CHECK(!strcmp(order, "v|s|v"));
}

int main(void)
{
	RUN(what_the_thread_has_waited_is_added);
	RUN(who_reads_meanwhile_can_tell);
	RUN(an_odd_version_is_put_right);
	RUN(another_threads_past_is_not_the_guests);
	RUN(it_is_written_when_there_is_something);
	RUN(nowhere_to_write);
	return unit_end();
}
