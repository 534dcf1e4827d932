// SPDX-License-Identifier: GPL-2.0
/*
 * T6, T11: the first touch of a page by the guest, and the dirty log.
 *
 * A touch is measured by itself, far from the others (T6a) or not (T6b); a walk over
 * neighbouring pages is measured as a whole and divided (T6as, T6bs, T11a), which
 * shows what is mapped ahead and what is put off. Host pages are of 4 KiB.
 */
#include "bench.h"

#define REGION_SLOT	1
#define HUGE_PAGE	(2ul << 20)

TIMED(touch, "mov %eax, (%r12)");

/* One sample: r10 pages. The OUT at the end takes in what an exit does about them. */
GUEST64(walk, MARK "rdtsc; mov %eax, %r8d; 1: mov %eax, (%r12); add %r13, %r12; dec %r10; jnz 1b;"
	"out %al, $0x10; rdtsc;" MARK "sub %r8d, %eax; mov %eax, (%rdi); out %al, $0x11");

struct region {
	struct test_vm t;
	uint8_t *mem;
	size_t size;
	uint32_t flags;
};

/* Which pages, and what makes their next touch a first one. */
struct touches {
	int pages, stride;	/* pages touched in a round; one of how many */
	void (*renew)(struct region *r);
	uint32_t flags;		/* of the slot */
};

static void add_slot(struct region *r, size_t size)
{
	must(vm_slot(&r->t, REGION_SLOT, r->flags, G_REGION, size, r->mem), "slot");
}

static void renew_slot(struct region *r)
{
	add_slot(r, 0);
	add_slot(r, r->size);
}

static void drop_host_pages(struct region *r)
{
	must(madvise(r->mem, r->size, MADV_DONTNEED), "MADV_DONTNEED");
}

static void harvest_log(struct region *r)
{
	uint64_t bits[1024];
	struct minikvm_dirty_log log = { .slot = REGION_SLOT };

	log.dirty_bitmap = bits;
	must(ioctl(r->t.vm, MINIKVM_GET_DIRTY_LOG, &log), "GET_DIRTY_LOG");
}

static void region_make(struct region *r, const struct touches *w)
{
	uintptr_t p;
	size_t i;

	bench_vm(&r->t, false);
	r->size = (size_t)w->pages * w->stride * PAGE;
	r->flags = w->flags;
	p = (uintptr_t)mmap(NULL, r->size + HUGE_PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == (uintptr_t)MAP_FAILED)
		err(1, "mmap");
	r->mem = (uint8_t *)((p + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
	must(madvise(r->mem, r->size, MADV_NOHUGEPAGE), "MADV_NOHUGEPAGE");
	for (i = 0; i < r->size; i += PAGE)
		r->mem[i] = 1;
	add_slot(r, r->size);
}

static void region_free(struct region *r)
{
	vm_free(&r->t);
	munmap(r->mem, r->size);	/* what is left over at the ends goes with the process */
}

/* Every touch is a sample. */
static int touches(const struct op *op, double *v, int n)
{
	const struct guest_code code = CODE(touch);
	const struct touches *w = op->what;
	const struct guest_args args = { .address = G_REGION, .stride = w->stride * PAGE };
	struct region r;
	int done;

	region_make(&r, w);
	for (done = 0; done < n; done += w->pages) {
		w->renew(&r);
		guest_samples(&r.t, &code, &args, NULL, v + done, w->pages);
	}
	region_free(&r);
	return done;
}

static double walk_once(struct region *r, const struct touches *w)
{
	const struct guest_code code = CODE(walk);
	const struct guest_args args = {
		.address = G_REGION, .stride = w->stride * PAGE, .ecx = w->pages,
	};
	double v;

	guest_samples(&r->t, &code, &args, NULL, &v, 1);
	return v;
}

/* The walk itself, over pages that were all touched already. */
static double walk_again(struct region *r, const struct touches *w)
{
	double v[8];
	int i;

	for (i = 0; i < 8; i++)
		v[i] = walk_once(r, w);
	return least(v, 8);
}

/* Every walk is a sample, per page. */
static int walks(const struct op *op, double *v, int n)
{
	const struct touches *w = op->what;
	struct region r;
	double again;
	int i;

	region_make(&r, w);
	walk_once(&r, w);
	again = walk_again(&r, w);
	for (i = 0; i < n; i++) {
		w->renew(&r);
		v[i] = (walk_once(&r, w) - again) / w->pages;
	}
	region_free(&r);
	return n;
}

/* What the VMM pays for each page that the log names. */
static int harvests(const struct op *op, double *v, int n)
{
	const struct touches *w = op->what;
	struct region r;
	uint64_t t;
	int i;

	region_make(&r, w);
	for (i = 0; i < n; i++) {
		walk_once(&r, w);
		t = __rdtsc();
		harvest_log(&r);
		v[i] = (double)(__rdtsc() - t) / w->pages;
	}
	region_free(&r);
	return n;
}

static const struct touches
	far = { 512, 32, renew_slot },
	near = { 512, 1, renew_slot },
	absent = { 512, 1, drop_host_pages },
	logged = { 128, 1, harvest_log, MINIKVM_MEM_LOG_DIRTY_PAGES };

const struct op memory_ops[] = {
	{ "T6a", 2048, touches, &far },
	{ "T6as", 64, walks, &near },
	{ "T6b", 2048, touches, &absent },
	{ "T6bs", 64, walks, &absent },
	{ "T11a", 128, walks, &logged },
	{ "T11b", 128, harvests, &logged },
	{ }
};
