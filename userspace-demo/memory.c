// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's memory: one range from 0, and what does not fit below the hole in a
 * second one from 4 GiB. It is ours: anonymous memory that the host provides as it
 * is touched. The VM is told by vm.c, Linux by layout.c.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "die.h"
#include "memory.h"

void memory_split(struct memory *m, uint64_t size)
{
	uint64_t low = size < LOW_MEMORY_MAX ? size : LOW_MEMORY_MAX;

	*m = (struct memory) { .range[0] = { .start = 0, .size = low }, .nr = 1 };
	if (size > low)
		m->range[m->nr++] = (struct memory_range) {
			.start = HIGH_MEMORY, .size = size - low,
		};
}

uint64_t memory_low_end(const struct memory *m)
{
	return m->range[0].size;
}

#define HUGE_PAGE	(2ul << 20)

/*
 * A huge page is huge for the guest, too, if guest and host addresses agree below it. Newer
 * kernels choose such an address for most sizes; here it is for all.
 */
static void *memory_reserve(uint64_t size)
{
	char *all = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint64_t before = -(uintptr_t)all % HUGE_PAGE;

	if (all == MAP_FAILED)
		return MAP_FAILED;
	if (before)
		munmap(all, before);
	munmap(all + before + size, HUGE_PAGE - before);
	return all + before;
}

static void memory_map_range(struct memory_range *r, bool populate)
{
	void *host = memory_reserve(r->size);

	if (host == MAP_FAILED)
		die("%lu MiB of memory: %s", (unsigned long)r->size >> 20, strerror(errno));
	madvise(host, r->size, MADV_HUGEPAGE);
	if (populate && madvise(host, r->size, MADV_POPULATE_WRITE))
		die("--populate: %s", strerror(errno));
	r->host = host;
}

void memory_map(struct memory *m, bool populate)
{
	unsigned int i;

	for (i = 0; i < m->nr; i++)
		memory_map_range(&m->range[i], populate);
}

void *memory_at(const struct memory *m, uint64_t start, uint64_t size)
{
	unsigned int i;

	for (i = 0; i < m->nr; i++) {
		const struct memory_range *r = &m->range[i];

		/* By differences: sums could wrap. */
		if (start >= r->start && start - r->start <= r->size &&
		    size <= r->size - (start - r->start))
			return r->host + (start - r->start);
	}
	return NULL;
}
