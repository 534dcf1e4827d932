// SPDX-License-Identifier: GPL-2.0
/*
 * Linear addresses of a vCPU: translate and read, with the fault that the guest
 * would get. The walk itself is in cpu/walk.c, what comes before it in logical.c.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "../mm/memslot.h"
#include "../vmx/vmx.h"
#include "cpu.h"
#include "segcheck.h"
#include "walk.h"

/* A walk that is under way: the entries that it has read. */
struct walker {
	struct vcpu *vcpu;
	gpa_t entry[WALK_READS];
	int n;
	u8 size;			/* of an entry */
	struct cached_walk *note;	/* Clever: walk-cache */
};

/* Clever: walk-cache: what is at the end of this file */
static void note_begin(struct walker *walker, const struct walk *w, gva_t gva, unsigned int access);
static void note_entry(struct walker *walker, gpa_t gpa, const void *data);
static void note_end(struct vcpu *vcpu, gva_t gva, gpa_t gpa);
static bool walk_recall(struct vcpu *vcpu, const struct walk *w, gva_t gva, unsigned int access,
			gpa_t *gpa);
/* Clever ends: walk-cache */

static int read_table(void *arg, u64 gpa, void *data, size_t len)
{
	struct walker *walker = arg;
	int err = guest_read_word(walker->vcpu, gpa, data, len);

	if (err || walker->n == WALK_READS)
		return err ?: -EFAULT;
	walker->size = len;
	walker->entry[walker->n++] = gpa;
	note_entry(walker, gpa, data);	/* Clever: walk-cache */
	return 0;
}

/* Accessed and dirty flags; in read-only memory they stay as they are. */
static int update_table(void *arg, int i, u64 old, u64 new)
{
	struct walker *walker = arg;
	int ret = guest_cmpxchg(walker->vcpu, walker->entry[i], old, new, walker->size);

	/* Clever: walk-cache */
	if (!ret)
		walker->note->entry[i].value = new;
	/* Clever ends: walk-cache */
	return ret == -ENXIO ? 0 : ret;
}

/* Does RFLAGS.AC lift SMAP? Asked only where SMAP matters. */
static bool alignment_check(const struct vcpu *vcpu, unsigned int access)
{
	return !(access & ACCESS_FETCH) && (vcpu->cr4 & X86_CR4_SMAP) &&
	       (vmcs_read_guest_rflags() & X86_EFLAGS_AC);
}

/* Of CR0 and CR4 the guest itself writes nothing that a walk looks at but CR0.WP. */
static __always_inline struct walk walk_of(struct vcpu *vcpu, unsigned int access)
{
	return (struct walk) {
		.cr0 = access & ACCESS_WRITE ? vcpu_cr0(vcpu) : vcpu->cr0,
		.cr3 = vmcs_read_guest_cr3(),
		.cr4 = vcpu->cr4,
		.efer = vcpu->efer,
		.ac = alignment_check(vcpu, access),
		.pkru = !(access & ACCESS_FETCH) && (vcpu->cr4 & X86_CR4_PKE) ? vcpu->pkru : 0,
		.maxphyaddr = vcpu->maxphyaddr,
		.read = read_table,
		.update = update_table,
	};
}

/* walk_gva(); slots read-locked. */
static int walk_once(struct vcpu *vcpu, struct walk *w, gva_t gva, unsigned int access,
		     gpa_t *gpa, u32 *error)
{
	struct walker walker = { .vcpu = vcpu };

	note_begin(&walker, w, gva, access);	/* Clever: walk-cache */
	w->arg = &walker;
	return walk_gva(w, gva, access, gpa, error);
}

#define WALK_TRIES	16	/* while another vCPU changes the tables */

static int walk_until_done(struct vcpu *vcpu, struct walk *w, gva_t gva, unsigned int access,
			   gpa_t *gpa, u32 *error)
{
	int ret = WALK_AGAIN, i;

	for (i = 0; i < WALK_TRIES && ret == WALK_AGAIN; i++)
		ret = walk_once(vcpu, w, gva, access, gpa, error);
	/* Clever: walk-cache */
	if (!ret)
		note_end(vcpu, gva, *gpa);
	/* Clever ends: walk-cache */
	return ret;
}

/**
 * gva_to_gpa - translate with the rights of the current privilege level
 * @vcpu: loaded
 * @gva: linear address
 * @access: ACCESS_READ, ACCESS_WRITE or ACCESS_FETCH
 * @gpa: result
 * @fault: filled when the guest would fault
 *
 * Sets accessed and dirty flags in the guest's tables.
 *
 * Context: sleeps. Return: 0; 1: *fault, or vector 0: the tables change all the time,
 * have the guest execute the instruction again; -EFAULT: the host's page of a table
 * cannot be had.
 */
