/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The slots under test, with the real EPT below them; a table that says what they should
 * be; and readers that come at the worst moments.
 */
#ifndef UNIT_MEMSLOT_MODEL_H
#define UNIT_MEMSLOT_MODEL_H

static int fail_in;		/* which allocation from now on fails; 0: none */

static int may_alloc(void)
{
	return !fail_in || --fail_in;
}
#define shim_may_alloc()	may_alloc()

#include "unit.h"
#include "random.h"
#include "vm.h"
#include <linux/gfp.h>
#include "../../module/mm/ept.c"
#include "../../module/mm/vm_ept.c"
#include "../../module/mm/memslot.c"

#define P		4096ull
#define LOG		MINIKVM_MEM_LOG_DIRTY_PAGES
#define RO		MINIKVM_MEM_READONLY
#define HVA		0x7f0000000000ull
#define GPA_BITS	48		/* what EPT of 4 levels maps */
#define MAX_PAGES	((1ull << 31) - 1)

typedef struct minikvm_userspace_memory_region request;

static struct vm vm;

/* ---- the model */

struct model { bool used; u64 gpa, size, hva; u32 flags; };

static struct model model[VM_MAX_SLOTS];

static bool ends_beyond(u64 start, u64 size, int bits)
{
	return ((unsigned __int128)start + size) >> bits;
}

static int model_set(const request *r)
{
	struct model new = { true, r->guest_phys_addr, r->memory_size, r->userspace_addr, r->flags };
	struct model *m = &model[r->slot % VM_MAX_SLOTS];
	int i;

	if ((new.gpa | new.size | new.hva) % P || new.flags > (LOG | RO) ||
	    r->slot >= VM_MAX_SLOTS || new.size / P > MAX_PAGES ||
	    ends_beyond(new.gpa, new.size, 64) ||
	    (new.size && ends_beyond(new.gpa, new.size - 1, GPA_BITS)) ||
	    ends_beyond(new.hva, new.size, 63) || new.hva >> 57)
		return -EINVAL;
	if (m->used ? new.size && (new.size != m->size || new.hva != m->hva ||
				   (new.flags ^ m->flags) & RO) : !new.size)
		return -EINVAL;
	for (i = 0; i < VM_MAX_SLOTS; i++)
		if (model[i].used && &model[i] != m && new.size &&
		    new.gpa < model[i].gpa + model[i].size && model[i].gpa < new.gpa + new.size)
			return -EEXIST;
	new.used = new.size;
	*m = new;
	return 0;
}

static const struct model *model_find(u64 gpa)
{
	int i;

	for (i = 0; i < VM_MAX_SLOTS; i++)
		if (model[i].used && gpa >= model[i].gpa && gpa - model[i].gpa < model[i].size)
			return &model[i];
	return NULL;
}

/* ---- vCPUs that fault pages in, and notifiers that look for them, at the worst time */

static const struct memslots *before;	/* published before the current ones */
static struct ept_cache cache;

void vm_sync_guests(struct vm *v)
{
	CHECK(v->ept_lock.held);
}

/* Nobody lets go of it before it has flushed. */
static void shim_unlocked(void)
{
	CHECK(!vm.ept.stale);
}

/* The processor may walk an unlinked table until a flush. */
static void shim_table_freed(u64 *table)
{
	CHECK(!vm.ept.stale);
	free(table);
}

/* As ept_fault() does. */
static void fault_in(const struct memslot *s, u64 gfn)
{
	u64 leaf = memslot_hva(s, gfn) | EPT_READ;

	if (s->dying)
		return;
	while (cache.n < 3)
		cache.table[cache.n++] = ept_table_alloc();
	ept_lock(&vm);
	ept_map(&vm.ept, gfn, 1, leaf | (s->flags & (LOG | RO) ? 0 : EPT_WRITE), &cache);
	ept_unlock(&vm);
}

