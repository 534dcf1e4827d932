// SPDX-License-Identifier: GPL-2.0
/* The rules of the local APIC's registers: module/irqchip/lapic_regs.c. */
#include <stdlib.h>

#include <stdbool.h>

/* Another CPU may look after every store: it does, if a test says so. */
static void (*looker)(void);
static void look(void)
{
	if (looker)
		looker();
}
#define READ_ONCE(x)		(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, val)	((void)(*(volatile typeof(x) *)&(x) = (val)), look())

#include "unit.h"
#include "../../module/irqchip/lapic_regs.c"
#include "../../module/irqchip/lapic_state.c"
#include "../../module/irqchip/lapic_address.c"

static atomic_t aliases, narrow;
static struct lapic_regs apic = { .aliases = &aliases, .narrow = &narrow };

static void reset(u32 id, enum lapic_mode mode)
{
	static void *page;

	if (!page)
		page = aligned_alloc(4096, 4096);
	memset(page, 0, 4096);
	lapic_regs_init(&apic, page, id, false);
	apic.shared = false;
	apic.mode = LAPIC_XAPIC;
	apic.deadline_ok = true;
	lapic_regs_reset(&apic, false, id == 0);
	lapic_regs_set_mode(&apic, mode);
}

static void enable(void)
{
	CHECK_EQ(lapic_regs_write(&apic, LAPIC_SVR, 0x1ff), LAPIC_DO_EVENT);
}

static u32 get(u32 reg)
{
	u32 val = 0xdead;

	CHECK_EQ(lapic_regs_read(&apic, reg, &val), 0);
	return val;
}

static int eoi(void)
{
	bool level;

	return lapic_regs_eoi(&apic, &level);
}

static void power_up_state(void)
{
	reset(3, LAPIC_XAPIC);
	CHECK_EQ(get(LAPIC_ID), 3 << 24);
	CHECK_EQ(get(LAPIC_VERSION), 0x50014);
	CHECK_EQ(get(LAPIC_SVR), 0xff);
	CHECK_EQ(get(LAPIC_DFR), 0xffffffff);
	CHECK_EQ(get(LAPIC_LDR), 0);
	CHECK_EQ(get(LAPIC_LINT0), 0x10000);
	CHECK(!lapic_regs_accepts_pic(&apic));
	reset(0, LAPIC_XAPIC);
	CHECK_EQ(get(LAPIC_LINT0), 0x700);
	CHECK(lapic_regs_accepts_pic(&apic));
	CHECK(!lapic_regs_enabled(&apic));
}

static void every_vector_goes_round(void)
{
	bool level;
	int v;

	reset(0, LAPIC_XAPIC);
	enable();
	for (v = 16; v < 256; v++) {
		lapic_regs_request(&apic, v, v & 1);
		CHECK(lapic_regs_busy(&apic, v));
		CHECK_EQ(lapic_regs_pending(&apic), v);
		lapic_regs_take(&apic, v);
		CHECK_EQ(lapic_regs_pending(&apic), -1);
		CHECK(lapic_regs_busy(&apic, v));
		CHECK_EQ(get(LAPIC_PPR), v & 0xf0);
		level = !(v & 1);
		CHECK_EQ(lapic_regs_eoi(&apic, &level), v);
		CHECK_EQ(level, v & 1);
		CHECK(!lapic_regs_busy(&apic, v));
	}
	CHECK_EQ(eoi(), -1);
	CHECK_EQ(get(LAPIC_PPR), 0);
}

static void vectors_below_16_never_arrive(void)
{
	reset(0, LAPIC_XAPIC);
	enable();
	lapic_regs_request(&apic, 15, false);
	CHECK_EQ(lapic_regs_pending(&apic), -1);
}

static void priorities(void)
{
	reset(0, LAPIC_XAPIC);
	enable();
	lapic_regs_request(&apic, 0x41, false);
	lapic_regs_request(&apic, 0x55, false);
	CHECK_EQ(lapic_regs_pending(&apic), 0x55);
	lapic_regs_take(&apic, 0x55);
	CHECK_EQ(lapic_regs_pending(&apic), -1);	/* a lower class waits */
	lapic_regs_request(&apic, 0x5f, false);
	CHECK_EQ(lapic_regs_pending(&apic), -1);	/* the same class, too */
	lapic_regs_request(&apic, 0x60, false);
	CHECK_EQ(lapic_regs_pending(&apic), 0x60);
	lapic_regs_take(&apic, 0x60);
	CHECK_EQ(eoi(), 0x60);
	CHECK_EQ(eoi(), 0x55);
	CHECK_EQ(lapic_regs_pending(&apic), 0x5f);
	CHECK_EQ(lapic_regs_write(&apic, LAPIC_TPR, 0x150), LAPIC_DO_EVENT);
	CHECK_EQ(get(LAPIC_TPR), 0x50);
	CHECK_EQ(lapic_regs_pending(&apic), -1);
	CHECK_EQ(get(LAPIC_PPR), 0x50);
	lapic_regs_write(&apic, LAPIC_TPR, 0x4f);
	CHECK_EQ(get(LAPIC_PPR), 0x4f);
	CHECK_EQ(lapic_regs_pending(&apic), 0x5f);
	CHECK_EQ(lapic_regs_write(&apic, LAPIC_EOI, 0), LAPIC_DO_EOI | LAPIC_DO_EVENT);
}

