// SPDX-License-Identifier: GPL-2.0
/*
 * The chips together: APIC IDs that are not the vCPU's number, are somebody else's, too, or have
 * more than 8 bits; and which vCPU boots.
 */
#include "chips_model.h"

#define TO(id)	((u32)(id) << 24)

static void send(u32 dest, u8 vector)
{
	apic_write(&cpu[0], LAPIC_ICR2, dest);
	apic_write(&cpu[0], LAPIC_ICR, 0x4000 | vector);
}

/* What arrived last, and is ended. */
static int got(struct vcpu *vcpu)
{
	bool level;
	int vector = take(vcpu);

	if (vector >= 0)
		lapic_regs_eoi(&vcpu->lapic->regs, &level);
	return vector;
}

static void begin(u32 first, u32 second)
{
	ids[0] = first;
	ids[1] = second;
	create();
	enable(&cpu[0]);
	enable(&cpu[1]);
}

static void end(void)
{
	lapic_destroy(&cpu[0]);
	lapic_destroy(&cpu[1]);
	CHECK_EQ(vm.apic_aliases.n, 0);
	CHECK_EQ(vm.apic_narrow.n, 0);
	destroy();
}

static void ids_need_not_follow_the_order(void)
{
	begin(1, 0);
	send(TO(0), 0x41);
	CHECK_EQ(got(&cpu[0]), -1);
	CHECK_EQ(got(&cpu[1]), 0x41);
	send(TO(1), 0x42);
	CHECK_EQ(got(&cpu[0]), 0x42);
	CHECK_EQ(got(&cpu[1]), -1);
	end();
	begin(7, 200);
	send(TO(200), 0x43);
	CHECK_EQ(got(&cpu[1]), 0x43);
	send(TO(7), 0x44);
	CHECK_EQ(got(&cpu[0]), 0x44);
	send(TO(1), 0x45);			/* a slot, but nobody's ID */
	CHECK_EQ(got(&cpu[0]), -1);
	CHECK_EQ(got(&cpu[1]), -1);
	end();
}

/* Both hear it; then one of them only. */
static void an_id_that_two_have(void)
{
	begin(0, 1);
	CHECK_EQ(vm.apic_aliases.n, 0);
	apic_write(&cpu[1], LAPIC_ID, TO(0));
	CHECK_EQ(vm.apic_aliases.n, 1);
	send(TO(0), 0x41);
	CHECK_EQ(got(&cpu[0]), 0x41);
	CHECK_EQ(got(&cpu[1]), 0x41);
	send(TO(1), 0x42);
	CHECK_EQ(got(&cpu[1]), -1);
	apic_write(&cpu[0], LAPIC_ID, TO(9));
	CHECK_EQ(vm.apic_aliases.n, 2);
	send(TO(9), 0x43);
	CHECK_EQ(got(&cpu[0]), 0x43);
	apic_write(&cpu[0], LAPIC_ID, TO(0));
	apic_write(&cpu[1], LAPIC_ID, TO(1));
	CHECK_EQ(vm.apic_aliases.n, 0);
	send(TO(0), 0x44);
	CHECK_EQ(got(&cpu[0]), 0x44);
	CHECK_EQ(got(&cpu[1]), -1);
	end();
}

/* 261 is 5 in 8 bits, until x2APIC mode. */
static void an_id_of_more_than_8_bits(void)
{
	begin(5, 261);
	CHECK_EQ(vm.apic_aliases.n, 1);
	CHECK_EQ(apic_read(&cpu[1], LAPIC_ID), TO(5));
	send(TO(5), 0x41);
	CHECK_EQ(got(&cpu[0]), 0x41);
	CHECK_EQ(got(&cpu[1]), 0x41);
	vm.x2apic_api = MINIKVM_X2APIC_API_USE_32BIT_IDS;
	send(TO(5), 0x42);
	CHECK_EQ(got(&cpu[0]), 0x42);
	CHECK_EQ(got(&cpu[1]), -1);
	CHECK_EQ(lapic_set_base(&cpu[0], 0xfee00c00, true), 0);
	CHECK_EQ(lapic_msr_write(&cpu[0], 0x830, 261ull << 32 | 0x4043), 0);
	CHECK_EQ(got(&cpu[1]), 0x43);		/* though it is in xAPIC mode yet */
	CHECK_EQ(lapic_set_base(&cpu[1], 0xfee00c00, true), 0);
	CHECK_EQ(vm.apic_aliases.n, 0);
	CHECK_EQ(lapic_msr_write(&cpu[0], 0x830, 261ull << 32 | 0x4044), 0);
	CHECK_EQ(got(&cpu[1]), 0x44);
	CHECK_EQ(lapic_msr_write(&cpu[1], 0x830, 5ull << 32 | 0x4045), 0);
	CHECK_EQ(got(&cpu[0]), 0x45);
	CHECK_EQ(lapic_set_base(&cpu[1], 0xfee00800, true), 0);
	CHECK_EQ(vm.apic_aliases.n, 1);
	end();
	begin(0, 261);				/* nobody else is 5 */
	vm.x2apic_api = MINIKVM_X2APIC_API_USE_32BIT_IDS;
	send(TO(5), 0x46);
	CHECK_EQ(got(&cpu[1]), 0x46);
	end();
}

