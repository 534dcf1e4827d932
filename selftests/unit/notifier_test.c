// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: when a notifier of module/mm/notifier.c returns, no translation to its pages is left,
 * whoever took the leaf away; and a long one lets others go first, if it may sleep.
 *
 * The host's other threads come at each moment at which no lock keeps them out: whenever
 * ept_lock is released, and where a thread lets others go.
 */
#include <string.h>

static void other_thread(void);
static void let_go(void);
static int may_sleep_now(void);
static int contended(void);
#define shim_may_alloc()	1
#define cond_resched()		let_go()
#define need_resched()		may_sleep_now()
#define rwlock_is_contended(l)	contended()
#include "unit.h"
#include "vm.h"
#include <linux/gfp.h>
#include "../../module/mm/ept.c"
#include "../../module/mm/vm_ept.c"
#include "../../module/mm/memslot.c"
#include "../../module/mm/notifier.c"

#define P	4096ull
#define GPA	0x40001000ull	/* not aligned to 2 MiB: its table does not go with it */
#define HVA	0x7f0000001000ull
#define GIB	(1ull << 30)

static struct vm vm;
static struct ept_cache cache;
static bool translated;		/* a processor may still translate GPA */
static bool other_runs;
static int freed_early;		/* pages that came back to the host while that was so */
static int slept;
static bool alone;		/* nobody else wants the processor */
static bool writer_waits;	/* for vm.notifier_lock */
static void (*while_asleep)(void);

/* Each processor leaves the guest, and forgets what is not in the tables any more. */
void vm_sync_guests(struct vm *v)
{
	CHECK(v->ept_lock.held);
	if (!ept_find(&v->ept, GPA / P).entry)
		translated = false;
}

static void shim_published(void)
{
}

static void shim_unlocked(void)
{
	other_thread();
}

static void shim_table_freed(u64 *table)
{
	free(table);
}

/* madvise(), reclaim, migration: when range_start() has returned, the pages are free. */
static void take_back(u64 hva, u64 size, bool blockable)
{
	struct mmu_notifier_range range = { hva, hva + size, blockable };
	int readers = vm.notifier_lock.readers;

	range_start(&vm.notifier, &range);
	CHECK(vm.notifier_lock.readers == readers && !vm.ept_lock.held);
	if (hva <= HVA && HVA < hva + size)
		freed_early += translated;
	range_end(&vm.notifier, &range);
}

static void other_thread(void)
{
	if (other_runs)
		return;
	other_runs = true;
	take_back(HVA, P, true);
	other_runs = false;
}

static int may_sleep_now(void)
{
	return !other_runs && !alone;
}

static int contended(void)
{
	return !other_runs && writer_waits;
}

static void let_go(void)
{
	slept++;
	CHECK(!vm.ept_lock.held && !vm.notifier_lock.readers);
	other_thread();
	if (while_asleep)
		while_asleep();
}

static void map(u64 gpa, int level)
{
	while (cache.n < 3)
		cache.table[cache.n++] = ept_table_alloc();
	ept_map(&vm.ept, level == 2 ? gpa / P & ~511ull : gpa / P, level, 0x123400000ull | EPT_RWX,
		&cache);
	translated |= gpa == GPA;
}

static int set(u32 flags, u64 size)
{
	struct minikvm_userspace_memory_region r = { 0, flags, GPA, size, HVA };

	return memslot_set(&vm, &r);
}

/* A slot whose first page is mapped. */
static void start(u64 size, int level)
{
	memset(&vm, 0, sizeof(vm));
	vmx_caps.ept_ad = true;
	other_runs = true;
	while_asleep = NULL;
	CHECK_EQ(ept_create(&vm), 0);
	memslots_create(&vm);
	CHECK_EQ(set(0, size), 0);
	map(GPA, level);
	other_runs = false;
	freed_early = slept = 0;
}

static void finish(void)
{
	CHECK_EQ(freed_early, 0);
	CHECK(!translated);
	other_runs = true;
	if (vm.slots->n)
		CHECK_EQ(set(0, 0), 0);
	CHECK_EQ(vm.ept.tables, 0);
	memslots_destroy(&vm);
	ept_destroy_vm(&vm);
	while (cache.n)
		ept_table_free(cache.table[--cache.n]);
	CHECK_EQ(shim_tables, 0);
	CHECK(!shim_warned);
}

static void beside_a_slot_that_is_deleted(void)
{
	start(4 * GIB, 2);
	CHECK_EQ(set(0, 0), 0);
	finish();
}

static void beside_a_small_slot_that_is_deleted(void)
{
	start(16 * P, 1);
	CHECK_EQ(set(0, 0), 0);
	finish();
}

static void beside_dirty_logging_that_is_switched_on(void)
{
	start(4 * GIB, 2);
	CHECK_EQ(set(MINIKVM_MEM_LOG_DIRTY_PAGES, 4 * GIB), 0);
	finish();
}

static void beside_another_notifier(void)
{
	start(4 * GIB, 2);
	take_back(HVA, 4 * GIB, true);
	finish();
}

