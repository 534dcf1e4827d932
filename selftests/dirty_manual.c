// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: a VMM that clears the dirty log itself (MANUAL_DIRTY_LOG_PROTECT2) keeps what it reads,
 * until it clears it, in the parts that it likes; what is cleared is named again once written.
 */
#include "lib/vm.h"

#define GPA	0x800000
#define PAGES	200
#define WORDS	4
#define MANUAL	MINIKVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE
#define SET	MINIKVM_DIRTY_LOG_INITIALLY_SET

/* rcx pages */
GUEST64(write_many, "mov $0x800000, %ebx; 1: incl (%rbx); add $0x1000, %rbx; dec %ecx; jnz 1b; hlt");
GUEST64(read_many, "mov $0x800000, %ebx; 1: mov (%rbx), %eax; add $0x1000, %rbx; dec %ecx; jnz 1b; hlt");

static int enable(struct test_vm *t, uint64_t flags)
{
	struct minikvm_enable_cap c = {
		.cap = MINIKVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, .args = { flags },
	};

	return ioctl(t->vm, MINIKVM_ENABLE_CAP, &c) ? -errno : 0;
}

/* Memory of the test at GPA, as slot 1. */
static void *memory;

static int slot(struct test_vm *t, uint32_t flags)
{
	return vm_slot(t, 1, flags, GPA, PAGES * 4096, memory);
}

static uint64_t bits[WORDS];

/* The log is now in bits[]: how many pages it names. */
static int get(struct test_vm *t)
{
	struct minikvm_dirty_log log = { .slot = 1, .dirty_bitmap = bits };
	int i, n = 0;

	memset(bits, 0x5a, sizeof(bits));
	if (ioctl(t->vm, MINIKVM_GET_DIRTY_LOG, &log))
		return -errno;
	for (i = 0; i < WORDS; i++)
		n += __builtin_popcountll(bits[i]);
	return n;
}

static int clear(struct test_vm *t, uint64_t first, uint32_t n, const void *which)
{
	struct minikvm_clear_dirty_log log = {
		.slot = 1, .first_page = first, .num_pages = n, .dirty_bitmap = (void *)which,
	};

	return ioctl(t->vm, MINIKVM_CLEAR_DIRTY_LOG, &log) ? -errno : 0;
}

static void run(struct __test_metadata *_metadata, struct test_vm *t, const uint8_t *code,
		const uint8_t *end, int n)
{
	struct minikvm_regs r;

	guest_long(t, code, end);
	r = vm_regs(t);
	r.rcx = n;
	vm_set_regs(t, r);
	EXPECT_HLT(t);
}

#define WRITE(t, n)	run(_metadata, t, write_many, write_many_end, n)
#define READ(t, n)	run(_metadata, t, read_many, read_many_end, n)

static const uint64_t all[WORDS] = { ~0ull, ~0ull, ~0ull, ~0ull };

FIXTURE(manual) { struct test_vm t; };
FIXTURE_SETUP(manual)
{
	memory = vm_small_pages(PAGES);
	vm_make(&self->t, false);
}
FIXTURE_TEARDOWN(manual)
{
	vm_free(&self->t);
	munmap(memory, PAGES * 4096);
}

TEST_F(manual, flags)
{
	struct test_vm *t = &self->t;
	int i;

	ASSERT_EQ(3, ioctl(t->vm, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_MANUAL_DIRTY_LOG_PROTECT2));
	ASSERT_EQ(-EINVAL, enable(t, SET));
	for (i = 2; i < 64; i++)
		ASSERT_EQ(-EINVAL, enable(t, MANUAL | 1ull << i));
	ASSERT_EQ(0, enable(t, MANUAL));
	ASSERT_EQ(0, enable(t, MANUAL | SET));
	ASSERT_EQ(0, enable(t, 0));
}