static void fault_in_some(const struct memslots *slots)
{
	int i;

	for (i = 0; i < slots->n && i < 20; i++) {
		fault_in(slots->slot[i], slots->slot[i]->base_gfn + below(slots->slot[i]->npages));
		fault_in(slots->slot[i], slots->slot[i]->base_gfn + slots->slot[i]->npages - 1);
	}
}

/* Each leaf is a page of the slot that a notifier finds there. */
static void check_leaves(const u64 *table, int level, u64 gfn, bool quiet)
{
	const struct memslot *s;
	int i;

	for (i = 0; i < 512; i++, gfn += 1ull << 9 * (level - 1)) {
		if (!table[i])
			continue;
		if (level > 1) {
			check_leaves((u64 *)(table[i] & EPT_ADDR), level - 1, gfn, quiet);
			continue;
		}
		s = memslot_find(vm.slots, gfn);
		CHECK(s && (table[i] & EPT_ADDR) == memslot_hva(s, gfn));
		CHECK(!quiet || !s || !s->dirty || !(table[i] & EPT_WRITE));
	}
}

static void check_sorted(const struct memslots *slots)
{
	int i;

	for (i = 1; i < slots->n; i++)
		CHECK(slots->slot[i]->base_gfn >=
		      slots->slot[i - 1]->base_gfn + slots->slot[i - 1]->npages);
}

/* The last moment of the readers of the slots before, and one of the new ones' readers. */
static void shim_published(void)
{
	fault_in_some(before);
	fault_in_some(vm.slots);
	check_sorted(before);
	check_sorted(vm.slots);
	check_leaves(vm.ept.root, 4, 0, false);
	before = vm.slots;
}

/* ---- one VM */

static void start(void)
{
	memset(model, 0, sizeof(model));
	memset(&vm, 0, sizeof(vm));
	CHECK_EQ(ept_create(&vm), 0);
	CHECK_EQ(vm.gpa_bits, GPA_BITS);
	CHECK_EQ(memslots_create(&vm), 0);
	before = vm.slots;
}

static void finish(void)
{
	memslots_destroy(&vm);
	while (cache.n)
		ept_table_free(cache.table[--cache.n]);
	ept_destroy_vm(&vm);
	CHECK_EQ(shim_tables, 0);
	CHECK(!shim_warned);
}

/* The slots are the model's, in order, and none is on its way out. */
static void compare(void)
{
	const struct model *m;
	int i, n = 0;

	for (i = 0; i < VM_MAX_SLOTS; i++)
		n += model[i].used;
	CHECK_EQ(vm.slots->n, n);
	check_sorted(vm.slots);
	for (i = 0; i < vm.slots->n; i++) {
		const struct memslot *s = vm.slots->slot[i];

		m = &model[s->id];
		CHECK(m->used && m->gpa == s->base_gfn * P && m->size == s->npages * P);
		CHECK(m->hva == s->hva && m->flags == s->flags && !s->dying);
		CHECK_EQ(!!s->dirty, !!(s->flags & LOG));
		if (s->dirty)		/* the sanitizer knows how long it is */
			set_bit(s->npages - 1, s->dirty);
	}
	CHECK(!vm.ept.stale);
	check_leaves(vm.ept.root, 4, 0, true);
	CHECK(!vm.slots_lock.held && !vm.ept_lock.held);
}

static void compare_find(u64 gpa)
{
	const struct memslot *s = memslot_find(vm.slots, gpa / P);
	const struct model *m = model_find(gpa);

	CHECK_EQ(s ? s->id : -1, m ? m - model : -1);
}

static int set(u32 slot, u32 flags, u64 gpa, u64 size, u64 hva)
{
	request r = { slot, flags, gpa, size, hva };
	struct model saved = model[slot % VM_MAX_SLOTS];
	bool failing = fail_in;
	int want = model_set(&r), got = memslot_set(&vm, &r);

	if (failing && !fail_in) {
		model[slot % VM_MAX_SLOTS] = saved;
		want = -ENOMEM;
	}
	fail_in = 0;
	CHECK_EQ(got, want);
	compare();
	return got;
}

#endif
