/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages with stamps: an oracle of what a guest may find in memory that the host takes away and
 * gives back meanwhile. Two vCPUs go round all pages without end, and look at each:
 *
 *  - the stamp, which the host renews whenever it has given a page back, is none from before;
 *    zero, or nothing, only while a page is on its way: old data are another owner's by now;
 *  - its own word, in pages whose contents the host keeps, is what it wrote last: no write is lost.
 *
 * The host looks at the same: a page that the guest does not have does not change.
 */
#ifndef SELFTESTS_STAMPS_H
#define SELFTESTS_STAMPS_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "vm.h"

#define STAMPS_MAX	256
#define STAMPS_VCPUS	2
#define STAMPS_HIGH	(1ull << 32)	/* pages are below this, or in the GiB from here on */

enum {
	STAMPS_KEPT	= 1,	/* the vCPUs' words survive */
	STAMPS_SAME	= 2,	/* the vCPUs write, but always the same */
};

/* The beginning of a page under test. */
struct stamped {
	uint32_t stamp;
	uint32_t word[STAMPS_VCPUS];
};

/* What host and guest know about a page, in memory that stays. The guest's code has the offsets. */
struct stamp_state {
	uint32_t floor;		/* the stamp is this or a later one */
	uint32_t newest;	/* and not later than this */
	uint32_t begun, done;	/* times that the host took it, and gave it back */
	uint32_t flags;
	uint32_t mine[STAMPS_VCPUS];	/* what each vCPU wrote last */
	uint32_t gfn;
};

struct stamps {
	struct test_vm vcpu[STAMPS_VCPUS];	/* [1] shares [0]'s VM */
	int nr_vcpus;
	int n;				/* pages */
	struct stamp_state *state;
	struct stamped *page[STAMPS_MAX];	/* as the host sees them */
	char failure[200];		/* the first that was found, or empty */
	bool stop;
};

void stamps_make(struct stamps *s);
/* @n pages, @step apart, at @gpa; for the guest once stamps_run() is called. Gives the first's number. */
int stamps_add(struct stamps *s, uint64_t gpa, void *hva, int n, size_t step, int flags);
void stamps_run(struct stamps *s);
/* Stops the vCPUs, and looks at every kept page for the last time. */
void stamps_end(struct stamps *s);
uint32_t stamps_passes(const struct stamps *s, int vcpu);

/* Around whatever takes a page away and gives it back; publish renews the stamp. */
void stamps_take(struct stamps *s, int i);
void stamps_publish(struct stamps *s, int i);
void stamps_given(struct stamps *s, int i);

/* The guest must not have a page now (or not for writing): does it change? */
void stamps_quiet(struct stamps *s, const struct stamped *page, const char *when);

void stamps_fail(struct stamps *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool stamps_stop(const struct stamps *s);

/* ---- of the host */

static inline void *map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		exit(1);
	return p;
}

/* The number in a file; @write, if any, goes there afterwards. -1: it cannot be had. */
static inline int number_in(const char *path, const char *write)
{
	char text[32] = "";
	int fd = open(path, write ? O_RDWR : O_RDONLY), n = -1;

	if (fd < 0)
		return -1;
	if (read(fd, text, sizeof(text) - 1) > 0)
		n = atoi(text);
	if (write && pwrite(fd, write, strlen(write), 0) < 0)
		n = -1;
	close(fd);
	return n;
}

#endif
