// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: where the processor carries out a local APIC, it finds in the register page what it
 * needs, is told what has changed there, and nobody writes there while it may.
 */
#include "chips_model.h"

static struct lapic_regs apic;
static u8 page[4096] __attribute__((aligned(4096)));

static void reset(enum lapic_mode mode)
{
	static atomic_t aliases, narrow;

	memset(page, 0, sizeof(page));
	apic.aliases = &aliases;
	apic.narrow = &narrow;
	lapic_regs_init(&apic, page, 0, false);
	apic.shared = false;
	apic.mode = LAPIC_XAPIC;
	lapic_regs_reset(&apic, false, true);
	lapic_regs_set_mode(&apic, mode);
}

static int eoi(void)
{
	bool level;

	return lapic_regs_eoi(&apic, &level);
}

/* What senders leave is not in the page before the owner has taken it there. */
static void reset_posting(bool shared)
{
	reset(LAPIC_X2APIC);
	lapic_regs_init(&apic, page, 0, true);
	lapic_regs_share(&apic, shared);
}

static void a_shared_page_is_the_processors(void)
{
	int v, shared;

	for (shared = 0; shared < 2; shared++) {
		reset_posting(shared);
		for (v = 16; v < 256; v++) {
			lapic_regs_request(&apic, v, v & 1);
			CHECK(lapic_regs_busy(&apic, v));
			CHECK_EQ(lapic_regs_requested(&apic), -1);
			lapic_regs_merge(&apic);
			CHECK_EQ(lapic_regs_requested(&apic), v);
			CHECK_EQ(lapic_regs_pending(&apic), v);
			CHECK_EQ(lapic_regs_is_level(&apic, v), v & 1);
			lapic_regs_take(&apic, v);
			lapic_regs_merge(&apic);
			CHECK_EQ(lapic_regs_requested(&apic), -1);
			CHECK_EQ(lapic_regs_in_service(&apic), v);
			CHECK_EQ(eoi(), v);
			CHECK_EQ(lapic_regs_in_service(&apic), -1);
			CHECK(!lapic_regs_busy(&apic, v));
		}
	}
	/* The processor takes and ends vectors by itself. */
	lapic_reg_set(&apic, LAPIC_ISR + 0x20, 1);
	CHECK_EQ(lapic_regs_in_service(&apic), 0x40);
	lapic_reg_set(&apic, LAPIC_ISR + 0x20, 0);
	CHECK_EQ(lapic_regs_in_service(&apic), -1);
	lapic_reg_set(&apic, LAPIC_ISR + 0x40, 2);
	lapic_regs_share(&apic, false);
	CHECK_EQ(eoi(), 0x81);
	CHECK_EQ(apic.isr_words, 0);
}

static void what_was_on_its_way_is_lost_with_the_rest(void)
{
	struct minikvm_lapic_state state;

	reset_posting(true);
	lapic_regs_request(&apic, 0x41, false);
	lapic_regs_reset(&apic, true, false);
	lapic_regs_merge(&apic);
	CHECK_EQ(lapic_regs_requested(&apic), -1);
	lapic_regs_get(&apic, &state);
	lapic_regs_request(&apic, 0x41, false);
	lapic_regs_set(&apic, &state);
	lapic_regs_merge(&apic);
	CHECK_EQ(lapic_regs_requested(&apic), -1);
	/* An MSR that is read from the page has its upper half behind the register. */
	memset(&state, 0xff, sizeof(state));
	lapic_regs_set(&apic, &state);
	for (u32 reg = 0; reg < 0x400; reg += 16)
		CHECK(!memcmp(page + reg + 4, "\0\0\0\0\0\0\0\0\0\0\0", 12));
}