static void clusters_of_high_ids(void)
{
	begin(16 * 40 + 3, 16 * 40 + 15);
	CHECK_EQ(lapic_set_base(&cpu[0], 0xfee00c00, true), 0);
	CHECK_EQ(lapic_set_base(&cpu[1], 0xfee00c00, true), 0);
	CHECK_EQ(lapic_msr_write(&cpu[0], 0x830, (40ull << 16 | 0x8000) << 32 | 0x4841), 0);
	CHECK_EQ(got(&cpu[0]), -1);
	CHECK_EQ(got(&cpu[1]), 0x41);
	CHECK_EQ(lapic_msr_write(&cpu[1], 0x830, (40ull << 16 | 0x8008) << 32 | 0x4842), 0);
	CHECK_EQ(got(&cpu[0]), 0x42);
	CHECK_EQ(got(&cpu[1]), 0x42);
	CHECK_EQ(lapic_msr_write(&cpu[0], 0x830, (41ull << 16 | 0xffff) << 32 | 0x4843), 0);
	CHECK_EQ(got(&cpu[1]), -1);
	end();
}

/* By ID where all are in x2APIC mode; an APIC in xAPIC mode reads the 8 bits in its own way. */
static void clusters(void)
{
	begin(0, 1);
	apic_write(&cpu[1], LAPIC_LDR, 1 << 24);
	CHECK_EQ(lapic_set_base(&cpu[0], 0xfee00d00, true), 0);
	CHECK_EQ(vm.apic_narrow.n, 1);
	CHECK_EQ(lapic_msr_write(&cpu[0], 0x830, 1ull << 32 | 0x4841), 0);
	CHECK_EQ(got(&cpu[0]), 0x41);
	CHECK_EQ(got(&cpu[1]), 0x41);
	CHECK_EQ(lapic_set_base(&cpu[1], 0xfee00c00, true), 0);
	CHECK_EQ(vm.apic_narrow.n, 0);
	CHECK_EQ(lapic_msr_write(&cpu[0], 0x830, 1ull << 32 | 0x4842), 0);
	CHECK_EQ(got(&cpu[0]), 0x42);
	CHECK_EQ(got(&cpu[1]), -1);
	CHECK_EQ(lapic_msr_write(&cpu[0], 0x830, 0xffull << 32 | 0x4843), 0);	/* no broadcast */
	CHECK_EQ(got(&cpu[0]), 0x43);
	CHECK_EQ(got(&cpu[1]), 0x43);
	CHECK_EQ(lapic_msr_write(&cpu[0], 0x830, 0x1ffffull << 32 | 0x4844), 0); /* cluster 1 */
	CHECK_EQ(got(&cpu[0]), -1);
	CHECK_EQ(got(&cpu[1]), -1);
	CHECK_EQ(lapic_msr_write(&cpu[0], 0x830, 0xffffffffull << 32 | 0x4845), 0);
	CHECK_EQ(got(&cpu[0]), 0x45);
	CHECK_EQ(got(&cpu[1]), 0x45);
	CHECK_EQ(lapic_msr_write(&cpu[0], 0x830, 3ull << 32 | 0x4946), 0);	/* lowest: one */
	CHECK_EQ((got(&cpu[0]) == 0x46) + (got(&cpu[1]) == 0x46), 1);
	CHECK_EQ(lapic_set_base(&cpu[1], 0xfee00000, true), 0);
	CHECK_EQ(lapic_msr_write(&cpu[0], 0x830, 3ull << 32 | 0x4c00), 0);	/* NMI; one is off */
	CHECK_EQ(heard[0].nmis, 1);
	CHECK_EQ(heard[1].nmis, 0);
	end();
}

static void one_that_is_off_hears_nothing(void)
{
	begin(0, 1);
	CHECK_EQ(lapic_set_base(&cpu[1], 0xfee00000, true), 0);
	apic_write(&cpu[0], LAPIC_ICR2, TO(1));
	apic_write(&cpu[0], LAPIC_ICR, 0x4400);		/* NMI */
	CHECK_EQ(heard[1].nmis, 0);
	CHECK_EQ(lapic_set_base(&cpu[1], 0xfee00800, true), 0);
	apic_write(&cpu[0], LAPIC_ICR, 0x4400);
	CHECK_EQ(heard[1].nmis, 1);
	end();
}

static void the_vmm_chooses_who_boots(void)
{
	begin(0, 1);
	vm.boot_id = 1;
	lapic_reset(&cpu[0], false);
	lapic_reset(&cpu[1], false);
	CHECK_EQ(cpu[0].apic_base, 0xfee00800);
	CHECK_EQ(cpu[1].apic_base, 0xfee00900);
	CHECK_EQ(apic_read(&cpu[0], LAPIC_LINT0), LAPIC_LVT_MASKED);
	CHECK_EQ(apic_read(&cpu[1], LAPIC_LINT0), LAPIC_LVT_EXTINT);
	end();
}

int main(void)
{
	RUN(ids_need_not_follow_the_order);
	RUN(an_id_that_two_have);
	RUN(an_id_of_more_than_8_bits);
	RUN(clusters_of_high_ids);
	RUN(clusters);
	RUN(one_that_is_off_hears_nothing);
	RUN(the_vmm_chooses_who_boots);
	return unit_end();
}
