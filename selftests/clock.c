// SPDX-License-Identifier: GPL-2.0
/* Claim: a VM's clock can be read and set, beside the host's time of day and TSC, and goes on. */
#include <time.h>
#include "lib/vm.h"

#define SECOND	1000000000ull
#define ALL	(MINIKVM_CLOCK_TSC_STABLE | MINIKVM_CLOCK_REALTIME | MINIKVM_CLOCK_HOST_TSC)

GUEST64(halt, "hlt");

static uint64_t host_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

static struct minikvm_clock_data get(struct test_vm *t)
{
	struct minikvm_clock_data d;

	memset(&d, 0x5a, sizeof(d));
	if (ioctl(t->vm, MINIKVM_GET_CLOCK, &d))
		abort();
	return d;
}

static int set(struct test_vm *t, uint64_t clock, uint32_t flags, uint64_t realtime)
{
	struct minikvm_clock_data d = { .clock = clock, .flags = flags, .realtime = realtime };

	return ioctl(t->vm, MINIKVM_SET_CLOCK, &d) ? -errno : 0;
}

FIXTURE(clock) { struct test_vm t; };
/* (KVM's clock goes with the TSC once a vCPU has run.) */
FIXTURE_SETUP(clock)
{
	vm_make(&self->t, false);
	guest_long(&self->t, halt, halt_end);
	EXPECT_HLT(&self->t);
}

FIXTURE_TEARDOWN(clock) { vm_free(&self->t); }

TEST_F(clock, capability)
{
	ASSERT_EQ(ALL, ioctl(self->t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_ADJUST_CLOCK));
}

/* All of one moment, on a host that keeps its time by the TSC, as here. */
TEST_F(clock, one_moment)
{
	uint64_t real = host_ns(CLOCK_REALTIME), tsc = __builtin_ia32_rdtsc();
	struct minikvm_clock_data d = get(&self->t);
	uint32_t zero[4] = { };

	ASSERT_EQ(ALL, d.flags & ALL);
	ASSERT_LE(real, d.realtime);
	ASSERT_GE(host_ns(CLOCK_REALTIME), d.realtime);
	ASSERT_LE(tsc, d.host_tsc);
	ASSERT_GE(__builtin_ia32_rdtsc(), d.host_tsc);
	ASSERT_EQ(0, d.pad0);
	ASSERT_EQ(0, memcmp(zero, d.pad, sizeof(zero)));
}

TEST_F(clock, goes_on)
{
	struct minikvm_clock_data d, last = get(&self->t);
	uint64_t from, took;
	int i;

	ASSERT_GE(60 * SECOND, last.clock);	/* since the VM was made */
	for (i = 0; i < 1000; i++) {
		d = get(&self->t);
		ASSERT_LE(last.clock, d.clock);
		last = d;
	}
	ASSERT_EQ(0, set(&self->t, 180 * SECOND, 0, 0));
	from = host_ns(CLOCK_MONOTONIC_RAW);
	usleep(50000);
	d = get(&self->t);
	took = host_ns(CLOCK_MONOTONIC_RAW) - from;
	ASSERT_LE(180 * SECOND, d.clock);
	ASSERT_GE(2 * took, d.clock - 180 * SECOND);
	ASSERT_LE(took / 2, d.clock - 180 * SECOND);
}

TEST_F(clock, time_that_has_passed_elsewhere)
{
	uint64_t now = host_ns(CLOCK_REALTIME);

	ASSERT_EQ(0, set(&self->t, 1000, MINIKVM_CLOCK_REALTIME, now - 180 * SECOND));
	ASSERT_LE(180 * SECOND, get(&self->t).clock);
	ASSERT_GE(240 * SECOND, get(&self->t).clock);
	/* A machine whose time of day is behind does not turn it back. */
	ASSERT_EQ(0, set(&self->t, 1000, MINIKVM_CLOCK_REALTIME, now + 180 * SECOND));
	ASSERT_LE(1000, get(&self->t).clock);
	ASSERT_GE(60 * SECOND, get(&self->t).clock);
	/* Without the flag it is no matter. */
	ASSERT_EQ(0, set(&self->t, 1000, MINIKVM_CLOCK_HOST_TSC, now - 180 * SECOND));
	ASSERT_GE(60 * SECOND, get(&self->t).clock);
}

TEST_F(clock, what_is_read_can_be_set)
{
	struct minikvm_clock_data d = get(&self->t);

	ASSERT_EQ(0, ioctl(self->t.vm, MINIKVM_SET_CLOCK, &d));
	ASSERT_LE(d.clock, get(&self->t).clock);
}

TEST_F(clock, refusals)
{
	ASSERT_EQ(0, set(&self->t, 500 * SECOND, 0, 0));
	ASSERT_EQ(-EINVAL, set(&self->t, 0, 1, 0));
	ASSERT_EQ(-EINVAL, set(&self->t, 0, ALL | 1u << 31, 0));
	ASSERT_LE(500 * SECOND, get(&self->t).clock);
	ASSERT_EQ(-1, ioctl(self->t.vm, MINIKVM_GET_CLOCK, NULL));
	ASSERT_EQ(EFAULT, errno);
	ASSERT_EQ(-1, ioctl(self->t.vm, MINIKVM_SET_CLOCK, NULL));
	ASSERT_EQ(EFAULT, errno);
	/* Whatever it is set to, it is only a number. */
	ASSERT_EQ(0, set(&self->t, ~0ull, MINIKVM_CLOCK_REALTIME, 0));
	get(&self->t);
}

TEST_HARNESS_MAIN