static void trigger_mode_is_the_last_one(void)
{
	bool level;

	reset(0, LAPIC_XAPIC);
	lapic_regs_request(&apic, 0x30, true);
	lapic_regs_request(&apic, 0x31, true);
	lapic_regs_request(&apic, 0x30, false);
	lapic_regs_take(&apic, 0x31);
	CHECK_EQ(lapic_regs_eoi(&apic, &level), 0x31);
	CHECK(level);
	lapic_regs_take(&apic, 0x30);
	CHECK_EQ(lapic_regs_eoi(&apic, &level), 0x30);
	CHECK(!level);
}

static void software_disable_masks_lvt(void)
{
	reset(1, LAPIC_XAPIC);
	enable();
	CHECK_EQ(lapic_regs_write(&apic, LAPIC_LVTT, 0x200ef), LAPIC_DO_TIMER_MODE);
	CHECK_EQ(get(LAPIC_LVTT), 0x200ef);
	CHECK_EQ(lapic_regs_write(&apic, LAPIC_SVR, 0xff),
		 LAPIC_DO_TIMER_MODE | LAPIC_DO_TIMER_DROP);
	CHECK_EQ(get(LAPIC_LVTT), 0x300ef);
	lapic_regs_write(&apic, LAPIC_LVTT, 0xef);
	CHECK_EQ(get(LAPIC_LVTT), 0x100ef);	/* stays masked */
	lapic_regs_write(&apic, LAPIC_SVR, ~0U);
	CHECK_EQ(get(LAPIC_SVR), 0x3ff);
}

static void writable_bits(void)
{
	static const struct { u32 reg, val; } want[] = {
		{ LAPIC_LVT_THERMAL, 0x117ff }, { LAPIC_LVT_PERF, 0x117ff },
		{ LAPIC_LINT0, 0x1f7ff }, { LAPIC_LINT1, 0x1f7ff },
		{ LAPIC_LVT_ERROR, 0x110ff }, { LAPIC_LVTT, 0x710ff },
		{ LAPIC_TDCR, 0xb }, { LAPIC_ICR2, 0xff000000 }, { LAPIC_LDR, 0xff000000 },
		{ LAPIC_ID, 0xff000000 }, { LAPIC_DFR, 0xffffffff },
		{ LAPIC_VERSION, 0x50014 }, { LAPIC_ESR, 0 }, { LAPIC_ISR, 0 }, { LAPIC_IRR, 0 },
		{ LAPIC_TMCCT, 0 }, { LAPIC_PPR, 0 }, { LAPIC_APR, 0 },
	};
	unsigned int i;

	reset(0, LAPIC_XAPIC);
	enable();
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		lapic_regs_write(&apic, want[i].reg, ~0U);
		CHECK_EQ(get(want[i].reg), want[i].val);
	}
	lapic_regs_write(&apic, LAPIC_DFR, 0);
	CHECK_EQ(get(LAPIC_DFR), 0x0fffffff);
	apic.deadline_ok = false;
	lapic_regs_write(&apic, LAPIC_LVTT, ~0U);
	CHECK_EQ(get(LAPIC_LVTT), 0x310ff);
}

static void any_offset_and_value_is_safe(void)
{
	enum lapic_mode mode;
	u32 reg, val;

	for (mode = LAPIC_DISABLED; mode <= LAPIC_X2APIC; mode++) {
		reset(0, LAPIC_XAPIC);
		lapic_regs_set_mode(&apic, mode);
		for (reg = 0; reg < 0x2000; reg++) {
			lapic_regs_write(&apic, reg, reg * 0x9e3779b9);
			lapic_regs_read(&apic, reg, &val);
			if (reg > 0x3f0)
				CHECK_EQ(lapic_regs_read(&apic, reg, &val), 1);
		}
		CHECK_EQ(lapic_regs_read(&apic, ~0U & ~0xfU, &val), 1);
		CHECK(lapic_regs_divide(&apic) > 0);
	}
}

