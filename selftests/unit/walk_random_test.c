// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: for random page tables, control registers and accesses in every paging mode,
 * module/cpu/walk.c finds the same address or error code as a model made of the SDM's tables,
 * and sets the same flags in the same entries.
 */
#include "walk_guest.h"
#include "random.h"

/* ---- the model. SDM "Paging", for one access */

/* The bits that must be 0: tables "Format of ...". @page: it maps one. */
static u64 reserved(const struct walk *w, int levels, int level, bool page)
{
	int m = w->maxphyaddr;
	u64 r;

	if (levels == 2)
		return page && level == 2 ? walk_span(21, (m < 40 ? m : 40) - 19) : 0;
	r = walk_span(51, m);
	if (levels == 3)
		r |= walk_span(62, 52);
	if (!(w->efer & NX))
		r |= 1ull << 63;
	if (level > 3)
		r |= 1 << 7;
	if (page && level > 1)
		r |= level == 2 ? walk_span(20, 13) : walk_span(29, 13);
	return r;
}

static bool maps_page(const struct walk *w, int levels, int level, u64 entry)
{
	if (level == 1)
		return true;
	if (!(entry & 1 << 7) || level > 3)
		return false;
	return level == 3 ? levels > 3 : levels > 2 || w->cr4 & CR4_PSE;
}

static bool may(const struct walk *w, unsigned int access, bool user, bool write, bool exec)
{
	bool smap = user && (w->cr4 & CR4_SMAP) && !w->ac;

	if (access & ACCESS_USER)
		return user && (!(access & ACCESS_WRITE) || write) && (!(access & ACCESS_FETCH) || exec);
	if (access & ACCESS_FETCH)
		return exec && !(user && (w->cr4 & CR4_SMEP));
	if (access & ACCESS_WRITE)
		return (write || !(w->cr0 & CR0_WP)) && !smap;
	return !smap;
}

/* What the error code says of the access itself. */
static u32 who(const struct walk *w, unsigned int access)
{
	bool tells = w->cr4 & CR4_SMEP || (w->cr4 & CR4_PAE && w->efer & NX);

	return (access & ACCESS_WRITE ? 2 : 0) | (access & ACCESS_USER ? 4 : 0) |
	       (access & ACCESS_FETCH && tells ? 16 : 0);
}

/* What the key of a page's last entry says of data. */
static bool key_allows(const struct walk *w, u64 e, unsigned int access, bool user)
{
	bool ad = w->pkru >> 2 * (e >> 59 & 15) & 1, wd = w->pkru >> (2 * (e >> 59 & 15) + 1) & 1;

	if (!(w->cr4 & CR4_PKE) || levels_of(w) < 4 || access & ACCESS_FETCH || !user)
		return true;
	return !ad && !(wd && access & ACCESS_WRITE && (access & ACCESS_USER || w->cr0 & CR0_WP));
}

/* The entries that the model has used, and what they are after a walk that succeeds. */
static struct { u64 gpa, before, after; } used[WALK_READS];
static int nused;

static void use(const struct walk *w, u64 gpa, u64 e, bool flags, bool last, unsigned int access)
{
	used[nused].gpa = gpa;
	used[nused].before = e;
	used[nused++].after = flags ? e | 1 << 5 | (last && access & ACCESS_WRITE ? 1 << 6 : 0) : e;
}

static s64 model(const struct walk *w, u64 va, unsigned int access)
{
	int levels = levels_of(w), level, size = levels == 2 ? 4 : 8, shift;
	u64 table = w->cr3 & (levels == 2 ? walk_span(31, 12) : levels == 3 ? walk_span(31, 5) : walk_span(51, 12));
	bool user = true, write = true, exec = true, page = false;
	u64 e = 0;

	nused = 0;
	for (level = levels; !page; level--) {
		shift = shift_of(levels, level);
		table += (va >> shift) % (4096 / size) * size;
		if (table + size > sizeof(mem))
			return FAULT(who(w, access));
		e = levels == 2 ? *(u32 *)((char *)mem + table) : mem[table / 8];
		if (!(e & 1))
			return FAULT(who(w, access));
		page = maps_page(w, levels, level, e) && !(levels == 3 && level == 3);
		use(w, table, e, !(levels == 3 && level == 3), page, access);
		table = e & walk_span(51, 12);
		if (levels == 3 && level == 3)
			continue;	/* no rights; its bits were looked at by MOV to CR3 */
		if (e & reserved(w, levels, level, page))
			return FAULT(9 | who(w, access));
		write &= e >> 1;
		user &= e >> 2;
		exec &= levels == 2 || !(e >> 63);
	}
	if (!key_allows(w, e, access, user))
		return FAULT(0x21 | who(w, access));
	if (!may(w, access, user, write, exec))
		return FAULT(1 | who(w, access));
	if (levels == 2 && shift == 22)
		e = (e & walk_span(31, 22)) | (e & walk_span(20, 13)) << 19;
	return (e & walk_span(51, shift)) | (va & walk_span(shift - 1, 0));
}