TEST_F(manual, what_is_read_stays_until_it_is_cleared)
{
	struct test_vm *t = &self->t;
	uint64_t some = 0xf0;

	ASSERT_EQ(0, enable(t, MANUAL));
	ASSERT_EQ(0, slot(t, MINIKVM_MEM_LOG_DIRTY_PAGES));
	READ(t, PAGES);
	ASSERT_EQ(0, get(t));
	WRITE(t, 100);
	ASSERT_EQ(100, get(t));
	ASSERT_EQ(100, get(t));
	ASSERT_EQ(~0ull, bits[0]);
	ASSERT_EQ((1ull << 36) - 1, bits[1]);
	ASSERT_EQ(0, clear(t, 0, 64, &some));
	ASSERT_EQ(96, get(t));
	ASSERT_EQ(~0xf0ull, bits[0]);
	/* Read again, and they are not dirty; written again, and they are. */
	READ(t, PAGES);
	ASSERT_EQ(96, get(t));
	WRITE(t, 6);
	ASSERT_EQ(98, get(t));
	ASSERT_EQ(~0xc0ull, bits[0]);
	ASSERT_EQ(0, clear(t, 0, PAGES, all));
	ASSERT_EQ(0, get(t));
	WRITE(t, PAGES);
	ASSERT_EQ(PAGES, get(t));
	/* The end, of which there are 8 pages beyond whole words. */
	ASSERT_EQ(0, clear(t, 192, 8, all));
	ASSERT_EQ(192, get(t));
	ASSERT_EQ(0, clear(t, 128, 72, all));
	ASSERT_EQ(128, get(t));
	WRITE(t, PAGES);
	ASSERT_EQ(PAGES, get(t));
	ASSERT_EQ(0xffull, bits[3]);
}

/* It works, too, for a VMM that did not ask: what it names, GET does not name again. */
TEST_F(manual, clear_without_the_capability)
{
	struct test_vm *t = &self->t;

	ASSERT_EQ(0, slot(t, MINIKVM_MEM_LOG_DIRTY_PAGES));
	WRITE(t, PAGES);
	ASSERT_EQ(0, clear(t, 64, 64, all));
	ASSERT_EQ(PAGES - 64, get(t));
	ASSERT_EQ(0, get(t));
}

TEST_F(manual, everything_is_dirty_at_first)
{
	struct test_vm *t = &self->t;

	ASSERT_EQ(0, enable(t, MANUAL | SET));
	ASSERT_EQ(0, slot(t, 0));
	WRITE(t, 100);
	ASSERT_EQ(0, slot(t, MINIKVM_MEM_LOG_DIRTY_PAGES));
	ASSERT_EQ(PAGES, get(t));
	ASSERT_EQ(0xff, bits[3]);
	ASSERT_EQ(0, clear(t, 0, PAGES, all));
	ASSERT_EQ(0, get(t));
	WRITE(t, 3);
	ASSERT_EQ(3, get(t));
	/* Each time anew. */
	ASSERT_EQ(0, slot(t, 0));
	ASSERT_EQ(0, slot(t, MINIKVM_MEM_LOG_DIRTY_PAGES));
	ASSERT_EQ(PAGES, get(t));
}

TEST_F(manual, refusals)
{
	struct minikvm_clear_dirty_log log = { .slot = 2, .num_pages = 64, .dirty_bitmap = bits };
	struct test_vm *t = &self->t;

	ASSERT_EQ(-ENOENT, clear(t, 0, 64, all));
	ASSERT_EQ(0, slot(t, 0));
	ASSERT_EQ(-ENOENT, clear(t, 0, 64, all));
	ASSERT_EQ(-EINVAL, clear(t, 1, 64, all));
	ASSERT_EQ(0, slot(t, MINIKVM_MEM_LOG_DIRTY_PAGES));
	WRITE(t, PAGES);
	ASSERT_EQ(-EINVAL, clear(t, 63, 64, all));
	ASSERT_EQ(-EINVAL, clear(t, 0, 63, all));
	ASSERT_EQ(-EINVAL, clear(t, 64, 200, all));
	ASSERT_EQ(-EINVAL, clear(t, 192, 9, all));
	ASSERT_EQ(-EINVAL, clear(t, 256, 0, all));
	ASSERT_EQ(-EINVAL, clear(t, 1ull << 63, 64, all));
	ASSERT_EQ(-EFAULT, clear(t, 0, PAGES, NULL));
	ASSERT_EQ(0, clear(t, 64, 0, NULL));
	log.slot = 1 << 16 | 1;
	ASSERT_EQ(-1, ioctl(t->vm, MINIKVM_CLEAR_DIRTY_LOG, &log));
	if (!test_on_kvm())	/* which has an address space more, if it has SMM */
		ASSERT_EQ(EINVAL, errno);
	ASSERT_EQ(-1, ioctl(t->vm, MINIKVM_CLEAR_DIRTY_LOG, NULL));
	ASSERT_EQ(EFAULT, errno);
	/* And nothing was lost. */
	ASSERT_EQ(PAGES, get(t));
}

TEST_HARNESS_MAIN
