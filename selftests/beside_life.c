// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: VMs of KVM's and of minikvm's come and go in every order, and those that stay compute
 * on. kvm-intel is in use as long as there is a VM of minikvm's, and no longer. A VM of KVM's
 * may go while a guest of minikvm's runs in the place of its.
 *
 * Skips unless both devices are there.
 */
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <time.h>

#include "lib/beside.h"

static const char *const devices[] = { "/dev/kvm", "/dev/minikvm" };

/* How many hold kvm-intel. */
static int kvm_users(void)
{
	FILE *f = fopen("/sys/module/kvm_intel/refcnt", "r");
	int n = -1;

	if (f && fscanf(f, "%d", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

/* What the last close of an fd lets go of may take a moment. */
static bool kvm_is_unused(void)
{
	int i;

	for (i = 0; i < 100 && kvm_users(); i++)
		usleep(10000);
	return i < 100;
}

FIXTURE(life)
{
	struct side sides[4];
};

FIXTURE_SETUP(life)
{
	if (!beside_possible())
		SKIP(return, "one of the devices is not there");
	pin(0);
}

FIXTURE_TEARDOWN(life)
{
	int i;

	for (i = 0; i < 4; i++)
		side_free(&self->sides[i]);
}

#define EXPECT_RIGHT(s) ASSERT_EQ(0, (s)->bad) TH_LOG("wrong: %s", (s)->wrong)

/* Each bit says which comes, or goes, next: of two of each, in all 6 x 6 orders. */
TEST_F(life, every_order)
{
	int orders[6], n = 0, o, in, out, i, j;

	for (o = 0; o < 16; o++) {
		if (__builtin_popcount(o) == 2)
			orders[n++] = o;
	}
	for (in = 0; in < 6; in++) {
		for (out = 0; out < 6; out++) {
			struct side *there[4];
			int left = 4;

			for (i = 0; i < 4; i++) {
				side_make(&self->sides[i], devices[orders[in] >> i & 1],
					  16 * i + in + out + 1, 3);
				for (j = 0; j <= i; j++)
					side_one(&self->sides[j]);
				there[i] = &self->sides[i];
			}
			for (i = 0; i < 4; i++) {
				for (j = 0; j < left; j++) {
					struct side *s = there[j];
					int ours = orders[in] >> (s - self->sides) & 1;

					side_one(s);
					EXPECT_RIGHT(s);
					if (ours == (orders[out] >> i & 1) || j == left - 1) {
						side_free(s);
						there[j] = there[--left];
						break;
					}
				}
			}
		}
	}
}

TEST_F(life, kvm_intel_is_in_use)
{
	struct side *ours = &self->sides[0], *second = &self->sides[1];

	if (kvm_users() < 0)
		SKIP(return, "kvm-intel is no module here");
	ASSERT_TRUE(kvm_is_unused()) TH_LOG("%d users before", kvm_users());
	side_make(ours, "/dev/minikvm", 1, 3);
	side_make(second, "/dev/minikvm", 2, 3);
	ASSERT_LT(0, kvm_users());
	ASSERT_EQ(-1, syscall(SYS_delete_module, "kvm_intel", O_NONBLOCK));
	ASSERT_TRUE(errno == EWOULDBLOCK || errno == EBUSY) TH_LOG("errno %d", errno);
	side_one(ours);
	side_free(ours);
	ASSERT_LT(0, kvm_users());
	side_one(second);
	EXPECT_RIGHT(second);
	side_free(second);
	ASSERT_TRUE(kvm_is_unused()) TH_LOG("%d users after", kvm_users());
}

static int end;

static void *compute(void *arg)
{
	struct side *s = arg;

	pin(s->cpu);
	while (!__atomic_load_n(&end, __ATOMIC_RELAXED) && !s->bad)
		side_one(s);
	return NULL;
}

/*
 * KVM's VMCS is freed from another CPU while ours is in its place: by an IPI, whose handler runs
 * in the middle of what our thread does.
 */
TEST_F(life, one_goes_while_its_place_is_taken)
{
	int last = sysconf(_SC_NPROCESSORS_ONLN) - 1, i;
	struct side *ours = &self->sides[0], *kvm = &self->sides[1];
	pthread_t thread;

	side_make(ours, "/dev/minikvm", 1, 20000);
	ours->cpu = 0;
	end = 0;
	pthread_create(&thread, NULL, compute, ours);
	for (i = 0; i < beside_rounds(300) / 8; i++) {
		pin(0);
		side_make(kvm, "/dev/kvm", 2 + i % 200, 3);
		side_one(kvm);
		side_one(kvm);
		pin(last);
		if (i & 1)
			side_one(kvm);
		if (kvm->bad)
			break;
		side_free(kvm);
	}
	end = 1;
	pthread_join(thread, NULL);
	EXPECT_RIGHT(kvm);
	EXPECT_RIGHT(ours);
}

/* The host's breakpoint counts what this thread writes, and nothing else. */
TEST_F(life, host_breakpoint)
{
	static volatile uint64_t watched;
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT, .size = sizeof(attr), .bp_type = HW_BREAKPOINT_W,
		.bp_addr = (uintptr_t)&watched, .bp_len = 8, .exclude_kernel = 1,
	};
	struct side *ours = &self->sides[0], *kvm = &self->sides[1];
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0), i;
	uint64_t n;

	if (fd < 0)
		SKIP(return, "no breakpoints here");
	side_make(ours, "/dev/minikvm", 1, 3);
	side_make(kvm, "/dev/kvm", 2, 3);
	for (i = 1; i <= 50; i++) {
		side_one(i & 2 ? ours : kvm);
		watched = i;
		side_one(i & 1 ? ours : kvm);
		EXPECT_RIGHT(ours);
		EXPECT_RIGHT(kvm);
		ASSERT_EQ(8, read(fd, &n, 8));
		ASSERT_EQ(i, n);
	}
	close(fd);
}

TEST_HARNESS_MAIN
