// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: as many VMs as there are descriptors for live at once, each with its own memory; one more
 * is EMFILE and harms none; and when they are gone, so is all that they took.
 *
 * MANY_VMS in the environment: how many (120; 10000 take some 700 MB).
 */
#include <sys/resource.h>
#include <time.h>

#include "lib/vm.h"

#define PORT		0x10
#define LEFT_KIB	400	/* less than a page for each: the kernel keeps some slabs for next time */

GUEST64(says, "mov $0x40000, %ebx; 1: mov (%rbx), %al; out %al, $0x10; incb (%rbx); jmp 1b");

static int many(void)
{
	const char *s = getenv("MANY_VMS");

	return s ? atoi(s) : test_on_kvm() ? 30 : 120;	/* a VM of KVM's takes its time */
}

/* The sum of what follows @key in the lines of a file, in its unit. */
static long sum(const char *path, const char *key)
{
	FILE *f = fopen(path, "r");
	char line[200], *at;
	long all = 0;

	while (f && fgets(line, sizeof(line), f)) {
		at = strstr(line, key);
		if (at)
			all += atol(at + strlen(key));
	}
	if (f)
		fclose(f);
	return all;
}

/* With the pages that each processor keeps for itself. */
static long free_kib(void)
{
	return sum("/proc/meminfo", "MemFree:") + sum("/proc/zoneinfo", " count:") * 4;
}

static void descriptors(rlim_t n)
{
	struct rlimit limit = { n, n };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		exit(4);	/* not as root: skip */
}

/* Each VM's guest counts in memory of its own. */
static void count(struct __test_metadata *_metadata, struct test_vm *t, int n, int times)
{
	int i;

	for (i = 0; i < n; i++)
		EXPECT_OUT(&t[i], PORT, (uint8_t)(i + times));
}

static void make_all(struct test_vm *t, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		vm_make(&t[i], false);
		guest_long(&t[i], says, says_end);
		t[i].mem[G_DATA] = i;
	}
}

static void free_all(struct test_vm *t, int n)
{
	int i;

	for (i = 0; i < n; i++)
		vm_free(&t[i]);
}

/* What is freed after a grace period, or by a worker, takes a moment. */
static long free_after_all(struct __test_metadata *_metadata, int n)
{
	struct test_vm *t = calloc(n, sizeof(*t));

	make_all(t, n);
	count(_metadata, t, n, 0);
	count(_metadata, t, n, 1);
	free_all(t, n);
	free(t);
	usleep(500000);
	return free_kib();
}

TEST(vms_give_back_what_they_took)
{
	long before, after;
	int i;

	close(test_open());
	descriptors(many() * 3 + 20);
	before = free_after_all(_metadata, many());
	after = free_after_all(_metadata, many());
	/* A kernel that is busy with other things takes longer; what leaked never comes. */
	for (i = 0; i < 20 && before - after >= LEFT_KIB; i++) {
		usleep(500000);
		after = free_kib();
	}
	ASSERT_GT(LEFT_KIB, before - after) TH_LOG("%ld KiB are gone", before - after);
}

TEST(one_more_than_there_are_descriptors_harms_none)
{
	struct test_vm t[4];
	int fd;

	close(test_open());
	make_all(t, 4);
	descriptors(t[3].vcpu + 1);
	fd = ioctl(t[0].dev, MINIKVM_CREATE_VM, 0);
	ASSERT_EQ(-1, fd);
	ASSERT_EQ(EMFILE, errno);
	fd = ioctl(t[0].vm, MINIKVM_CREATE_VCPU, 1);
	ASSERT_EQ(-1, fd);
	ASSERT_EQ(EMFILE, errno);
	count(_metadata, t, 4, 0);
	descriptors(t[3].vcpu + 2);
	fd = ioctl(t[0].vm, MINIKVM_CREATE_VCPU, 1);
	ASSERT_LE(0, fd);	/* the number is not taken */
	close(fd);
	count(_metadata, t, 4, 1);
	free_all(t, 4);
}

TEST_HARNESS_MAIN