static void x2apic_registers(void)
{
	u32 val;

	reset(0x12, LAPIC_X2APIC);
	CHECK_EQ(get(LAPIC_ID), 0x12);
	CHECK_EQ(get(LAPIC_LDR), 0x10004);
	CHECK_EQ(lapic_regs_write(&apic, LAPIC_ID, 1), LAPIC_DO_GP);
	CHECK_EQ(lapic_regs_write(&apic, LAPIC_LDR, 1), LAPIC_DO_GP);
	CHECK_EQ(lapic_regs_write(&apic, LAPIC_DFR, 1), LAPIC_DO_GP);
	CHECK_EQ(lapic_regs_write(&apic, LAPIC_ICR2, 1), LAPIC_DO_GP);
	CHECK_EQ(lapic_regs_write(&apic, LAPIC_ESR, 1), LAPIC_DO_GP);
	CHECK_EQ(lapic_regs_write(&apic, LAPIC_ESR, 0), 0);
	CHECK_EQ(lapic_regs_write(&apic, LAPIC_SELF_IPI, 0x1ff), LAPIC_DO_GP);
	CHECK_EQ(lapic_regs_write(&apic, LAPIC_SELF_IPI, 0xff), LAPIC_DO_SELF_IPI);
	CHECK_EQ(lapic_regs_read(&apic, LAPIC_DFR, &val), 1);
	CHECK_EQ(lapic_regs_read(&apic, LAPIC_ICR2, &val), 1);
	CHECK_EQ(lapic_regs_read(&apic, LAPIC_APR, &val), 1);
	CHECK_EQ(lapic_regs_read(&apic, LAPIC_EOI, &val), 1);
	CHECK_EQ(lapic_regs_read(&apic, LAPIC_SELF_IPI, &val), 1);
	CHECK_EQ(lapic_regs_write_icr(&apic, 1 << 13), LAPIC_DO_GP);
	CHECK_EQ(lapic_regs_write_icr(&apic, 1 << 16), LAPIC_DO_GP);
	CHECK_EQ(lapic_regs_write_icr(&apic, 1 << 20), LAPIC_DO_GP);
	CHECK_EQ(lapic_regs_write_icr(&apic, 0x12345678000c5041ULL), LAPIC_DO_IPI);
	CHECK_EQ(get(LAPIC_ICR), 0xc4041);
	CHECK_EQ(lapic_reg(&apic, LAPIC_ICR2), 0x12345678);
	reset(1, LAPIC_XAPIC);
	CHECK_EQ(lapic_regs_write(&apic, LAPIC_SELF_IPI, 0xff), LAPIC_DO_GP);
}

static void mode_changes(void)
{
	reset(5, LAPIC_XAPIC);
	lapic_regs_write(&apic, LAPIC_ID, 0x77000000);
	lapic_regs_set_mode(&apic, LAPIC_XAPIC);
	CHECK_EQ(get(LAPIC_ID), 0x77000000);
	lapic_regs_set_mode(&apic, LAPIC_X2APIC);
	CHECK_EQ(get(LAPIC_ID), 5);
	lapic_regs_reset(&apic, true, false);		/* INIT keeps both */
	CHECK_EQ(get(LAPIC_ID), 5);
	CHECK_EQ(get(LAPIC_LDR), 0x20);
	lapic_regs_set_mode(&apic, LAPIC_DISABLED);
	CHECK(lapic_regs_accepts_pic(&apic));
	CHECK(!lapic_regs_present(&apic));
	lapic_regs_set_mode(&apic, LAPIC_XAPIC);
	CHECK_EQ(get(LAPIC_ID), 5 << 24);
	lapic_regs_write(&apic, LAPIC_ID, 0x77000000);
	lapic_regs_reset(&apic, true, false);
	CHECK_EQ(get(LAPIC_ID), 0x77000000);
	lapic_regs_reset(&apic, false, false);
	CHECK_EQ(get(LAPIC_ID), 5 << 24);
}

static bool match(u32 dest, bool logical, bool exact)
{
	struct apic_msg msg = { .dest = dest, .logical = logical, .exact = exact };

	return lapic_regs_match(&apic, &msg);
}

