// SPDX-License-Identifier: GPL-2.0
/*
 * The host's counters around the guest: module/vmx/perf.c, on a processor and a perf
 * made of a few words. What must hold is looked at whenever the processor is in the
 * guest, or counts.
 */
#include <string.h>

#include "unit.h"
#include "../../module/vmx/perf.c"

enum { EVENTSEL0 = 0x186 };
#define CTRL	MSR_CORE_PERF_GLOBAL_CTRL
#define PEBS	MSR_IA32_PEBS_ENABLE

static u64 msr[0x700];
static unsigned int writes;
static struct perf_guest_switch_msr wants[40];
static int n_wants;		/* -1: no perf */
static struct perf_switch p;

void native_wrmsrl(u32 index, u64 value)
{
	msr[index] = value;
	writes++;
}

struct perf_guest_switch_msr *perf_guest_get_msrs(int *nr, void *data)
{
	struct kvm_pmu *pmu = data;

	CHECK(!pmu->pebs_enable && !pmu->ds_area && !pmu->pebs_data_cfg);
	*nr = n_wants < 0 ? 0x5a5a : n_wants;	/* means nothing if the result is NULL */
	return n_wants < 0 ? NULL : wants;
}

/* Which counters would write a record now? */
static u64 recording(void)
{
	return msr[CTRL] & msr[PEBS];
}

static void load_list(const struct msr_load *list, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		CHECK_EQ(list[i].reserved, 0);
		msr[list[i].index] = list[i].value;
	}
}

static void entry(void)
{
	load_list(p.entry, p.entries);
	CHECK_EQ(recording(), 0);
}

static void exit_guest(void)
{
	load_list(p.exit, p.exits);
}

static void want(u32 index, u64 host, u64 guest)
{
	wants[n_wants++] = (struct perf_guest_switch_msr){ .msr = index, .host = host, .guest = guest };
	msr[index] = host;
}

static void setup(void)
{
	memset(msr, 0, sizeof(msr));
	memset(&p, 0, sizeof(p));
	n_wants = 0;
	writes = 0;
}

static void no_perf_nothing_to_do(void)
{
	setup();
	n_wants = -1;
	perf_begin(&p);
	CHECK_EQ(p.entries + p.exits, 0);
	entry();
	exit_guest();
	perf_end(&p);
	CHECK_EQ(writes, 0);
}

static void what_is_equal_is_not_switched(void)
{
	setup();
	want(CTRL, 0xf, 0xf);
	want(PEBS, 0, 0);
	perf_begin(&p);
	CHECK_EQ(p.entries + p.exits, 0);
	perf_end(&p);
	CHECK_EQ(writes, 0);
}

static void counters_that_exclude_the_guest(void)
{
	int i;

	setup();
	want(CTRL, 0x70000000f, 0x700000001);
	perf_begin(&p);
	for (i = 0; i < 3; i++) {
		entry();
		CHECK_EQ(msr[CTRL], 0x700000001);
		exit_guest();
		CHECK_EQ(msr[CTRL], 0x70000000f);
	}
	perf_end(&p);
	CHECK_EQ(writes, 0);
	/* And when the event is gone. */
	n_wants = 0;
	want(CTRL, 0xf, 0xf);
	perf_begin(&p);
	CHECK_EQ(p.entries + p.exits, 0);
}

/* A processor with isolation: PEBS_ENABLE stays, its counters stop. */
static void records_stop_with_their_counters(void)
{
	setup();
	want(CTRL, 0xf, 0xe);
	msr[PEBS] = 1;
	perf_begin(&p);
	entry();
	CHECK_EQ(msr[PEBS], 1);
	exit_guest();
	CHECK_EQ(msr[CTRL], 0xf);
	perf_end(&p);
	CHECK_EQ(writes, 0);
}

/* Without: PEBS is off before the entry, and its counters do not count until it is on. */
static void records_under_way_have_time(void)
{
	int i;

	setup();
	want(CTRL, 0xf, 0xc);
	want(PEBS, 3, 0);
	perf_begin(&p);
	CHECK_EQ(msr[PEBS], 0);
	for (i = 0; i < 3; i++) {
		entry();
		CHECK_EQ(msr[PEBS], 0);
		CHECK_EQ(msr[CTRL], 0xc);
		exit_guest();
		CHECK_EQ(msr[PEBS], 0);
		CHECK_EQ(msr[CTRL] & 3, 0);
	}
	perf_end(&p);
	CHECK_EQ(msr[PEBS], 3);
	CHECK_EQ(msr[CTRL], 0xf);
}

/* An NMI between two entries: perf's handler stops one event and writes what is left. */
static void an_nmi_in_the_row(void)
{
	setup();
	want(CTRL, 0xf, 0xc);
	want(PEBS, 3, 0);
	perf_begin(&p);
	entry();
	exit_guest();
	n_wants = 0;
	want(CTRL, 0xf, 0xe);
	want(PEBS, 1, 0);
	entry();		/* recording() is looked at */
	CHECK_EQ(msr[PEBS], 0);
	exit_guest();
	perf_end(&p);
	CHECK_EQ(msr[PEBS], 1);
	CHECK_EQ(msr[CTRL], 0xf);
}

/* The same, and it was the last: nothing stale comes back. */
static void an_nmi_stops_the_last_record(void)
{
	setup();
	want(CTRL, 0xf, 0xe);
	want(PEBS, 1, 0);
	perf_begin(&p);
	entry();
	exit_guest();
	n_wants = 0;
	want(CTRL, 0xf, 0xf);
	want(PEBS, 0, 0);
	perf_end(&p);
	CHECK_EQ(msr[PEBS], 0);
	CHECK_EQ(msr[CTRL], 0xf);
}

/* perf offers a guest its own PEBS, and names what that would need. */
static void a_guest_has_no_records(void)
{
	setup();
	want(CTRL, 0xf, 0xe);
	want(MSR_IA32_DS_AREA, 0xfffffe0000001000, 0);
	want(MSR_PEBS_DATA_CFG, 5, 0);
	want(PEBS, 1, 1);
	perf_begin(&p);
	entry();
	CHECK_EQ(msr[MSR_IA32_DS_AREA], 0xfffffe0000001000);
	CHECK_EQ(msr[MSR_PEBS_DATA_CFG], 5);
	CHECK_EQ(msr[PEBS], 0);
}

/* Version 1 of the counters: one MSR each, and never more than there is room for. */
static void counters_one_by_one(void)
{
	int i;

	setup();
	for (i = 0; i < 40; i++)
		want(EVENTSEL0 + i, 0x400000 | i, i & 1 ? 0 : 0x400000 | i);
	perf_begin(&p);
	CHECK_EQ(p.entries, PERF_MSRS);
	CHECK_EQ(p.exits, PERF_MSRS);
	entry();
	CHECK_EQ(msr[EVENTSEL0 + 1], 0);
	CHECK_EQ(msr[EVENTSEL0 + 2], 0x400002);
	exit_guest();
	CHECK_EQ(msr[EVENTSEL0 + 1], 0x400001);
}

int main(void)
{
	RUN(no_perf_nothing_to_do);
	RUN(what_is_equal_is_not_switched);
	RUN(counters_that_exclude_the_guest);
	RUN(records_stop_with_their_counters);
	RUN(records_under_way_have_time);
	RUN(an_nmi_in_the_row);
	RUN(an_nmi_stops_the_last_record);
	RUN(a_guest_has_no_records);
	RUN(counters_one_by_one);
	return unit_end();
}