int gva_to_gpa(struct vcpu *vcpu, gva_t gva, unsigned int access, gpa_t *gpa,
	       struct guest_fault *fault)
{
	struct walk w = walk_of(vcpu, access);
	u32 error = 0;
	int ret = 0;

	if (vmx_cpl() == 3)
		access |= ACCESS_USER;
	slots_read_lock(vcpu);
	if (!walk_recall(vcpu, &w, gva, access, gpa))	/* Clever: walk-cache */
		ret = walk_until_done(vcpu, &w, gva, access, gpa, &error);
	slots_read_unlock(vcpu);
	if (!ret)
		return 0;
	*fault = (struct guest_fault) { .addr = gva, .error = error };
	if (ret == WALK_FAULT)
		fault->vector = X86_TRAP_PF;
	return ret < 0 ? ret : 1;
}

/**
 * gva_read - copy from the guest's linear address space
 * @vcpu: loaded
 * @gva: from
 * @data: to
 * @len: bytes, may cross pages
 * @access: ACCESS_READ or ACCESS_FETCH
 * @fault: filled when the guest would fault
 *
 * Context: sleeps. Return: as gva_to_gpa(), or -ENXIO: not memory.
 */
int gva_read(struct vcpu *vcpu, gva_t gva, void *data, size_t len, unsigned int access,
	     struct guest_fault *fault)
{
	gpa_t gpa;
	int ret;

	while (len) {
		size_t n = min_t(size_t, len, PAGE_SIZE - offset_in_page(gva));

		ret = gva_to_gpa(vcpu, gva, access, &gpa, fault);
		if (ret)
			return ret;
		ret = guest_read(vcpu, gpa, data, n);
		if (ret)
			return ret;
		gva += n;
		data += n;
		len -= n;
	}
	return 0;
}

/** gva_inject - give the guest the fault that was found, if it is one */
void gva_inject(struct vcpu *vcpu, const struct guest_fault *fault)
{
	if (fault->vector == X86_TRAP_PF)
		event_page_fault(vcpu, fault->addr, fault->error);
	else if (fault->vector)
		event_exception_error(vcpu, fault->vector, fault->error);
}

/* Is there such a linear address? Without paging KVM does not ask, and neither do we. */
static bool is_linear(const struct walk *w, u64 addr)
{
	if (!(w->cr0 & X86_CR0_PG))
		return true;
	return w->efer & EFER_LMA ? is_canonical(addr, w->cr4 & X86_CR4_LA57) : !(addr >> 32);
}

/**
 * vcpu_translate - TRANSLATE: as a supervisor's read, but without a trace
 * @vcpu: loaded
 * @tr: the answer
 *
 * Context: sleeps.
 */
void vcpu_translate(struct vcpu *vcpu, struct minikvm_translation *tr)
{
	struct walk w = walk_of(vcpu, ACCESS_READ);
	gpa_t gpa = tr->linear_address;
	u32 error;

	w.ac = true;
	w.pkru = 0;
	w.update = NULL;
	tr->valid = is_linear(&w, gpa);
	if (tr->valid && (w.cr0 & X86_CR0_PG)) {
		slots_read_lock(vcpu);
		tr->valid = !walk_once(vcpu, &w, gpa, ACCESS_READ, &gpa, &error);
		slots_read_unlock(vcpu);
	}
	tr->physical_address = tr->valid ? gpa : ~0ull;
	tr->valid = tr->physical_address != ~0ull;	/* the last byte there can be is none */
	tr->writeable = 1;
	tr->usermode = 0;
	memset(tr->pad, 0, sizeof(tr->pad));
}

/*
 * Clever: walk-cache: delete this and all still works, 899 instructions slower (row T4a).
 * A walk leaves a note of what it has read. While all of that is the same, so is its result,
 * and so is the place of the bytes on a page of code.
 */
static struct cached_walk *note_of(struct vcpu *vcpu, gva_t gva)
{
	return &vcpu->walk_cache[(gva >> PAGE_SHIFT) % WALK_CACHE_SIZE];
}

static bool same_entry(hva_t hva, u64 value, u8 size)
{
	u64 now64;
	u32 now32;

	if (size == 4)
		return !get_user(now32, (u32 __user *)hva) && now32 == value;
	return !get_user(now64, (u64 __user *)hva) && now64 == value;
}

