// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: whatever the host does to memory that a guest is using, all of it at once, the guest
 * finds no data of a page that was taken away, loses no write, and writes no page unlogged.
 *
 * STORM_ROUNDS in the environment: how many rounds each kind of weather has.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lib/stamps.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define PAGE	4096ul
#define HUGE	(2ul << 20)
#define WIDE	(64ull << 30)	/* a range that takes long to go through */
#define POISON	0xdeadbeef	/* no stamp */

/* Where each kind of weather has its memory, in a slot of its own. */
enum { SLOT_DROP = 1, SLOT_PROTECT, SLOT_MOVE, SLOT_FORK, SLOT_MERGE, SLOT_FAULT, SLOT_SLOTS,
       SLOT_LOG, SLOT_HUGE };
#define GPA(slot)	((slot) == SLOT_DROP ? STAMPS_HIGH : 0x10000000ull * (slot))
#define N		4	/* pages of most */
#define LOGGED		70	/* pages: more than a word of the log has */

static struct stamps s;
static unsigned int rounds, collapsed, merged, harvested;

static void set_slot(int slot, int flags, uint64_t size, void *hva)
{
	int err = vm_slot(&s.vcpu[0], slot, flags, GPA(slot), size, hva);

	if (err)
		stamps_fail(&s, "slot %d: %s", slot, strerror(-err));
}

/* A slot of @n pages of @step; the number of its first. */
static int add_slot(int slot, void *hva, int n, size_t step, int flags)
{
	set_slot(slot, 0, n * step, hva);
	return stamps_add(&s, GPA(slot), hva, n, step, flags);
}

/* --- pages that are dropped, one by one and all at once --- */

static uint8_t *wide;
static int dropped;

static void drop_make(void)
{
	wide = map(WIDE);
	madvise(wide, WIDE, MADV_NOHUGEPAGE);
	set_slot(SLOT_DROP, 0, WIDE, wide);
	dropped = stamps_add(&s, GPA(SLOT_DROP), wide, N, PAGE, 0);
}

static void drop_one(int round)
{
	int i = dropped + round % N;

	stamps_take(&s, i);
	madvise(s.page[i], PAGE, MADV_DONTNEED);
	stamps_publish(&s, i);
	stamps_given(&s, i);
}

