// SPDX-License-Identifier: GPL-2.0
/*
 * A walk of the guest's page tables: 32-bit, PAE, 4-level and 5-level paging.
 *
 * Called when the kernel must do what an instruction's operand asks: fetch the
 * instruction itself, the memory side of string I/O, MOVS. As the processor does, it
 * sets the accessed flag in each entry that it used, and the dirty flag for a write.
 * Left out: the PDPTE registers of PAE paging, memory has them. SDM "Paging".
 */
#include "walk.h"

#define CR0_WP		(1ul << 16)
#define CR0_PG		(1ul << 31)
#define CR4_PSE		(1ul << 4)
#define CR4_PAE		(1ul << 5)
#define CR4_LA57	(1ul << 12)
#define CR4_SMEP	(1ul << 20)
#define CR4_SMAP	(1ul << 21)
#define CR4_PKE		(1ul << 22)
#define EFER_LMA_BIT	(1ull << 10)
#define EFER_NX_BIT	(1ull << 11)

#define PTE_P		(1ull << 0)
#define PTE_W		(1ull << 1)
#define PTE_U		(1ull << 2)
#define PTE_A		(1ull << 5)
#define PTE_D		(1ull << 6)
#define PTE_PS		(1ull << 7)
#define PTE_NX		(1ull << 63)

/* Bits high:low, none if high < low. */
static u64 walk_span(int high, int low)
{
	return high < low ? 0 : ~0ull >> (63 - high) & ~0ull << low;
}

/* How a paging mode divides an address. */
struct mode {
	int levels;
	int bits;		/* index bits per level */
	int entry_size;
	u64 cr3_mask;		/* where CR3 has the address of the first table */
};

static struct mode mode_of(const struct walk *w)
{
	if (w->efer & EFER_LMA_BIT)
		return (struct mode) { w->cr4 & CR4_LA57 ? 5 : 4, 9, 8, walk_span(51, 12) };
	if (w->cr4 & CR4_PAE)
		return (struct mode) { 3, 9, 8, walk_span(31, 5) };
	return (struct mode) { 2, 10, 4, walk_span(31, 12) };
}

static int walk_fault(u32 code, unsigned int access, const struct walk *w, u32 *error)
{
	*error = code;
	if (access & ACCESS_WRITE)
		*error |= PF_WRITE;
	if (access & ACCESS_USER)
		*error |= PF_USER;
	if ((access & ACCESS_FETCH) &&
	    ((w->cr4 & CR4_SMEP) || ((w->cr4 & CR4_PAE) && (w->efer & EFER_NX_BIT))))
		*error |= PF_FETCH;
	return WALK_FAULT;
}

/* SDM "Determination of Access Rights"; rights is the AND of the entries, NX the OR. */
static bool walk_allowed(const struct walk *w, u64 rights, bool nx, unsigned int access)
{
	bool user_page = rights & PTE_U;

	if (access & ACCESS_USER) {
		if (!user_page || ((access & ACCESS_WRITE) && !(rights & PTE_W)))
			return false;
	} else {
		if ((access & ACCESS_WRITE) && !(rights & PTE_W) && (w->cr0 & CR0_WP))
			return false;
		if (user_page && (access & ACCESS_FETCH) && (w->cr4 & CR4_SMEP))
			return false;
		if (user_page && !(access & ACCESS_FETCH) && (w->cr4 & CR4_SMAP) && !w->ac)
			return false;
	}
	return !(nx && (access & ACCESS_FETCH));
}

/*
 * Does the page's protection key forbid it? Only 4- and 5-level paging has keys, only for
 * data on user pages. SDM "Protection Keys".
 */
static bool key_forbids(const struct walk *w, u64 rights, u64 leaf, unsigned int access)
{
	u32 key;

	if (!(w->cr4 & CR4_PKE) || !(w->efer & EFER_LMA_BIT) || !(rights & PTE_U) ||
	    (access & ACCESS_FETCH))
		return false;
	key = w->pkru >> 2 * (leaf >> 59 & 15);
	if (key & 1)		/* access disabled */
		return true;
	return (key & 2) && (access & ACCESS_WRITE) &&
	       ((access & ACCESS_USER) || (w->cr0 & CR0_WP));
}

/* Is an entry with bit 7 a page larger than 4 KiB, in this mode at this level? */
static bool is_large(const struct walk *w, const struct mode *m, int level)
{
	if (level == 1)
		return false;
	if (m->entry_size == 4)
		return w->cr4 & CR4_PSE;
	return level == 2 || (level == 3 && m->levels > 3);
}

/*
 * Bits that must be 0 in a present entry: the SDM's tables "Format of a ... Entry".
 * Here those of any entry, in is_reserved() those of its level.
 */
static u64 reserved_bits(const struct walk *w, const struct mode *m)
{
	u64 reserved = walk_span(51, w->maxphyaddr);

	if (m->entry_size == 4)
		return 0;
	if (m->levels == 3)
		reserved |= walk_span(62, 52);
	if (!(w->efer & EFER_NX_BIT))
		reserved |= PTE_NX;
	return reserved;
}

