// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: whatever several threads say to VMs and vCPUs that they share, in any order, with
 * descriptors that are closed and doubled, memory that goes, and run pages that are written
 * meanwhile, each call returns, or at least the process can be killed, and the kernel says nothing.
 *
 * A world is a process with THREADS threads; each makes a row of STEPS steps out of a sequence
 * of random numbers that the world's seed and the thread's number begin. A world that came to a
 * result that none had (an ioctl and its errno, an exit) is gone into again: the same rows up to
 * a step, others from there. In the environment: IOCTL_WORLDS, how many; IOCTL_SEED, of the
 * first; IOCTL_WORLD="SEED CUT SEED", one alone, as a failure prints it.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/grammar.h"

#define THREADS		3
#define STEPS		40
#define SLOTS		12	/* descriptors that all threads know */
#define RUN_PAGES	3
#define ERRNOS		128
#define EXITS		40
#define POOL		64

/* The guests' code, at the start of each page: what leaves, and whatever a thread wrote there. */
GUEST16(code, "1: out %al, $0x10; in $0x11, %al; mov $0xd000, %bx; mov %bx, %es; mov %al, %es:(0);"
	"mov %es:(4), %eax; inc %ax; mov %ax, 0x3000; cpuid; mov $0xc0000080, %ecx; rdmsr; wrmsr; sti;"
	"hlt; .byte 0xf, 1, 0xc1; jmp 1b");

struct story { uint64_t seed, other; uint32_t cut; };

/* What the processes share: which results there were. */
struct results {
	uint8_t seen[NR_WORDS][ERRNOS], exits[EXITS];
	uint32_t pairs, reasons;
	uint64_t calls, runs;
};

static struct results *results;
static struct world world;
static int fds[SLOTS];			/* [0] is the device; -1: none */
static enum kind kinds[SLOTS];
static uint8_t *run_page[RUN_PAGES];
static int done;
static struct story now;
static uint32_t killed;
static __thread sigjmp_buf missing;	/* a page that another thread took */
static __thread uint8_t *argument;	/* ends before a page that is not there */

static void nothing(int sig)
{
}

static void fault(int sig)
{
	siglongjmp(missing, 1);
}

static void *map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void note(uint8_t *seen, uint32_t *count)
{
	if (!__atomic_exchange_n(seen, 1, __ATOMIC_RELAXED))
		__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
}

/* ---- descriptors */

static int find(struct dice *d, enum kind kind)
{
	int i, at = below(d, SLOTS);

	for (i = 0; i < SLOTS; i++, at = (at + 1) % SLOTS)
		if (__atomic_load_n(&fds[at], __ATOMIC_RELAXED) >= 0 && kinds[at] == kind)
			return at;
	return 0;
}

static void keep(struct dice *d, int fd, enum kind kind)
{
	int at = 1 + below(d, SLOTS - 1), old;

	if (fd < 0)
		return;
	kinds[at] = kind;
	old = __atomic_exchange_n(&fds[at], fd, __ATOMIC_RELAXED);
	if (old >= 0)
		close(old);
}

static void make_vm(struct dice *d)
{
	int fd = ioctl(fds[0], MINIKVM_CREATE_VM, one_in(d, 16) ? number(d) : 0);
	struct minikvm_userspace_memory_region r = {
		.memory_size = G_PAGES * 4096, .userspace_addr = (uintptr_t)world.mem,
	};

	if (fd >= 0)
		ioctl(fd, MINIKVM_SET_USER_MEMORY_REGION, &r);
	if (fd >= 0 && one_in(d, 2))
		ioctl(fd, MINIKVM_CREATE_IRQCHIP, 0);
	keep(d, fd, VM);
}

