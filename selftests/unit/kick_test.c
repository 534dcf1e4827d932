// SPDX-License-Identifier: GPL-2.0
/*
 * How to get a vCPU's attention: module/vmx/kick.c. The vCPU's thread may do its next step at any
 * moment of a kick; the sender's stores are seen by it when a barrier says so, and not before.
 */
#include <string.h>
#include <linux/compiler.h>
#include <asm/barrier.h>

static void moment(void);
static void barrier(void);

/* Others may come before a look, and after it. */
#undef READ_ONCE
#define READ_ONCE(x)	({ moment(); typeof(x) shim_x = (x); moment(); shim_x; })
#undef smp_mb
#define smp_mb()	barrier()

#include <linux/bitops.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/printk.h>
#include "unit.h"
#include "../../module/vmx/kick.c"

#define HERE	1
#define THERE	3

static struct vm vm;
static struct vcpu vcpu;

static struct {
	int moments, woken, ipis, ipi_to;
	u8 stay;		/* when the IPI was sent */
	bool asleep;		/* the vCPU's thread */
} seen;

int smp_processor_id(void)
{
	return HERE;
}

void arch_smp_send_reschedule(int cpu)
{
	moment();
	seen.ipis++;
	seen.ipi_to = cpu;
	seen.stay = vcpu.stay;
}

int rcuwait_wake_up(struct rcuwait *wait)
{
	bool slept = seen.asleep;

	CHECK(wait == &vcpu.wait);
	moment();		/* a barrier of its own would be no promise to us */
	seen.woken++;
	seen.asleep = false;
	return slept;
}

void smp_call_function_many(const struct cpumask *mask, void (*fn)(void *info), void *info,
			    bool wait)
{
	(void)mask;
	(void)wait;
	fn(info);
}

/* ---- the vCPU's thread: at which moment it comes to an entry, and what it finds */

static int its_moment;		/* 0: never */
static bool visible;		/* the request */
static bool entered, found;

/* As run/run.c: it says where it is, then looks. */
static void entry(void)
{
	vcpu.guest_cpu = THERE;
	found = visible;
	entered = !found;
	if (found)
		vcpu.guest_cpu = -1;
}

static void moment(void)
{
	if (++seen.moments == its_moment)
		entry();
}

static void barrier(void)
{
	moment();
	visible = true;
	moment();
}

static void begin(int guest_cpu)
{
	memset(&vcpu, 0, sizeof(vcpu));
	memset(&seen, 0, sizeof(seen));
	vcpu.vm = &vm;
	vcpu.guest_cpu = guest_cpu;
	vcpu.stay = 5;
	its_moment = 0;
	visible = entered = found = false;
}

/* ---- */

static void who_sleeps_is_woken(void)
{
	begin(-1);
	seen.asleep = true;
	vcpu_kick(&vcpu);
	CHECK_EQ(seen.woken, 1);
	CHECK(vcpu.ready);		/* it waits for a processor now */
	begin(-1);
	vcpu_kick(&vcpu);
	CHECK_EQ(seen.woken, 1);
	CHECK(!vcpu.ready);
	CHECK_EQ(seen.ipis, 0);
}

static void who_is_in_the_guest_gets_an_ipi(void)
{
	begin(THERE);
	vcpu_kick(&vcpu);
	CHECK_EQ(seen.ipis, 1);
	CHECK_EQ(seen.ipi_to, THERE);
	CHECK_EQ(seen.stay, 0);		/* if the IPI gets lost, the next stay is short */
	begin(0);
	vcpu_kick(&vcpu);
	CHECK_EQ(seen.ipis, 1);
	CHECK_EQ(seen.ipi_to, 0);
	begin(HERE);			/* it is no guest that calls this */
	vcpu_kick(&vcpu);
	CHECK_EQ(seen.ipis, 0);
	begin(-1);
	vcpu_kick(&vcpu);
	CHECK_EQ(seen.ipis, 0);
}

/* Whenever the thread comes to its entry, it finds the request, or the IPI finds it. */
static void a_kick_is_never_lost(void)
{
	int moments, i;

	begin(-1);
	vcpu_kick(&vcpu);
	moments = seen.moments;
	CHECK(moments >= 4);
	for (i = 1; i <= moments; i++) {
		begin(-1);
		its_moment = i;
		vcpu_kick(&vcpu);
		CHECK(found || (entered && seen.ipis == 1));
	}
}

static void a_request_is_there_and_kicks(void)
{
	begin(-1);
	vcpu_request(&vcpu, REQ_TIMER);
	CHECK_EQ(vcpu.requests, BIT(REQ_TIMER));
	CHECK_EQ(seen.woken, 1);
	vcpu_request(&vcpu, REQ_EVENT);
	CHECK_EQ(vcpu.requests, BIT(REQ_TIMER) | BIT(REQ_EVENT));
}

static void two_nmis_wait_at_most(void)
{
	int i;

	begin(-1);
	for (i = 1; i <= 4; i++) {
		vcpu.requests = 0;
		vcpu_queue_nmi(&vcpu);
		CHECK_EQ(atomic_read(&vcpu.nmi_queued), i < 2 ? i : 2);
		CHECK_EQ(vcpu.requests, i <= 2 ? BIT(REQ_EVENT) : 0);
	}
}

int main(void)
{
	RUN(who_sleeps_is_woken);
	RUN(who_is_in_the_guest_gets_an_ipi);
	RUN(a_kick_is_never_lost);
	RUN(a_request_is_there_and_kicks);
	RUN(two_nmis_wait_at_most);
	return unit_end();
}