static void destinations_xapic(void)
{
	reset(2, LAPIC_XAPIC);
	CHECK(match(2, false, true));
	CHECK(!match(3, false, true));
	CHECK(match(0xff, false, true));
	CHECK(!match(0xffffffff, false, true));
	CHECK(!match(2, true, true));
	lapic_regs_write(&apic, LAPIC_LDR, 0x06000000);		/* flat */
	CHECK(match(2, true, true));
	CHECK(match(4, true, true));
	CHECK(match(0xff, true, true));
	CHECK(!match(1, true, true));
	lapic_regs_write(&apic, LAPIC_DFR, 0);			/* cluster */
	lapic_regs_write(&apic, LAPIC_LDR, 0x32000000);
	CHECK(match(0x32, true, true));
	CHECK(match(0x3f, true, true));
	CHECK(!match(0x22, true, true));
	CHECK(!match(0x31, true, true));
	lapic_regs_write(&apic, LAPIC_DFR, 0x70000000);		/* neither */
	CHECK(!match(0x32, true, true));
	lapic_regs_write(&apic, LAPIC_ID, 9 << 24);
	CHECK(match(9, false, true));
	CHECK(!match(2, false, true));
	lapic_regs_set_mode(&apic, LAPIC_DISABLED);
	CHECK(!match(9, false, true));
	CHECK(!match(0xff, false, true));
	reset(0x123, LAPIC_XAPIC);
	CHECK(match(0x123, false, true));
}

static void destinations_x2apic(void)
{
	reset(0x25, LAPIC_X2APIC);
	CHECK(match(0x25, false, true));
	CHECK(!match(0xff, false, true));
	CHECK(match(0xff, false, false));	/* from the IOAPIC: all */
	CHECK(match(0xffffffff, false, true));
	CHECK(match(0x20020, true, true));
	CHECK(match(0x2ffff, true, true));
	CHECK(!match(0x20010, true, true));
	CHECK(!match(0x10020, true, true));
}

/* ID 3, logical ID 2 of the flat model; in x2APIC mode ID 3, logical ID 8 of cluster 0. */
static bool found_by_id, found_by_logical_id, found_by_wrong_one;
static int looks;

static void other_cpu(void)
{
	static const u32 wrong[] = { 0, 1, 2, 4, 0x30, 0xfe };
	bool x2apic = lapic_regs_match(&apic, &(struct apic_msg) { .dest = ~0U, .exact = true });
	unsigned int i;

	looks++;
	found_by_id &= match(3, false, true);
	found_by_logical_id &= match(x2apic ? 8 : 2, true, true);
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		found_by_wrong_one |= match(wrong[i], false, true);
}

/* While @change goes on, is the APIC there and nowhere else? */
static void watch(void (*change)(void))
{
	found_by_id = found_by_logical_id = true;
	found_by_wrong_one = false;
	looks = 0;
	looker = other_cpu;
	change();
	looker = NULL;
	CHECK(looks > 0);
	CHECK(found_by_id);
	CHECK(!found_by_wrong_one);
}

static void init(void)
{
	lapic_regs_reset(&apic, true, false);
}

static void to_x2apic(void)
{
	lapic_regs_set_mode(&apic, LAPIC_X2APIC);
}

static void to_xapic(void)
{
	lapic_regs_set_mode(&apic, LAPIC_XAPIC);
}

static void restore(void)
{
	struct minikvm_lapic_state state;

	lapic_regs_get(&apic, &state);
	lapic_regs_set(&apic, &state);
}

static void an_id_is_never_away_nor_another_one(void)
{
	reset(3, LAPIC_XAPIC);
	lapic_regs_write(&apic, LAPIC_LDR, 2 << 24);
	watch(restore);
	CHECK(found_by_logical_id);
	watch(init);
	lapic_regs_write(&apic, LAPIC_LDR, 2 << 24);
	watch(to_x2apic);
	CHECK(found_by_logical_id);
	watch(init);
	CHECK(found_by_logical_id);
	watch(restore);
	CHECK(found_by_logical_id);
	watch(to_xapic);
}

static void icr_fields(void)
{
	struct apic_msg msg;

	reset(0, LAPIC_XAPIC);
	lapic_regs_icr(&apic, 0x8cd31, 0x7f000000, &msg);
	CHECK_EQ(msg.dest, 0x7f);
	CHECK_EQ(msg.vector, 0x31);
	CHECK_EQ(msg.delivery, APIC_INIT);
	CHECK_EQ(msg.shorthand, APIC_TO_ALL);
	CHECK(msg.logical && msg.level && msg.assert && msg.exact);
	reset(0, LAPIC_X2APIC);
	lapic_regs_icr(&apic, 0x46f8, 0x12345678, &msg);
	CHECK_EQ(msg.dest, 0x12345678);
	CHECK_EQ(msg.delivery, APIC_STARTUP);
	CHECK(!msg.logical && !msg.level && msg.assert);
}