static void a_tpr_to_wait_for(void)
{
	static const struct { u8 tpr, irr, threshold; } rows[] = {
		{ 0, 0, 0 }, { 0, 0x20, 0 }, { 0x10, 0, 0 }, { 0x10, 0x20, 0 }, { 0x10, 0x1f, 1 },
		{ 0x20, 0x2f, 2 }, { 0x2f, 0x20, 2 }, { 0x20, 0x30, 0 }, { 0xf0, 0x41, 4 },
		{ 0xff, 0xff, 15 }, { 0xe0, 0xff, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		reset(LAPIC_XAPIC);
		if (rows[i].irr)
			lapic_regs_request(&apic, rows[i].irr, false);
		lapic_regs_write(&apic, LAPIC_TPR, rows[i].tpr);
		CHECK_EQ(lapic_regs_threshold(&apic), rows[i].threshold);
	}
}

/* A VM whose first vCPU is in x2APIC mode, on a processor with APICv. */
static void create_apicv(void)
{
	vmx_caps.tpr_shadow = vmx_caps.apicv = true;
	memset(&told, 0, sizeof(told));
	create();
	CHECK_EQ(lapic_set_base(&cpu[0], 0xfee00d00, false), 0);
	CHECK_EQ(lapic_msr_write(&cpu[0], 0x80f, 0x1ff), 0);
	CHECK_EQ(cpu[0].apicv, APICV_X2APIC);
	CHECK_EQ(cpu[1].apicv, APICV_OFF);
}

static void destroy_apicv(void)
{
	destroy();
	vmx_caps.tpr_shadow = vmx_caps.apicv = false;
}

static void post(u8 vector)
{
	struct minikvm_msi msi = { .address_lo = 0xfee00000, .data = vector };

	cpu[0].requests = 0;
	CHECK_EQ(irqchip_signal_msi(&vm, &msi), 1);
	CHECK(cpu[0].requests & BIT(REQ_EVENT));
}

static void the_processor_is_told(void)
{
	create_apicv();
	post(0x41);
	post(0x61);
	CHECK_EQ(lapic_reg(&cpu[0].lapic->regs, LAPIC_IRR + 0x30), 0);
	CHECK(irqchip_has_interrupt(&cpu[0]));
	CHECK(!irqchip_has_injection(&cpu[0]));
	CHECK_EQ(irqchip_take_interrupt(&cpu[0]), -1);
	lapic_apicv_deliver(&cpu[0]);
	CHECK_EQ(told.requested, 0x61);
	CHECK_EQ(told.in_service, -1);
	/* As the processor delivers one; then software looks after the rest. */
	lapic_regs_take(&cpu[0].lapic->regs, 0x61);
	lapic_apicv_deliver(&cpu[0]);
	CHECK_EQ(told.requested, 0x41);
	CHECK_EQ(told.in_service, 0x61);
	cpu[0].debug.control = MINIKVM_GUESTDBG_ENABLE;
	lapic_apicv_update(&cpu[0]);
	CHECK_EQ(cpu[0].apicv, APICV_OFF);
	post(0x71);
	CHECK_EQ(take(&cpu[0]), 0x71);
	CHECK_EQ(lapic_msr_write(&cpu[0], 0x80b, 0), 0);
	CHECK_EQ(lapic_msr_write(&cpu[0], 0x80b, 0), 0);
	CHECK_EQ(take(&cpu[0]), 0x41);
	cpu[0].debug.control = 0;
	lapic_apicv_update(&cpu[0]);
	CHECK_EQ(cpu[0].apicv, APICV_X2APIC);
	CHECK_EQ(lapic_set_base(&cpu[0], 0xfee00100, false), 0);
	CHECK_EQ(cpu[0].apicv, APICV_OFF);
	destroy_apicv();
}

static void the_ends_that_matter_exit(void)
{
	create_apicv();
	cpu[0].requests = 0;
	ioapic_put(0x10 + 2 * 9, 0x8071);	/* level triggered */
	CHECK(cpu[0].requests & BIT(REQ_EVENT));
	line(9, 1);
	lapic_apicv_deliver(&cpu[0]);
	CHECK_EQ(told.requested, 0x71);
	CHECK_EQ(told.eoi_exits[1] >> (0x71 - 64) & 1, 1);
	/* The processor has ended it, and the line is still high: once more. */
	lapic_regs_take(&cpu[0].lapic->regs, 0x71);
	lapic_regs_eoi(&cpu[0].lapic->regs, &(bool){ false });
	lapic_apicv_eoi(&cpu[0], 0x71);
	lapic_apicv_deliver(&cpu[0]);
	CHECK_EQ(told.requested, 0x71);
	ioapic_put(0x10 + 2 * 9, 0x18071 & ~0x8000);
	lapic_apicv_deliver(&cpu[0]);
	CHECK_EQ(told.eoi_exits[1] >> (0x71 - 64) & 1, 0);
	destroy_apicv();
}

static void a_threshold_is_set_and_forgotten(void)
{
	create();
	vmx_caps.tpr_shadow = true;
	enable(&cpu[0]);
	lapic_set_tpr(&cpu[0], 5);
	post(0x41);
	CHECK_EQ(take(&cpu[0]), -1);
	lapic_watch_tpr(&cpu[0]);
	CHECK_EQ(cpu[0].tpr_threshold, 4);
	/* A TPR below it is refused by an entry: it must be looked at before. */
	cpu[0].requests = 0;
	lapic_set_tpr(&cpu[0], 3);
	CHECK(cpu[0].requests & BIT(REQ_EVENT));
	CHECK_EQ(take(&cpu[0]), 0x41);
	lapic_watch_tpr(&cpu[0]);
	CHECK_EQ(cpu[0].tpr_threshold, 0);
	destroy();
	vmx_caps.tpr_shadow = false;
}

int main(void)
{
	RUN(a_shared_page_is_the_processors);
	RUN(what_was_on_its_way_is_lost_with_the_rest);
	RUN(a_tpr_to_wait_for);
	RUN(the_processor_is_told);
	RUN(the_ends_that_matter_exit);
	RUN(a_threshold_is_set_and_forgotten);
	return unit_end();
}