/* For an entry with bit 7, which says that it maps a page. */
static bool is_reserved(const struct walk *w, const struct mode *m, int level, u64 pte)
{
	if (level == 1)
		return false;
	if (level > 3)
		return true;
	if (!is_large(w, m, level))
		return false;
	if (m->entry_size == 4)		/* PSE-36: bits 39:32 of an address that has so many */
		return pte & walk_span(21, w->maxphyaddr < 40 ? w->maxphyaddr - 19 : 21);
	return pte & walk_span(12 + 9 * (level - 1) - 1, 13);
}

/* Physical address of a large page: PSE-36 puts bits 39:32 into entry bits 20:13. */
static u64 large_base(const struct mode *m, int shift, u64 pte)
{
	u64 base = pte & walk_span(51, 12) & (~0ull << shift);

	if (m->entry_size == 4)
		base |= (pte >> 13 & 0xff) << 32;
	return base;
}

/* The access will be made: the entries say so. SDM "Accessed and Dirty Flags". */
static int walk_set_flags(const struct walk *w, const struct mode *m, const u64 *entry, int n,
		     unsigned int access)
{
	int i = m->levels == 3 ? 1 : 0, ret = 0;	/* PDPTEs have no such flags */

	for (; i < n && !ret; i++) {
		u64 flags = i == n - 1 && (access & ACCESS_WRITE) ? PTE_A | PTE_D : PTE_A;

		if ((entry[i] & flags) != flags)
			ret = w->update(w->arg, i, entry[i], entry[i] | flags);
	}
	return ret > 0 ? WALK_AGAIN : ret;
}

/* 0: present; WALK_FAULT; negative: the walk ends. */
static int read_entry(const struct walk *w, const struct mode *m, u64 at, unsigned int access,
		      u64 *pte, u32 *error)
{
	int ret;

	*pte = 0;
	ret = w->read(w->arg, at, pte, m->entry_size);
	if (ret && ret != -ENXIO)
		return ret;
	return ret || !(*pte & PTE_P) ? walk_fault(0, access, w, error) : 0;
}

static int check_rights(const struct walk *w, const struct mode *m, u64 rights, u64 nx, u64 leaf,
			unsigned int access, u32 *error)
{
	bool key = key_forbids(w, rights, leaf, access);

	if (!key && walk_allowed(w, rights, m->entry_size == 8 && (nx & PTE_NX), access))
		return 0;
	return walk_fault(PF_PRESENT | (key ? PF_PKEY : 0), access, w, error);
}

static int walk_read_entries(const struct walk *w, u64 gva, unsigned int access, u64 *gpa,
			     u32 *error)
{
	struct mode m = mode_of(w);
	u64 table = w->cr3 & m.cr3_mask, rights = PTE_W | PTE_U, nx = 0, pte, entry[WALK_READS];
	u64 reserved = reserved_bits(w, &m), index_mask = (1u << m.bits) - 1;
	int level, shift = 12 + m.bits * m.levels, n = 0, ret;

	for (level = m.levels; ; level--) {
		shift -= m.bits;
		table += (gva >> shift & index_mask) * m.entry_size;
		ret = read_entry(w, &m, table, access, &pte, error);
		if (ret)
			return ret;
		entry[n++] = pte;
		table = pte & walk_span(51, 12);
		/* PDPTEs of PAE paging carry no rights; MOV to CR3 has checked them. */
		if (m.levels == 3 && level == 3)
			continue;
		if ((pte & reserved) || ((pte & PTE_PS) && is_reserved(w, &m, level, pte)))
			return walk_fault(PF_PRESENT | PF_RESERVED, access, w, error);
		rights &= pte;
		nx |= pte;
		if (level == 1 || ((pte & PTE_PS) && is_large(w, &m, level)))
			break;
	}
	ret = check_rights(w, &m, rights, nx, pte, access, error);
	if (!ret && w->update)
		ret = walk_set_flags(w, &m, entry, n, access);
	if (ret)
		return ret;
	*gpa = (level == 1 ? table : large_base(&m, shift, pte)) | (gva & ((1ull << shift) - 1));
	return 0;
}

/**
 * walk_gva - translate a linear address
 * @w: control registers and memory
 * @gva: linear address, canonical
 * @access: ACCESS_*
 * @gpa: result
 * @error: error code of the #PF, if there is one
 *
 * Return: 0; WALK_FAULT: #PF; WALK_AGAIN: an entry changed meanwhile; negative: what
 * @w->read or @w->update said.
 */
int walk_gva(const struct walk *w, u64 gva, unsigned int access, u64 *gpa, u32 *error)
{
	if (!(w->efer & EFER_LMA_BIT))
		gva = (u32)gva;
	if (!(w->cr0 & CR0_PG)) {
		*gpa = gva;
		return 0;
	}
	return walk_read_entries(w, gva, access, gpa, error);
}
