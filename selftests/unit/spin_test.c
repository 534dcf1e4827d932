// SPDX-License-Identifier: GPL-2.0
/* A vCPU that spins, and who gets the rest of its time: module/run/spin.c. */
#include <string.h>

/* The instructions stay where they are: nobody executes one. */
#define vmx_vmwrite		insn_vmwrite
#include <linux/bitops.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include "../../module/vmx/insn.h"
#undef vmx_vmwrite

static u32 window;

static void vmx_vmwrite(unsigned long enc, unsigned long value)
{
	if (enc == 0x4022)
		window = value;
}

struct task_struct { int users, answer, asked; };

#include "unit.h"
#include "../../module/run/spin.c"

#define CPUS	4

static struct vm vm;
static struct vcpu cpu[CPUS];
static struct task_struct thread[CPUS];
static int asked;		/* yield_to() in all */

void get_task_struct(struct task_struct *t)
{
	t->users++;
}

void put_task_struct(struct task_struct *t)
{
	t->users--;
}

int yield_to(struct task_struct *t, bool preempt)
{
	CHECK_EQ(t->users, 2);		/* its own, and ours: it does not go away meanwhile */
	CHECK(preempt);
	t->asked++;
	asked++;
	return t->answer;
}

/* So many vCPUs, whose threads all run; the scheduler would give time to each. */
static void begin(u32 n)
{
	u32 i;

	memset(&vm, 0, sizeof(vm));
	memset(cpu, 0, sizeof(cpu));
	asked = 0;
	window = 0;
	for (i = 0; i < n; i++) {
		thread[i] = (struct task_struct) { .users = 1, .answer = 1 };
		cpu[i].vm = &vm;
		cpu[i].thread = &thread[i];
		vm.vcpus[i] = &cpu[i];
	}
	vm.nr_vcpus = n;
}

static int spins(int id)
{
	int verdict, i;

	verdict = exit_pause(&cpu[id], &cpu[id].exit);
	for (i = 0; i < (int)vm.nr_vcpus; i++)
		CHECK_EQ(thread[i].users, 1);
	return verdict;
}

static void who_waits_for_a_processor_gets_the_time(void)
{
	begin(4);
	cpu[2].ready = true;
	CHECK_EQ(spins(0), EXIT_SKIP);
	CHECK_EQ(thread[2].asked, 1);
	CHECK_EQ(asked, 1);
	CHECK_EQ(vm.boosted, 2);
	CHECK_EQ(window, SPIN_WINDOW);
}

static void nobody_else_does(void)
{
	begin(4);
	cpu[0].ready = true;		/* who spins itself: it has been preempted a moment ago */
	CHECK_EQ(spins(0), EXIT_SKIP);
	CHECK_EQ(asked, 0);
	cpu[3].ready = true;		/* not in RUN any more */
	cpu[3].thread = NULL;
	CHECK_EQ(spins(0), EXIT_SKIP);
	CHECK_EQ(asked, 0);
	CHECK_EQ(window, SPIN_WINDOW);
}

static void they_take_turns(void)
{
	int i;

	begin(4);
	for (i = 1; i < 4; i++)
		cpu[i].ready = true;
	for (i = 0; i < 9; i++)
		spins(0);
	CHECK_EQ(asked, 9);
	for (i = 1; i < 4; i++)
		CHECK_EQ(thread[i].asked, 3);
}

static void the_next_one_if_the_scheduler_will_not(void)
{
	begin(4);
	cpu[1].ready = cpu[3].ready = true;
	thread[1].answer = -3;
	spins(0);
	CHECK_EQ(thread[1].asked, 1);
	CHECK_EQ(thread[3].asked, 1);
	CHECK_EQ(vm.boosted, 3);
	thread[3].answer = 0;		/* it runs by now: that is no refusal, and no gift */
	spins(0);
	CHECK_EQ(vm.boosted, 3);
}

/* Each costs time, and is asked under locks of the scheduler. */
static void three_refusals_are_enough(void)
{
	static struct vcpu many[20];
	int i;

	begin(4);
	memset(many, 0, sizeof(many));
	for (i = 4; i < 20; i++) {
		many[i].thread = &thread[1];
		many[i].ready = true;
		vm.vcpus[i] = &many[i];
	}
	thread[1].answer = -3;
	vm.nr_vcpus = 20;
	exit_pause(&cpu[0], &cpu[0].exit);
	CHECK_EQ(asked, 3);
	CHECK_EQ(vm.boosted, 0);
}

static void who_is_alone_need_not_come_again(void)
{
	begin(1);
	CHECK_EQ(spins(0), EXIT_SKIP);
	CHECK_EQ(window, SPIN_WINDOW_ALONE);
}

int main(void)
{
	RUN(who_waits_for_a_processor_gets_the_time);
	RUN(nobody_else_does);
	RUN(they_take_turns);
	RUN(the_next_one_if_the_scheduler_will_not);
	RUN(three_refusals_are_enough);
	RUN(who_is_alone_need_not_come_again);
	return unit_end();
}