static void drop_all(int round)
{
	int i;

	for (i = dropped; i < dropped + N; i++)
		stamps_take(&s, i);
	if (round % 4)
		madvise(wide, WIDE, MADV_DONTNEED);
	else
		mmap(wide, N * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
	for (i = dropped; i < dropped + N; i++) {
		stamps_publish(&s, i);
		stamps_given(&s, i);
	}
}

/* --- rights that go, and addresses that change --- */

static int protected, moved;

static void protect_make(void)
{
	protected = add_slot(SLOT_PROTECT, map(N * PAGE), N, PAGE, STAMPS_KEPT);
}

static void protect(int round)
{
	int i = protected + round % N;

	mprotect(s.page[i], PAGE, PROT_READ);
	stamps_quiet(&s, s.page[i], "that nobody may write");
	if (round % 2)
		mprotect(s.page[i], PAGE, PROT_NONE);
	mprotect(s.page[i], PAGE, PROT_READ | PROT_WRITE);
	stamps_publish(&s, i);
}

static void move_make(void)
{
	moved = add_slot(SLOT_MOVE, map(N * PAGE), N, PAGE, STAMPS_KEPT);
}

static void move(int round)
{
	static void *elsewhere;
	int i = moved + round % N;

	if (!elsewhere)
		elsewhere = map(PAGE);
	mremap(s.page[i], PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere);
	stamps_quiet(&s, elsewhere, "that is elsewhere");
	mremap(elsewhere, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, s.page[i]);
	stamps_publish(&s, i);
}

/* --- pages that a child has, too: each side's next write is its own --- */

static int forked;

static void fork_make(void)
{
	forked = add_slot(SLOT_FORK, map(N * PAGE), N, PAGE, STAMPS_KEPT);
}

static void fork_child(int until)
{
	struct stamped before[N];
	char c;
	int i;

	for (i = 0; i < N; i++)
		before[i] = *s.page[forked + i];
	if (read(until, &c, 1))
		_exit(1);
	for (i = 0; i < N; i++)
		if (memcmp(&before[i], s.page[forked + i], sizeof(before[i])))
			_exit(1);
	_exit(0);
}

static void fork_one(int round)
{
	int until[2], status, i;
	pid_t pid;

	if (pipe2(until, O_CLOEXEC))
		return;
	pid = fork();
	if (!pid) {
		close(until[1]);
		fork_child(until[0]);
	}
	for (i = 0; i < N; i++)
		stamps_publish(&s, forked + i);
	close(until[1]);
	close(until[0]);
	if (waitpid(pid, &status, 0) != pid || status)
		stamps_fail(&s, "the guest writes into a child of its process (status %#x)", status);
}

/* --- pages of the same contents, made one --- */

#define KSM "/sys/kernel/mm/ksm/"
static int same;

static void merge_make(void)
{
	void *p = map(2 * N * PAGE);

	madvise(p, 2 * N * PAGE, MADV_MERGEABLE);
	same = add_slot(SLOT_MERGE, p, 2 * N, PAGE, STAMPS_SAME);
}

static void merge(int round)
{
	int i, n = 0;

	for (i = 0; i < 2 * N; i++)
		stamps_publish(&s, same + i);
	for (i = 0; i < 20 && n <= 0; i++) {
		usleep(2000);
		n = number_in(KSM "pages_sharing", NULL);
	}
	merged += n > 0;
}

/* --- pages that a thread of the process brings in --- */

static int uffd = -1, fetched;

static void fault_make(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	void *p = map(N * PAGE);

	madvise(p, N * PAGE, MADV_NOHUGEPAGE);
	fetched = add_slot(SLOT_FAULT, p, N, PAGE, 0);
	uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	reg.range.start = (uintptr_t)p;
	reg.range.len = N * PAGE;
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) || ioctl(uffd, UFFDIO_REGISTER, &reg)) {
		close(uffd);
		uffd = -1;
	}
}

static void *fetcher(void *arg)
{
	static union { struct stamped head; uint8_t all[4096]; } page __attribute__((aligned(4096)));
	struct pollfd fd = { .fd = uffd, .events = POLLIN };
	struct uffdio_copy copy = { .src = (uintptr_t)&page, .len = PAGE };
	struct uffd_msg msg;

	while (poll(&fd, 1, -1) == 1 && fd.revents == POLLIN) {
		if (read(uffd, &msg, sizeof(msg)) != sizeof(msg) || msg.event != UFFD_EVENT_PAGEFAULT)
			continue;
		copy.dst = msg.arg.pagefault.address & -PAGE;
		page.head.stamp = s.state[fetched + (copy.dst - (uintptr_t)s.page[fetched]) / PAGE].floor;
		ioctl(uffd, UFFDIO_COPY, &copy);
	}
	return NULL;
}

static void fetch(int round)
{
	int i = fetched + round % N;

	stamps_take(&s, i);
	madvise(s.page[i], PAGE, MADV_DONTNEED);
	stamps_publish(&s, i);
	stamps_given(&s, i);
}

/* --- slots that go, and come again elsewhere or over other memory --- */

static uint8_t *backing[2];
static int slotted;

static void slots_make(void)
{
	backing[0] = map(N * PAGE);
	backing[1] = map(N * PAGE);
	slotted = add_slot(SLOT_SLOTS, backing[0], N, PAGE, 0);
}

/* The guest does not have the memory: what it finds there would be the host's secret. */
static void poisoned(uint8_t *p)
{
	int i;

	for (i = 0; i < N; i++)
		((volatile struct stamped *)(p + i * PAGE))->stamp = POISON;
	for (i = 0; i < N; i++)
		stamps_quiet(&s, (struct stamped *)(p + i * PAGE), "whose slot is gone");
	for (i = 0; i < N; i++)
		((volatile struct stamped *)(p + i * PAGE))->stamp = 0;
}

