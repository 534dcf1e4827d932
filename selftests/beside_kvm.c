// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: a VM of KVM's and one of minikvm's, on one CPU or moving between CPUs, in one thread by
 * turns or in two, each keep what they have in the processor, and the host keeps its own:
 * registers, TSC_AUX, where SYSCALL goes.
 *
 * Skips unless both devices are there.
 */
#include "lib/beside.h"

FIXTURE(both)
{
	struct side kvm, ours, third;
};

FIXTURE_SETUP(both)
{
	if (!beside_possible())
		SKIP(return, "one of the devices is not there");
	pin(0);
}

FIXTURE_TEARDOWN(both)
{
	side_free(&self->ours);
	side_free(&self->kvm);
	side_free(&self->third);
}

#define EXPECT_RIGHT(s) ASSERT_EQ(0, (s)->bad) TH_LOG("wrong: %s", (s)->wrong)

static void in_threads(struct side *sides[], int n)
{
	pthread_t threads[4];
	int i;

	for (i = 0; i < n; i++)
		pthread_create(&threads[i], NULL, side_thread, sides[i]);
	for (i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

TEST_F(both, take_turns_in_one_thread)
{
	int i;

	side_make(&self->kvm, "/dev/kvm", 0x11, 3);
	side_make(&self->ours, "/dev/minikvm", 0x22, 3);
	for (i = 0; i < beside_rounds(300); i++) {
		side_one(&self->kvm);
		side_one(&self->ours);
		EXPECT_RIGHT(&self->kvm);
		EXPECT_RIGHT(&self->ours);
	}
}

/*
 * None of the guests exits for many ticks of the host's: the scheduler takes the CPU from one
 * and gives it to another, none of which sees user mode in between. What KVM has left there for
 * its guest it takes for granted when that goes on. (With two of its it would write it anew.)
 */
TEST_F(both, share_one_CPU)
{
	struct side *sides[] = { &self->ours, &self->kvm, &self->third };
	int i;

	side_make(&self->ours, "/dev/minikvm", 0x33, 100000);
	side_make(&self->kvm, "/dev/kvm", 0x44, 150000);
	side_make(&self->third, "/dev/minikvm", 0x57, 120000);
	for (i = 0; i < 3; i++) {
		sides[i]->rounds = beside_rounds(300) / 20;
		sides[i]->preempted = 8;
	}
	in_threads(sides, 3);
	for (i = 0; i < 3; i++)
		EXPECT_RIGHT(sides[i]);
}

TEST_F(both, move_between_CPUs)
{
	struct side *sides[] = { &self->ours, &self->kvm, &self->third };
	int i;

	side_make(&self->kvm, "/dev/kvm", 0x55, 50);
	side_make(&self->ours, "/dev/minikvm", 0x66, 70);
	side_make(&self->third, "/dev/minikvm", 0x77, 20000);
	for (i = 0; i < 3; i++)
		sides[i]->moves = true;
	self->third.rounds = beside_rounds(300) / 10;
	in_threads(sides, 3);
	for (i = 0; i < 3; i++)
		EXPECT_RIGHT(sides[i]);
}

TEST_HARNESS_MAIN
