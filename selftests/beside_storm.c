// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: guests of KVM's and of minikvm's, in one thread by turns and in threads of their own,
 * survive signals, migrations, and CPUs that go and come, and compute the right numbers.
 *
 * BESIDE_ROUNDS in the environment: how often the thread with both goes from one to the other
 * (200). BESIDE_UNTIL: a file that ends the storm instead; CPUs go and come by somebody else then.
 * Skips unless both devices are there; CPUs stay where they are if they cannot go.
 */
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "lib/beside.h"

static struct side kvm, ours, by_turns[2];
static int end, signals, plugs;

static void count_signal(int sig)
{
	signals++;
}

static void *go_on(void *arg)
{
	struct side *s = arg;
	int cpus = sysconf(_SC_NPROCESSORS_CONF), i;

	/* Most of a CPU is for the thread that goes from one to the other: it is what ends. */
	setpriority(PRIO_PROCESS, syscall(SYS_gettid), 10);
	for (i = 0; !__atomic_load_n(&end, __ATOMIC_RELAXED) && !s->bad; i++) {
		/* Pinned to one that goes, it is moved by force; and comes back. */
		if (i % 16 == 0)
			pin((i / 16 + s->aux) % cpus);
		side_one(s);
	}
	return NULL;
}

static bool plug(int cpu, bool on)
{
	char name[64];
	int fd, n;

	snprintf(name, sizeof(name), "/sys/devices/system/cpu/cpu%d/online", cpu);
	fd = open(name, O_WRONLY);
	n = fd < 0 ? -1 : write(fd, on ? "1" : "0", 1);
	close(fd);
	return n == 1;
}

/* All but the first, one after the other; all are there at the end. */
static void *plug_cpus(void *arg)
{
	int cpus = sysconf(_SC_NPROCESSORS_CONF), cpu;
	bool can = cpus > 1 && !getenv("BESIDE_UNTIL");

	while (!__atomic_load_n(&end, __ATOMIC_RELAXED) && can) {
		for (cpu = 1; cpu < cpus; cpu++) {
			can = plug(cpu, false);
			usleep(5000);
			if (can && plug(cpu, true))
				plugs++;
			usleep(5000);
		}
	}
	return NULL;
}

static bool goes_on(int rounds)
{
	const char *until = getenv("BESIDE_UNTIL");

	return until ? access(until, F_OK) : rounds < beside_rounds(200);
}

#define EXPECT_RIGHT(s) ASSERT_EQ(0, (s)->bad) TH_LOG("wrong: %s", (s)->wrong)

FIXTURE(storm)
{
};

FIXTURE_SETUP(storm)
{
}

FIXTURE_TEARDOWN(storm)
{
}

TEST_F_TIMEOUT(storm, both_in_a_storm, 3600)
{
	struct itimerval often = { { 0, 3000 }, { 0, 3000 } }, never = {};
	int cpus = sysconf(_SC_NPROCESSORS_CONF), i, rounds;
	void *(*work[])(void *) = { go_on, go_on, plug_cpus };
	struct side *sides[] = { &ours, &kvm, NULL };
	pthread_t threads[3];
	sigset_t alarm;

	if (!beside_possible())
		SKIP(return, "one of the devices is not there");
	signal(SIGALRM, count_signal);
	side_make(&ours, "/dev/minikvm", 0x21, 5000);
	side_make(&kvm, "/dev/kvm", 0x32, 7000);
	side_make(&by_turns[0], "/dev/minikvm", 0x43, 5);
	side_make(&by_turns[1], "/dev/kvm", 0x54, 5);
	/* The signals are this thread's. */
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigprocmask(SIG_BLOCK, &alarm, NULL);
	for (i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, work[i], sides[i]);
	sigprocmask(SIG_UNBLOCK, &alarm, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (rounds = 0; goes_on(rounds) && !by_turns[0].bad && !by_turns[1].bad; rounds++) {
		if (rounds % 64 == 0)
			pin(rounds / 64 % cpus);
		while (!side_one(&by_turns[rounds & 1]) && !by_turns[rounds & 1].bad)
			;
	}
	setitimer(ITIMER_REAL, &never, NULL);
	end = 1;
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < 2; i++) {
		EXPECT_RIGHT(&by_turns[i]);
		EXPECT_RIGHT(sides[i]);
	}
	ASSERT_LT(0, signals);
	printf("# FIGURES %d alternations, %d signals, CPUs went and came %d times\n", rounds,
	       signals, plugs);
}

TEST_HARNESS_MAIN
