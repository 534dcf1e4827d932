// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: several vCPUs of a VM, each in its thread, start one another and reach one another
 * with interrupts, and no message is lost, doubled or given to another one.
 *
 * The guests check themselves: vCPU 0 says with OUT to PORT_DONE that all went well, or to
 * PORT_LOST that it waits in vain. No guest takes an exception, and none spins with interrupts
 * off: an emulated machine has faults there.
 */
#include "lib/smp.h"

#define EXPECT_DONE() do {						\
	int end_ = go();						\
	if (end_ != PORT_DONE)						\
		show();							\
	ASSERT_EQ(PORT_DONE, end_);					\
} while (0)

FIXTURE(apic) { };
FIXTURE_VARIANT(apic) { bool x2apic; };
FIXTURE_VARIANT_ADD(apic, xapic) { .x2apic = false };
FIXTURE_VARIANT_ADD(apic, x2apic) { .x2apic = true };
FIXTURE_SETUP(apic) { }
FIXTURE_TEARDOWN(apic) { unmake(); }

/* Halted with interrupts off, halted, spinning: each is started over, and begins. */
TEST_F(apic, init_and_sipi_start_a_vcpu_again_and_again)
{
	make(MAX_CPUS, variant->x2apic);
	prepare(0, starter, starter_end, variant->x2apic, 100);
	EXPECT_DONE();
	for (int i = 1; i < nr_cpus; i++)
		ASSERT_EQ(100, *counter(i));
}

TEST_F(apic, two_vcpus_start_each_other_no_less)
{
	make(2, variant->x2apic);
	prepare(0, starter, starter_end, variant->x2apic, 300);
	EXPECT_DONE();
	ASSERT_EQ(300, *counter(1));
}

TEST_F(apic, an_interrupt_goes_round_by_halting)
{
	make(3, variant->x2apic);
	for (int i = 0; i < nr_cpus; i++)
		prepare(i, ring_halting, ring_halting_end, variant->x2apic, 200);
	handlers();
	EXPECT_DONE();
	ASSERT_EQ(200, *counter(0));
	ASSERT_EQ(200, *counter(1));
	ASSERT_EQ(200, *counter(2));
}

TEST_F(apic, an_interrupt_goes_round_by_spinning)
{
	make(2, variant->x2apic);
	for (int i = 0; i < nr_cpus; i++)
		prepare(i, ring_spinning, ring_spinning_end, variant->x2apic, 100);
	handlers();
	EXPECT_DONE();
	ASSERT_EQ(100, *counter(0));
	ASSERT_EQ(100, *counter(1));
}

/* One halts, one spins, one halts with interrupts off (and gets only what may wake it). */
static void listen(bool x2apic, bool closed, int rounds)
{
	make(3, x2apic);
	prepare(0, sender, sender_end, x2apic, rounds);
	if (closed)
		prepare(1, halted_closed, halted_closed_end, x2apic, 0);
	else
		prepare(1, halted, halted_end, x2apic, 0);
	prepare(2, spinning, spinning_end, x2apic, 0);
	handlers();
}

TEST_F(apic, messages_reach_whom_they_address)
{
	uint32_t everybody = variant->x2apic ? ~0U : 0xff;
	const struct { uint32_t icr, dest; int first, counts[3]; } cases[] = {
		{ ICR_FIXED | ICR_TO_ALL, 0, 0, { 50, 50, 50 } },
		{ ICR_FIXED | ICR_TO_OTHERS, 0, 1, { 0, 50, 50 } },
		{ ICR_FIXED, everybody, 0, { 50, 50, 50 } },
		{ ICR_FIXED, 2, 2, { 0, 0, 50 } },
		{ ICR_FIXED | ICR_LOGICAL, 7, 0, { 50, 50, 50 } },
		{ ICR_FIXED | ICR_LOGICAL, 6, 1, { 0, 50, 50 } },
		{ ICR_NMI, 2, 2, { 0, 0, 50 } },
		{ ICR_NMI | ICR_LOGICAL, 6, 1, { 0, 50, 50 } },
		{ ICR_NMI | ICR_TO_OTHERS, 0, 1, { 0, 50, 50 } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		listen(variant->x2apic, (cases[i].icr & 0x700) == 0x400, 50);
		send(cases[i].icr, cases[i].dest, cases[i].first);
		EXPECT_DONE();
		for (int id = 0; id < 3; id++) {
			ASSERT_EQ(cases[i].counts[id], *counter(id)) {
				TH_LOG("vCPU %d", id);
			}
		}
		if (i + 1 < sizeof(cases) / sizeof(cases[0]))
			unmake();
	}
}

TEST_F(apic, lowest_priority_reaches_one_of_many)
{
	listen(variant->x2apic, false, 50);
	prepare(0, one_of_many, one_of_many_end, variant->x2apic, 50);
	handlers();
	send(ICR_LOWEST | ICR_LOGICAL, 7, 0);
	EXPECT_DONE();
	ASSERT_EQ(50, *counter(0) + *counter(1) + *counter(2));
}

TEST_HARNESS_MAIN