static void timer_registers(void)
{
	static const u8 divide[16] = { 2, 4, 8, 16, 2, 4, 8, 16, 32, 64, 128, 1, 32, 64, 128, 1 };
	u32 i;

	reset(0, LAPIC_XAPIC);
	enable();
	for (i = 0; i < 16; i++) {
		CHECK_EQ(lapic_regs_write(&apic, LAPIC_TDCR, i), LAPIC_DO_TIMER_DIVIDE);
		CHECK_EQ(lapic_regs_divide(&apic), divide[i]);
		lapic_reg_set(&apic, LAPIC_TDCR, i | 0xfffffff0);	/* by SET_LAPIC */
		CHECK_EQ(lapic_regs_divide(&apic), divide[i]);
	}
	CHECK_EQ(lapic_regs_write(&apic, LAPIC_TMICT, 5), LAPIC_DO_TIMER_START);
	lapic_regs_write(&apic, LAPIC_LVTT, 0x400ef);
	CHECK_EQ(lapic_regs_timer_mode(&apic), LAPIC_DEADLINE);
	CHECK_EQ(lapic_regs_write(&apic, LAPIC_TMICT, 7), 0);
	CHECK_EQ(get(LAPIC_TMICT), 5);
	lapic_regs_write(&apic, LAPIC_LVTT, 0x600ef);
	CHECK_EQ(lapic_regs_timer_mode(&apic), LAPIC_NO_TIMER);
	apic.deadline_ok = false;
	CHECK_EQ(lapic_regs_timer_mode(&apic), LAPIC_PERIODIC);
}

static void state_goes_round(void)
{
	struct minikvm_lapic_state state, again;
	u32 id;

	reset(7, LAPIC_X2APIC);
	enable();
	lapic_regs_request(&apic, 0x81, true);
	lapic_regs_request(&apic, 0x51, false);
	lapic_regs_take(&apic, 0x81);
	lapic_regs_write_icr(&apic, 0xabcdef01000000f0ULL);
	lapic_regs_get(&apic, &state);
	memcpy(&id, state.regs + LAPIC_ID, 4);
	CHECK_EQ(id, 7 << 24);
	memcpy(&id, state.regs + LAPIC_ICR2, 4);
	CHECK_EQ(id, 0xabcdef01);
	reset(7, LAPIC_X2APIC);
	lapic_regs_set(&apic, &state);
	CHECK_EQ(get(LAPIC_ID), 7);
	lapic_regs_get(&apic, &again);
	CHECK(!memcmp(&state, &again, sizeof(state)));
	CHECK_EQ(eoi(), 0x81);
	CHECK_EQ(lapic_regs_pending(&apic), 0x51);
}

static void any_state_is_safe(void)
{
	struct minikvm_lapic_state state;
	u32 seed, val, reg;
	size_t i;

	for (seed = 1; seed < 2000; seed++) {
		reset(seed & 15, seed & 16 ? LAPIC_X2APIC : LAPIC_XAPIC);
		for (i = 0; i < sizeof(state.regs); i++)
			state.regs[i] = (seed * 2654435761u + i * 40503u) >> 11;
		if (seed & 1)
			memset(&state, 0xff, sizeof(state));
		lapic_regs_set(&apic, &state);
		CHECK_EQ(get(LAPIC_VERSION), 0x50014);
		for (reg = 0; reg <= LAPIC_SELF_IPI; reg += 16)
			lapic_regs_read(&apic, reg, &val);
		CHECK(lapic_regs_divide(&apic) > 0);
		lapic_regs_pending(&apic);
		while (eoi() >= 0)
			;
		match(seed, seed & 2, seed & 4);
	}
}

int main(void)
{
	RUN(power_up_state);
	RUN(every_vector_goes_round);
	RUN(vectors_below_16_never_arrive);
	RUN(priorities);
	RUN(trigger_mode_is_the_last_one);
	RUN(software_disable_masks_lvt);
	RUN(writable_bits);
	RUN(any_offset_and_value_is_safe);
	RUN(x2apic_registers);
	RUN(mode_changes);
	RUN(destinations_xapic);
	RUN(destinations_x2apic);
	RUN(an_id_is_never_away_nor_another_one);
	RUN(icr_fields);
	RUN(timer_registers);
	RUN(state_goes_round);
	RUN(any_state_is_safe);
	free(apic.page);
	return unit_end();
}