/* What a fault looks at, before it maps what it has found. */
static void a_fault_meanwhile_is_told(void)
{
	struct mmu_notifier_range first = { HVA + 8 * P, HVA + 9 * P, true };
	struct mmu_notifier_range second = { HVA, HVA + P, true };
	unsigned long seq;

	start(16 * P, 1);
	other_runs = true;
	seq = vm.invalidate_seq;
	CHECK(!pages_are_stale(&vm, HVA, 16, seq));
	range_start(&vm.notifier, &first);
	CHECK(!pages_are_stale(&vm, HVA, 8, seq));
	CHECK(pages_are_stale(&vm, HVA + 7 * P, 2, seq));
	CHECK(pages_are_stale(&vm, HVA + 8 * P, 1, seq));
	CHECK(!pages_are_stale(&vm, HVA + 9 * P, 1, seq));
	CHECK_EQ(vm.invalidate_active, 1);
	CHECK_EQ(vm.invalidate_start, HVA + 8 * P);
	CHECK_EQ(vm.invalidate_end, HVA + 9 * P);
	range_start(&vm.notifier, &second);
	CHECK_EQ(vm.invalidate_active, 2);
	CHECK_EQ(vm.invalidate_start, HVA);
	CHECK_EQ(vm.invalidate_end, HVA + 9 * P);
	range_end(&vm.notifier, &first);
	CHECK_EQ(vm.invalidate_active, 1);
	range_end(&vm.notifier, &second);
	CHECK_EQ(vm.invalidate_active, 0);
	CHECK_EQ(vm.invalidate_seq, seq + 2);
	/* Where they were is not known any more: anything may be gone. */
	CHECK(pages_are_stale(&vm, HVA + 9 * P, 1, seq));
	CHECK(!pages_are_stale(&vm, HVA, 16, seq + 2));
	other_runs = false;
	finish();
}

static void the_last_page_of_a_range_is_in_it(void)
{
	start(16 * P, 1);
	map(GPA + 3 * P, 1);
	map(GPA + 4 * P, 1);
	other_runs = true;
	take_back(HVA + P / 2, 3 * P, true);	/* pages 0 to 3, the last one in part */
	other_runs = false;
	CHECK(!ept_find(&vm.ept, GPA / P + 3).entry);
	CHECK(ept_find(&vm.ept, GPA / P + 4).entry);
	finish();
}

static void beside_a_look_for_young_pages(void)
{
	start(16 * P, 1);
	vmx_caps.ept_ad = false;	/* it unmaps them */
	CHECK_EQ(clear_young(&vm.notifier, NULL, HVA, HVA + P), 1);
	CHECK_EQ(freed_early, 0);
	map(GPA + P, 1);		/* the second of the two */
	CHECK_EQ(clear_young(&vm.notifier, NULL, HVA, HVA + 2 * P), 1);
	CHECK_EQ(clear_young(&vm.notifier, NULL, HVA, HVA + 2 * P), 0);
	finish();
}

static void beside_a_fault_that_replaces_a_page(void)
{
	start(16 * P, 1);
	while (cache.n < 3)
		cache.table[cache.n++] = ept_table_alloc();
	ept_lock(&vm);
	ept_map(&vm.ept, GPA / P, 1, 0x567800000ull | EPT_RWX, &cache);
	CHECK(vm.ept.stale);
	ept_unlock(&vm);
	CHECK(!vm.ept.stale);
	take_back(HVA, P, true);
	finish();
}

static void map_much(u64 pages)
{
	u64 i;

	for (i = 0; i < pages; i++)
		map(GPA + i * P, 1);
}

static void a_long_range_lets_others_go(void)
{
	start(GIB, 1);
	map_much(GIB / P / 4);
	take_back(HVA, GIB, true);
	CHECK(slept >= 4);
	finish();
}

static void but_not_if_it_must_not_sleep(void)
{
	start(GIB, 1);
	map_much(GIB / P / 4);
	take_back(HVA, GIB, false);
	CHECK_EQ(slept, 0);
	finish();
}

/* With preemption off, on a processor of its own: need_resched() says nothing. */
static void who_waits_for_the_lock_gets_it(void)
{
	start(GIB, 1);
	map_much(GIB / P / 4);
	alone = true;
	writer_waits = true;
	take_back(HVA, GIB, true);
	CHECK(slept >= 4);
	writer_waits = false;
	map_much(GIB / P / 4);
	slept = 0;
	take_back(HVA, GIB, true);
	CHECK_EQ(slept, 0);
	alone = false;
	finish();
}

/* Once: the slots that the notifier has in hand are freed. */
static void move_the_slot(void)
{
	struct minikvm_userspace_memory_region r = { 0, 0, GPA + 8 * GIB, GIB, HVA };

	while_asleep = NULL;
	other_runs = true;
	CHECK_EQ(memslot_set(&vm, &r), 0);
	other_runs = false;
}

static void slots_may_change_meanwhile(void)
{
	start(GIB, 1);
	map_much(GIB / P / 4);
	while_asleep = move_the_slot;
	take_back(HVA, GIB, true);
	CHECK(!while_asleep);
	finish();
}

static void the_end_of_the_process_takes_all(void)
{
	start(GIB, 1);
	map_much(1024);
	notifier_release(&vm.notifier, NULL);
	CHECK(!ept_find(&vm.ept, GPA / P + 1023).entry);
	finish();
}

int main(void)
{
	RUN(beside_a_slot_that_is_deleted);
	RUN(beside_a_small_slot_that_is_deleted);
	RUN(beside_dirty_logging_that_is_switched_on);
	RUN(beside_another_notifier);
	RUN(a_fault_meanwhile_is_told);
	RUN(the_last_page_of_a_range_is_in_it);
	RUN(beside_a_look_for_young_pages);
	RUN(beside_a_fault_that_replaces_a_page);
	RUN(a_long_range_lets_others_go);
	RUN(but_not_if_it_must_not_sleep);
	RUN(who_waits_for_the_lock_gets_it);
	RUN(slots_may_change_meanwhile);
	RUN(the_end_of_the_process_takes_all);
	return unit_end();
}