/* Does a note of this walk exist, and is all as it was but what is in memory? */
static __always_inline bool is_noted(struct vcpu *vcpu, const struct cached_walk *k,
				     const struct walk *w, gva_t gva, unsigned int access)
{
	return k->page == (gva >> PAGE_SHIFT) + 1 && k->access == access && k->cr3 == w->cr3 &&
	       k->cr0 == w->cr0 && k->cr4 == w->cr4 && k->efer == w->efer && k->ac == w->ac &&
	       ((access & ACCESS_FETCH) || k->pkru == w->pkru) &&
	       k->maxphyaddr == w->maxphyaddr &&
	       k->slots_gen == READ_ONCE(vcpu->vm->slots_gen) && current->mm == vcpu->vm->mm;
}

/* Would the walk be the same again? It is if each entry that it read is. */
static bool is_known(struct vcpu *vcpu, const struct cached_walk *k, const struct walk *w,
		     gva_t gva, unsigned int access)
{
	int i;

	if (!is_noted(vcpu, k, w, gva, access))
		return false;
	for (i = 0; i < k->n; i++)
		if (!same_entry(k->entry[i].hva, k->entry[i].value, k->size))
			return false;
	return true;
}

/*
 * What the walk found last time; slots read-locked. A note of a walk that could set flags has
 * them set, or they cannot be: nothing is to be written if it is the same.
 */
static bool walk_recall(struct vcpu *vcpu, const struct walk *w, gva_t gva, unsigned int access,
			gpa_t *gpa)
{
	const struct cached_walk *k = note_of(vcpu, gva);

	if (!is_known(vcpu, k, w, gva, access))
		return false;
	*gpa = k->gpa | offset_in_page(gva);
	return true;
}

/* A walk begins: no page yet, so that nobody takes its note for one. */
static void note_begin(struct walker *walker, const struct walk *w, gva_t gva, unsigned int access)
{
	walker->note = note_of(walker->vcpu, gva);
	*walker->note = (struct cached_walk) {
		.cr0 = w->cr0, .cr3 = w->cr3, .cr4 = w->cr4, .efer = w->efer,
		.ac = w->ac, .pkru = w->pkru, .access = access, .maxphyaddr = w->maxphyaddr,
		/*
		 * Before the slots are looked at: an old number is never right. The
		 * look-up may be in a snapshot before this number's; but what goes is
		 * published twice, dying and gone, and readers are waited for in between.
		 */
		.slots_gen = smp_load_acquire(&walker->vcpu->vm->slots_gen),
	};
}

/* It has read an entry. */
static void note_entry(struct walker *walker, gpa_t gpa, const void *data)
{
	struct cached_walk *k = walker->note;

	k->size = walker->size;
	k->n = walker->n;
	k->entry[k->n - 1].hva = guest_hva(walker->vcpu, gpa);
	k->entry[k->n - 1].value = k->size == 8 ? *(u64 *)data : *(u32 *)data;
}

/* It has succeeded, and flags are set. */
static void note_end(struct vcpu *vcpu, gva_t gva, gpa_t gpa)
{
	struct cached_walk *k = note_of(vcpu, gva);

	k->gpa = gpa & PAGE_MASK;
	k->hva = guest_hva(vcpu, k->gpa);
	k->page = (gva >> PAGE_SHIFT) + 1;
}

/**
 * gva_fetch_again - the 16 bytes of an instruction on a page that was fetched from before
 * @vcpu: loaded, slots read-locked
 * @gva: linear address
 * @cpl: current privilege level
 * @bytes: result
 *
 * What gva_read() does with ACCESS_FETCH, if it is simple: 64-bit entries, all of
 * them as they were, and one page.
 *
 * Context: sleeps. Return: true, or false: use gva_read().
 */
bool gva_fetch_again(struct vcpu *vcpu, gva_t gva, int cpl, u64 bytes[2])
{
	const struct cached_walk *k = note_of(vcpu, gva);
	struct walk w = walk_of(vcpu, ACCESS_FETCH);
	const struct walk_entry *entry = k->entry, *end = entry + k->n;
	const u64 __user *from;
	u64 now;

	if (!is_noted(vcpu, k, &w, gva, ACCESS_FETCH | (cpl == 3 ? ACCESS_USER : 0)))
		return false;
	if (!k->hva || k->size == 4 || offset_in_page(gva) > PAGE_SIZE - 2 * sizeof(u64))
		return false;
	/* The entries are in slots, too, whose addresses were checked with them. */
	from = (const u64 __user *)(k->hva + offset_in_page(gva));
	if (!user_read_access_begin(from, 2 * sizeof(u64)))
		return false;
	for (; entry < end; entry++) {
		unsafe_get_user(now, (const u64 __user *)entry->hva, changed);
		if (now != entry->value)
			goto changed;
	}
	unsafe_get_user(bytes[0], from, changed);
	unsafe_get_user(bytes[1], from + 1, changed);
	user_read_access_end();
	return true;
changed:
	user_read_access_end();
	return false;
}
/* Clever ends: walk-cache */