static void make_vcpu(struct dice *d)
{
	int fd = ioctl(fds[find(d, VM)], MINIKVM_CREATE_VCPU, one_in(d, 8) ? number(d) : below(d, 4));
	uint8_t *page = run_page[below(d, RUN_PAGES)];
	struct minikvm_regs regs = { .rip = below(d, G_PAGES) * 4096, .rflags = 2, .rsp = 0x8000 };
	struct minikvm_sregs s;

	if (fd < 0)
		return;
	mmap(page, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
	if (!ioctl(fd, MINIKVM_GET_SREGS, &s)) {
		s.cs.base = s.cs.selector = 0;
		ioctl(fd, MINIKVM_SET_SREGS, &s);
	}
	ioctl(fd, MINIKVM_SET_REGS, &regs);
	keep(d, fd, VCPU);
}

static void close_or_double(struct dice *d)
{
	int at = 1 + below(d, SLOTS - 1), fd;

	if (one_in(d, 2)) {
		fd = __atomic_exchange_n(&fds[at], -1, __ATOMIC_RELAXED);
		if (fd >= 0)
			close(fd);
	} else {
		enum kind kind = kinds[at];

		keep(d, dup(__atomic_load_n(&fds[at], __ATOMIC_RELAXED)), kind);
	}
}

/* ---- calls */

/* The argument's place: mostly its own, of exactly its size. */
static void *place(struct dice *d, size_t size)
{
	switch (below(d, 24)) {
	case 0: return NULL;
	case 1: return (void *)number(d);
	case 2: return argument - size / 2;
	case 3: return run_page[below(d, RUN_PAGES)];
	case 4: return world.mem + below(d, G_PAGES) * 4096;
	default: return argument - size;
	}
}

static void call(struct dice *d)
{
	uint32_t at = below(d, NR_WORDS);
	const struct word *word = &words[at];
	enum kind kind = one_in(d, 16) ? below(d, KINDS) : word->kind;
	int fd = fds[one_in(d, 32) ? below(d, SLOTS) : find(d, kind)], ret;
	size_t size = size_of(word);
	void *arg = argument - size;

	if (word->fill)
		word->fill(d, &world, arg);
	else
		noise(d, arg, size);
	if (word->get && ioctl(fd, word->get, arg) >= 0)
		flip(d, arg, size);
	if (_IOC_SIZE(word->nr))
		ret = ioctl(fd, word->nr, place(d, size));
	else
		ret = ioctl(fd, word->nr, one_in(d, 2) ? number(d) : (uintptr_t)arg);
	if (ret > 2 && word->nr == MINIKVM_GET_STATS_FD) {
		read(ret, argument - 4096, 4096);
		close(ret);
	}
	results->calls++;
	note(&results->seen[at][ret < 0 ? errno % ERRNOS : 0], &results->pairs);
}

static void run(struct dice *d)
{
	int n = below(d, 6), fd = fds[find(d, VCPU)];

	for (; n >= 0; n--) {
		struct minikvm_run *r = (void *)run_page[below(d, RUN_PAGES)];
		int ret = ioctl(fd, MINIKVM_RUN, 0);

		results->runs++;
		if (ret)
			return;
		note(&results->exits[r->exit_reason % EXITS], &results->reasons);
	}
}

static void scribble(struct dice *d)
{
	int n = below(d, 64);
	uint32_t *page = (void *)(one_in(d, 3) ? world.mem + below(d, G_PAGES) * 4096 :
				  run_page[below(d, RUN_PAGES)]);

	while (n--)
		page[below(d, one_in(d, 2) ? 96 : 1024)] = number(d);
}

static void memory(struct dice *d)
{
	uint8_t *at = world.mem + below(d, G_PAGES) * 4096;
	size_t size = (1 + below(d, 4)) * 4096;

	if (at + size > world.mem + G_PAGES * 4096)
		return;
	switch (below(d, 4)) {
	case 0: madvise(at, size, MADV_DONTNEED); break;
	case 1: mprotect(at, size, below(d, 4)); break;
	case 2: munmap(at, 4096); break;
	default:
		mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		memcpy(at, code, code_end - code);
	}
}

static void event(struct dice *d)
{
	uint64_t one = 1;
	int fd = world.event[below(d, 3)];

	if (one_in(d, 16))
		close(fd);
	else if (one_in(d, 2))
		write(fd, &one, sizeof(one));
	else
		read(fd, &one, sizeof(one));
}

static void move(struct dice *d)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(below(d, 3), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void (*const steps[])(struct dice *d) = {
	call, call, call, call, call, call, call, call, call, call, call, call, run, run, run, run,
	scribble, scribble, memory, event, event, make_vm, make_vcpu, make_vcpu, close_or_double, move,
};

static void *thread(void *arg)
{
	uint64_t number = (uintptr_t)arg;
	struct dice d = { now.seed * THREADS + number }, step;
	uint8_t *all = map(2 * ARG_SIZE);
	volatile uint32_t i;

	mprotect(all + ARG_SIZE, ARG_SIZE, PROT_NONE);
	argument = all + ARG_SIZE;
	for (i = 0; i < STEPS; i++) {
		if (i == now.cut)
			d.state = now.other * THREADS + number;
		/* A step's numbers do not depend on how many another one took. */
		step.state = roll(&d);
		if (!sigsetjmp(missing, 1))
			steps[below(&step, sizeof(steps) / sizeof(steps[0]))](&step);
	}
	__atomic_fetch_add(&done, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* ---- worlds */

static void nap(long us)
{
	struct timespec t = { .tv_nsec = us * 1000 };

	nanosleep(&t, NULL);
}

static void begin(void)
{
	struct sigaction user = { .sa_handler = nothing }, bad = { .sa_handler = fault, .sa_flags = SA_NODEFER };
	struct dice d = { now.seed };
	int i;

	sigaction(SIGUSR1, &user, NULL);
	sigaction(SIGSEGV, &bad, NULL);
	sigaction(SIGBUS, &bad, NULL);
	world.mem = map(G_PAGES * 4096);
	for (i = 0; i < G_PAGES; i++)
		memcpy(world.mem + i * 4096, code, code_end - code);
	for (i = 0; i < RUN_PAGES; i++)
		run_page[i] = map(3 * 4096);
	for (i = 0; i < 3; i++)
		world.event[i] = eventfd(0, EFD_NONBLOCK);
	memset(fds, -1, sizeof(fds));
	fds[0] = open(test_device(), O_RDWR);
	make_vm(&d);
	make_vcpu(&d);
}

/* A process of its own. It ends with its threads, which need a kick now and then to leave RUN. */
static void world_run(void)
{
	pthread_t threads[THREADS];
	intptr_t i;

	begin();
	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, thread, (void *)i);
	while (__atomic_load_n(&done, __ATOMIC_ACQUIRE) < THREADS) {
		nap(2000);
		for (i = 0; i < THREADS; i++)
			pthread_kill(threads[i], SIGUSR1);
	}
	_exit(0);
}

/* Its status, or -1 if it neither ended nor could be killed within @seconds each. */
static int wait_for(pid_t pid, int seconds)
{
	int status, tries;

	for (tries = 0; tries < seconds * 2000; tries++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		if (tries == seconds * 1000)
			kill(pid, SIGKILL);
		nap(1000);
	}
	return -1;
}

static bool world_is_survived(const struct story *story)
{
	pid_t pid;
	int status;

	now = *story;
	pid = fork();
	if (!pid)
		world_run();
	status = wait_for(pid, 10);
	/* A row may have blocked the signal that ends its RUN: it blocks no SIGKILL. */
	killed += status != -1 && WIFSIGNALED(status);
	return status != -1;
}

static uint64_t from_env(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

FIXTURE(fuzz) { };
FIXTURE_SETUP(fuzz) { }
FIXTURE_TEARDOWN(fuzz) { }

/* As long as IOCTL_WORLDS of them take. */
TEST_F_TIMEOUT(fuzz, any_rows_of_calls, 36000)
{
	static struct story pool[POOL];
	uint32_t worlds = from_env("IOCTL_WORLDS", 4), i, had, kept = 0;
	struct dice d = { from_env("IOCTL_SEED", 1) };
	struct story story;

	if (test_on_kvm())
		SKIP(return, "about minikvm alone");
	close(test_open());
	results = mmap(NULL, sizeof(*results), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (getenv("IOCTL_WORLD")) {
		sscanf(getenv("IOCTL_WORLD"), "%lu %u %lu", &story.seed, &story.cut, &story.other);
		ASSERT_TRUE(world_is_survived(&story));
		return;
	}
	for (i = 0; i < worlds; i++) {
		story = (struct story) { .seed = roll(&d) >> 4, .cut = STEPS };
		if (kept && one_in(&d, 2)) {
			story.other = story.seed;
			story.seed = pool[below(&d, kept < POOL ? kept : POOL)].seed;
			story.cut = 1 + below(&d, STEPS - 1);
		}
		had = results->pairs + results->reasons;
		ASSERT_TRUE(world_is_survived(&story))
			TH_LOG("IOCTL_WORLD=\"%lu %u %lu\"", story.seed, story.cut, story.other);
		if (results->pairs + results->reasons > had)
			pool[kept++ % POOL] = story;
	}
	printf("# FIGURES %u rows of %u steps, %lu ioctls, %lu runs, %u results, %u kinds of exits, %u killed\n",
	       worlds * THREADS, STEPS, results->calls, results->runs, results->pairs, results->reasons,
	       killed);
}

TEST_HARNESS_MAIN