/* ---- random machines */

/* Entries mostly lead to tables that are there, and mostly allow. */
static u64 random_entry(const struct walk *w)
{
	u64 e = below(PAGES) << 12 | (any() & 0xe60) | 1;
	int levels = levels_of(w), m = w->maxphyaddr;

	e |= (one_in(6) ? 0 : PTE_W) | (one_in(4) ? 0 : PTE_U);
	if (one_in(4))
		e |= any() & walk_span(levels == 2 ? 31 : m - 1, 12);
	if (one_in(4))
		e |= PTE_PS;
	if (one_in(12))
		e |= 1ull << (40 + below(23));
	if (levels > 3 && one_in(2))
		e |= below(16) << 59;
	if (one_in(w->efer & NX ? 4 : 50))
		e |= PTE_NX;
	return one_in(20) ? e & ~PTE_P : e;
}

static void fill_memory(const struct walk *w)
{
	size_t i;

	for (i = 0; i < sizeof(mem) / 8; i++) {
		mem[i] = random_entry(w);
		if (levels_of(w) == 2)
			mem[i] = (u32)mem[i] | random_entry(w) << 32;
	}
}

static struct walk random_machine(void)
{
	static const unsigned long modes[] = { MODE32, CR4_PSE, PAE, PAE, LA57 };
	static const int widths[] = { 32, 36, 39, 40, 46, 48, 52 };
	int m = below(5);
	struct walk w = machine((m >= 3 ? LONG : 0) | (one_in(2) ? NX : 0), modes[m]);

	w.cr0 = CR0 | (one_in(2) ? CR0_WP : 0);
	w.cr4 |= (one_in(2) ? CR4_SMEP : 0) | (one_in(2) ? CR4_SMAP : 0);
	w.cr4 |= one_in(2) ? CR4_PKE : 0;
	w.pkru = one_in(2) ? any() & any() : any();
	w.ac = one_in(3);
	w.cr3 = below(PAGES) << 12 | (any() & 0xfff);
	w.maxphyaddr = widths[below(7)];
	if (one_in(4))
		w.cr3 |= walk_span(39, 32);
	return w;
}

/* Are the entries that the model has used what they should be? How many have changed. */
static int check_flags(const struct walk *w, bool success)
{
	u64 now, want;
	int i, k, n = 0;

	for (i = 0; i < nused; i++) {
		now = levels_of(w) == 2 ? *(u32 *)((char *)mem + used[i].gpa) : mem[used[i].gpa / 8];
		want = used[i].before;
		for (k = 0; k < nused && success; k++)	/* an entry may be used twice */
			want |= used[k].gpa == used[i].gpa ? used[k].after : 0;
		CHECK_EQ(now, want);
		n += want != used[i].before;
	}
	return n;
}

/* A walk that finds an entry changed by itself is done again. */
static s64 go_on(const struct walk *w, u64 va, unsigned int access)
{
	s64 got = go(w, va, access);
	int tries = 4;

	while (got == AGAIN && tries--)
		got = go(w, va, access);
	return got;
}

static void walks_are_those_of_the_model(void)
{
	static const unsigned int kinds[] = { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH };
	int i, found = 0, reserved_faults = 0, rights_faults = 0, key_faults = 0, flags = 0;
	unsigned int access = 0;
	struct walk w;
	s64 got, want;
	u64 va = 0;
	int tables = 2000;

	while (tables-- && !unit_bad) {
		w = random_machine();
		fill_memory(&w);
		for (i = 0; i < 1000 && !unit_bad; i++) {
			va = levels_of(&w) > 3 ? (s64)any() >> (levels_of(&w) > 4 ? 7 : 16) : (u32)any();
			access = kinds[below(3)] | (one_in(2) ? ACCESS_USER : 0);
			want = model(&w, va, access);
			got = go_on(&w, va, access);
			CHECK_EQ(got, want);
			flags += check_flags(&w, want >= 0);
			found += want >= 0;
			reserved_faults += want < 0 && ((-1 - want) & 8);
			rights_faults += want < 0 && ((-1 - want) & 9) == 1;
			key_faults += want < 0 && (-1 - want) & 0x20;
		}
	}
	if (unit_bad)
		printf("# levels %d cr0 %lx cr3 %lx cr4 %lx efer %llx va %llx access %x\n",
		       levels_of(&w), w.cr0, w.cr3, w.cr4, w.efer, va, access);
	else
		CHECK(found > 10000 && reserved_faults > 10000 && rights_faults > 10000 &&
		      key_faults > 2000 && flags > 10000);
}

int main(void)
{
	RUN(walks_are_those_of_the_model);
	return unit_end();
}