static void slots(int round)
{
	static int now;
	int i;

	for (i = 0; i < N; i++)
		stamps_take(&s, slotted + i);
	if (round % 2) {
		vm_slot(&s.vcpu[0], SLOT_SLOTS, 0, GPA(SLOT_SLOTS) + HUGE, N * PAGE, backing[now]);
		poisoned(backing[now]);
	} else {
		set_slot(SLOT_SLOTS, 0, 0, NULL);
		poisoned(backing[now]);
		now = !now;
	}
	set_slot(SLOT_SLOTS, round % 3 ? 0 : MINIKVM_MEM_LOG_DIRTY_PAGES, N * PAGE, backing[now]);
	for (i = 0; i < N; i++) {
		s.page[slotted + i] = (void *)(backing[now] + i * PAGE);
		stamps_publish(&s, slotted + i);
		stamps_given(&s, slotted + i);
	}
}

/* --- the dirty log: what it does not name is as it was --- */

static struct stamped seen[LOGGED];
static uint8_t *log_memory;
static int logged;

static void log_make(void)
{
	log_memory = map(LOGGED * PAGE);
	logged = add_slot(SLOT_LOG, log_memory, LOGGED, PAGE, STAMPS_KEPT);
}

static void log_copy(const uint64_t *bits)
{
	int i;

	for (i = 0; i < LOGGED; i++)
		if (bits[i / 64] >> i % 64 & 1)
			seen[i] = *(volatile struct stamped *)s.page[logged + i];
}

/*
 * A write that was done before the log was read is in a copy that was made since. (KVM may
 * name the page only the next time: one vCPU writes what another one's fault has just mapped.)
 */
static void log_harvest(void)
{
	static uint32_t mine[2][LOGGED][STAMPS_VCPUS];	/* before this harvest and the last one */
	const uint32_t (*least)[STAMPS_VCPUS] = mine[test_on_kvm()];
	uint64_t bits[(LOGGED + 63) / 64] = { };
	struct minikvm_dirty_log log = { .slot = SLOT_LOG, .dirty_bitmap = bits };
	int i, v;

	memcpy(mine[1], mine[0], sizeof(mine[0]));
	for (i = 0; i < LOGGED; i++)
		memcpy(mine[0][i], s.state[logged + i].mine, sizeof(mine[0][i]));
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (ioctl(s.vcpu[0].vm, MINIKVM_GET_DIRTY_LOG, &log))
		return stamps_fail(&s, "GET_DIRTY_LOG: %s", strerror(errno));
	log_copy(bits);
	for (i = 0; i < LOGGED; i++)
		for (v = 0; v < s.nr_vcpus; v++)
			if ((int32_t)(seen[i].word[v] - least[i][v]) < 0)
				stamps_fail(&s, "page %d of the log: vCPU %d wrote %u, the copy has %u",
					    i, v, least[i][v], seen[i].word[v]);
	harvested++;
}

static void harvest(int round)
{
	static const uint64_t all[] = { ~0ull, ~0ull };

	if (round % 16 == 0) {
		set_slot(SLOT_LOG, 0, LOGGED * PAGE, log_memory);
		sched_yield();
		set_slot(SLOT_LOG, MINIKVM_MEM_LOG_DIRTY_PAGES, LOGGED * PAGE, log_memory);
		log_copy(all);
	}
	log_harvest();
}

/* --- huge pages, split and put together, with and without a log --- */

static uint8_t *huge;
static int large;

static void huge_make(void)
{
	huge = map(3 * HUGE);
	huge = (uint8_t *)(((uintptr_t)huge + HUGE - 1) & -HUGE);
	madvise(huge, 2 * HUGE, MADV_HUGEPAGE);
	large = add_slot(SLOT_HUGE, huge, 16, HUGE / 8, STAMPS_KEPT);
}

static void huge_pages(int round)
{
	int i = large + round / 4 % 16;
	uint8_t *page = (uint8_t *)s.page[i];

	switch (round % 4) {
	case 0:
		mprotect(page, PAGE, PROT_READ);
		stamps_quiet(&s, s.page[i], "of a huge one, that nobody may write");
		mprotect(page, PAGE, PROT_READ | PROT_WRITE);
		break;
	case 1:
		madvise(page + PAGE, PAGE, MADV_DONTNEED);
		break;
	case 2:
		collapsed += !madvise(huge, 2 * HUGE, MADV_COLLAPSE);
		break;
	case 3:
		set_slot(SLOT_HUGE, round % 8 == 3 ? MINIKVM_MEM_LOG_DIRTY_PAGES : 0, 2 * HUGE, huge);
		if (round % 256 == 255)
			number_in("/proc/sys/vm/compact_memory", "1");
	}
	stamps_publish(&s, i);
}

/* --- all of it at once --- */

static struct weather {
	void (*make)(void);
	void (*blow)(int round);
	int every;		/* one of so many rounds */
	pthread_t thread;
} storm[] = {
	{ drop_make, drop_one, 1 },
	{ NULL, drop_all, 1 },
	{ protect_make, protect, 1 },
	{ move_make, move, 1 },
	{ fork_make, fork_one, 16 },
	{ merge_make, merge, 32 },
	{ fault_make, fetch, 1 },
	{ slots_make, slots, 8 },
	{ log_make, harvest, 1 },
	{ huge_make, huge_pages, 8 },
};
#define STORM (sizeof(storm) / sizeof(storm[0]))

static void *blow(void *arg)
{
	const struct weather *w = arg;
	unsigned int round;

	for (round = 0; round < rounds && !stamps_stop(&s); round += w->every)
		w->blow(round / w->every);
	return NULL;
}

static void all_at_once(void)
{
	int ksm = number_in(KSM "run", "1"), pause = number_in(KSM "sleep_millisecs", "2");
	char text[16];
	pthread_t brings;
	unsigned int i;

	stamps_run(&s);
	pthread_create(&brings, NULL, fetcher, NULL);
	for (i = 0; i < STORM; i++)
		pthread_create(&storm[i].thread, NULL, blow, &storm[i]);
	for (i = 0; i < STORM; i++)
		pthread_join(storm[i].thread, NULL);
	stamps_end(&s);
	/* It forgets this process, whose mm it would keep until a later scan. */
	number_in(KSM "run", "2");
	number_in(KSM "run", ksm == 0 ? "0" : "1");
	snprintf(text, sizeof(text), "%d", pause);
	number_in(KSM "sleep_millisecs", text);
	if (uffd >= 0) {
		pthread_cancel(brings);
		pthread_join(brings, NULL);
	}
}

FIXTURE(storm) { };

FIXTURE_SETUP(storm)
{
	const char *n = getenv("STORM_ROUNDS");
	unsigned int i;

	rounds = n ? atoi(n) : 128;
	stamps_make(&s);
	for (i = 0; i < STORM; i++)
		if (storm[i].make)
			storm[i].make();
}

FIXTURE_TEARDOWN(storm)
{
	vm_free(&s.vcpu[0]);
}

TEST_F_TIMEOUT(storm, the_guest_keeps_what_is_its_own_and_nothing_else, 36000)
{
	int i;

	all_at_once();
	printf("# FIGURES: %u rounds, %d vCPUs, %u + %u passes, %u harvests, %u collapses, %u merges\n",
	       rounds, s.nr_vcpus, stamps_passes(&s, 0), stamps_passes(&s, 1), harvested, collapsed,
	       merged);
	ASSERT_STREQ("", s.failure);
	/* How much each of them got to do is the scheduler's business. */
	for (i = 0; i < s.nr_vcpus; i++)
		ASSERT_GT(stamps_passes(&s, i), 0);
}

TEST_HARNESS_MAIN
