// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: a guest reads the VM's clock from its own memory, at any moment and without an exit, and
 * it shows what MINIKVM_GET_CLOCK does.
 */
#include <time.h>
#include "lib/vm.h"

#define SECOND		1000000000ull
#define WALL		0x4b564d00u
#define SYSTEM		0x4b564d01u
#define WALL_OLD	0x11u
#define SYSTEM_OLD	0x12u
#define TSC_ADJUST	0x3bu
#define STABLE		1
#define STOPPED		2
#define TELL		"rdtsc; shl $32, %rdx; or %rdx, %rax; out %al, $0x10;"

/* MSR ecx becomes edx:eax; then the TSC again and again, in rax. */
GUEST64(tells, "wrmsr; 1:" TELL "jmp 1b");
/* The same between a clock that is the VMM's and an MSR of its choice. */
GUEST64(moves, "1:" TELL "wrmsr; jmp 1b");

struct page {		/* Linux' struct pvclock_vcpu_time_info */
	uint32_t version, pad0;
	uint64_t tsc, ns;
	uint32_t mul;
	int8_t shift;
	uint8_t flags, pad[2];
};
_Static_assert(sizeof(struct page) == 32, "as KVM's");

static struct page *page_at(struct test_vm *t, uint64_t gpa)
{
	return (struct page *)(t->mem + gpa);
}

/* What a guest whose TSC shows this takes the time to be. */
static uint64_t shows(const struct page *p, uint64_t tsc)
{
	uint64_t ticks = tsc - p->tsc;

	ticks = p->shift < 0 ? ticks >> -p->shift : ticks << p->shift;
	return p->ns + (uint64_t)((unsigned __int128)ticks * p->mul >> 32);
}

static uint64_t vm_clock(struct test_vm *t)
{
	struct minikvm_clock_data d;

	if (ioctl(t->vm, MINIKVM_GET_CLOCK, &d))
		abort();
	return d.clock;
}

static int set_clock(struct test_vm *t, uint64_t ns)
{
	struct minikvm_clock_data d = { .clock = ns };

	return ioctl(t->vm, MINIKVM_SET_CLOCK, &d);
}

struct one_msr { struct minikvm_msrs head; struct minikvm_msr_entry e; };

static uint64_t get_msr(struct test_vm *t, uint32_t index)
{
	struct one_msr m = { { .nmsrs = 1 }, { .index = index } };

	if (ioctl(t->vcpu, MINIKVM_GET_MSRS, &m) != 1)
		abort();
	return m.e.data;
}

/* The guest is about to write this. */
static void about_to_write(struct test_vm *t, uint32_t index, uint64_t value)
{
	struct minikvm_regs r = vm_regs(t);

	r.rcx = index;
	r.rax = (uint32_t)value;
	r.rdx = value >> 32;
	vm_set_regs(t, r);
}

static void start(struct test_vm *t, uint32_t index, uint64_t value)
{
	guest_long(t, tells, tells_end);
	about_to_write(t, index, value);
}

/* The guest's next look at the TSC; 0: it did not come to that. */
static uint64_t guest_tsc(struct test_vm *t)
{
	if (vm_run(t) != MINIKVM_EXIT_IO || t->run->io.port != 0x10)
		return 0;
	return vm_regs(t).rax;
}

/* Between what the VMM reads before and after, the guest reads what is between. */
#define EXPECT_IN_STEP(t, gpa) do {					\
	uint64_t before_ = vm_clock(t), tsc_ = guest_tsc(t);		\
	struct page p_ = *page_at(t, gpa);				\
	ASSERT_NE(0, tsc_);						\
	ASSERT_EQ(0, p_.version % 2);					\
	ASSERT_NE(0, p_.version);					\
	ASSERT_LE(before_, shows(&p_, tsc_));				\
	ASSERT_GE(vm_clock(t), shows(&p_, tsc_));			\
} while (0)

FIXTURE(kvmclock) { struct test_vm t; };
FIXTURE_SETUP(kvmclock) { vm_make(&self->t, false); }
FIXTURE_TEARDOWN(kvmclock) { vm_free(&self->t); }

TEST_F(kvmclock, is_offered)
{
	struct { struct minikvm_cpuid2 head; struct minikvm_cpuid_entry2 e[256]; } c = { { 256 } };
	struct { struct minikvm_msr_list head; uint32_t index[1000]; } l = { { 1000 } };
	uint32_t i, features = 0, listed = 0;

	ASSERT_EQ(0, ioctl(self->t.dev, MINIKVM_GET_SUPPORTED_CPUID, &c));
	for (i = 0; i < c.head.nent; i++) {
		if (c.e[i].function == 0x40000000) {
			ASSERT_EQ(0, memcmp(&c.e[i].ebx, "KVMKVMKVM\0\0", 12));
			ASSERT_EQ(0x40000001, c.e[i].eax);
		}
		if (c.e[i].function == 0x40000001)
			features = c.e[i].eax;
	}
	ASSERT_EQ(0x100000b, features & 0x100000b);
	ASSERT_EQ(0, ioctl(self->t.dev, MINIKVM_GET_MSR_INDEX_LIST, &l));
	for (i = 0; i < l.head.nmsrs; i++)
		listed += l.index[i] == WALL || l.index[i] == SYSTEM ||
			  l.index[i] == WALL_OLD || l.index[i] == SYSTEM_OLD;
	ASSERT_EQ(4, listed);
	ASSERT_EQ(1, ioctl(self->t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_KVMCLOCK_CTRL));
}

TEST_F(kvmclock, each_msr_has_two_names)
{
	struct test_vm *t = &self->t;

	ASSERT_EQ(0, get_msr(t, WALL));
	ASSERT_EQ(0, get_msr(t, SYSTEM_OLD));
	ASSERT_EQ(1, vm_set_msr(t, WALL_OLD, G_DATA + 0x100));
	ASSERT_EQ(G_DATA + 0x100, get_msr(t, WALL));
	ASSERT_EQ(1, vm_set_msr(t, SYSTEM, G_DATA | 1));
	ASSERT_EQ(G_DATA | 1, get_msr(t, SYSTEM_OLD));
	ASSERT_EQ(1, vm_set_msr(t, SYSTEM_OLD, 0));
	ASSERT_EQ(0, get_msr(t, SYSTEM));
	ASSERT_EQ(1, vm_set_msr(t, WALL, 0));
	ASSERT_EQ(0, get_msr(t, WALL_OLD));
}

TEST_F(kvmclock, in_step_with_get_clock)
{
	start(&self->t, SYSTEM, G_DATA | 1);
	for (int i = 0; i < 100; i++)
		EXPECT_IN_STEP(&self->t, G_DATA);
	/* On a host that keeps its time by the TSC, as here. */
	ASSERT_EQ(STABLE, page_at(&self->t, G_DATA)->flags);
}

TEST_F(kvmclock, nothing_is_written_as_long_as_nothing_changes)
{
	uint32_t version;

	start(&self->t, SYSTEM, G_DATA | 1);
	EXPECT_IN_STEP(&self->t, G_DATA);
	version = page_at(&self->t, G_DATA)->version;
	if (test_on_kvm())
		SKIP(return, "KVM writes it as often as it likes");
	for (int i = 0; i < 100; i++)
		EXPECT_IN_STEP(&self->t, G_DATA);
	ASSERT_EQ(version, page_at(&self->t, G_DATA)->version);
	/* Off: the guest has its memory back. */
	ASSERT_EQ(1, vm_set_msr(&self->t, SYSTEM, G_DATA));
	ASSERT_EQ(0, set_clock(&self->t, 5 * SECOND));
	ASSERT_NE(0, guest_tsc(&self->t));
	ASSERT_EQ(version, page_at(&self->t, G_DATA)->version);
}

TEST_F(kvmclock, by_the_old_msr)
{
	start(&self->t, SYSTEM_OLD, G_DATA | 1);
	for (int i = 0; i < 10; i++) {
		ASSERT_NE(0, guest_tsc(&self->t));
		ASSERT_NE(0, page_at(&self->t, G_DATA)->version);
		ASSERT_EQ(0, page_at(&self->t, G_DATA)->version % 2);
	}
}

TEST_F(kvmclock, follows_set_clock)
{
	uint32_t version;

	start(&self->t, SYSTEM, G_DATA | 1);
	EXPECT_IN_STEP(&self->t, G_DATA);
	version = page_at(&self->t, G_DATA)->version;
	ASSERT_EQ(0, set_clock(&self->t, 1000 * SECOND));
	EXPECT_IN_STEP(&self->t, G_DATA);
	ASSERT_LT(version, page_at(&self->t, G_DATA)->version);
	ASSERT_LE(1000 * SECOND, vm_clock(&self->t));
	ASSERT_GE(1100 * SECOND, vm_clock(&self->t));
	ASSERT_EQ(0, set_clock(&self->t, 0));
	EXPECT_IN_STEP(&self->t, G_DATA);
	ASSERT_GE(100 * SECOND, vm_clock(&self->t));
}

/* Who moves a TSC does not move the clock: the guest, by either register, and the VMM. */
TEST_F(kvmclock, goes_on_when_the_tsc_is_moved)
{
	struct test_vm *t = &self->t;
	uint64_t tsc, moved;

	guest_long(t, moves, moves_end);
	ASSERT_EQ(1, vm_set_msr(t, SYSTEM, G_DATA | 1));
	EXPECT_IN_STEP(t, G_DATA);
	tsc = vm_regs(t).rax;
	/* (KVM does not look at its clock again after the one, but after the other.) */
	about_to_write(t, test_on_kvm() ? TSC_ADJUST : 0x10, tsc + (1ull << 40));
	EXPECT_IN_STEP(t, G_DATA);
	moved = vm_regs(t).rax;
	ASSERT_LE(tsc + (1ull << 40), moved);
	about_to_write(t, TSC_ADJUST, 0);
	EXPECT_IN_STEP(t, G_DATA);
	ASSERT_GT(moved, vm_regs(t).rax);
	ASSERT_EQ(1, vm_set_msr(t, 0x10, 1ull << 50));
	about_to_write(t, SYSTEM, G_DATA | 1);
	EXPECT_IN_STEP(t, G_DATA);
	ASSERT_LE(1ull << 50, vm_regs(t).rax);
}

TEST_F(kvmclock, the_vmm_says_that_it_has_stopped_the_guest)
{
	struct test_vm *t = &self->t;

	ASSERT_EQ(-1, ioctl(t->vcpu, MINIKVM_KVMCLOCK_CTRL, 0));
	ASSERT_EQ(EINVAL, errno);
	start(t, SYSTEM, G_DATA | 1);
	EXPECT_IN_STEP(t, G_DATA);
	ASSERT_EQ(0, page_at(t, G_DATA)->flags & STOPPED);
	ASSERT_EQ(0, ioctl(t->vcpu, MINIKVM_KVMCLOCK_CTRL, 0));
	EXPECT_IN_STEP(t, G_DATA);
	ASSERT_EQ(STOPPED, page_at(t, G_DATA)->flags & STOPPED);
	/* It stays, whatever else changes, until the guest takes it back. */
	ASSERT_EQ(0, set_clock(t, 7 * SECOND));
	EXPECT_IN_STEP(t, G_DATA);
	ASSERT_EQ(STOPPED, page_at(t, G_DATA)->flags & STOPPED);
	page_at(t, G_DATA)->flags &= ~STOPPED;
	ASSERT_EQ(0, set_clock(t, 8 * SECOND));
	EXPECT_IN_STEP(t, G_DATA);
	ASSERT_EQ(0, page_at(t, G_DATA)->flags & STOPPED);
	ASSERT_EQ(1, vm_set_msr(t, SYSTEM, 0));
	ASSERT_EQ(-1, ioctl(t->vcpu, MINIKVM_KVMCLOCK_CTRL, 0));
	ASSERT_EQ(EINVAL, errno);
	/* It is a vCPU's, not a VM's. */
	ASSERT_EQ(-1, ioctl(t->vm, MINIKVM_KVMCLOCK_CTRL, 0));
	ASSERT_EQ(ENOTTY, errno);
}

static uint64_t host_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

/* When the clock was 0. Set to 0 a while ago, not in the future; give or take a microsecond. */
TEST_F(kvmclock, wall_clock)
{
	struct test_vm *t = &self->t;
	uint32_t *wall = (uint32_t *)(t->mem + G_DATA + 0x100);
	uint64_t before = host_ns(), at;

	ASSERT_EQ(0, set_clock(t, 0));
	wall[0] = 77;		/* random junk, as KVM says */
	start(t, WALL, G_DATA + 0x100);
	ASSERT_NE(0, guest_tsc(t));
	at = wall[1] * SECOND + wall[2];
	ASSERT_EQ(80, wall[0]);
	ASSERT_LE(before, at + 1000);
	ASSERT_GE(host_ns(), at);
	/* Again, with another clock. */
	ASSERT_EQ(0, set_clock(t, 1000 * SECOND));
	ASSERT_EQ(1, vm_set_msr(t, WALL_OLD, G_DATA + 0x100));
	ASSERT_NE(0, guest_tsc(t));
	at = wall[1] * SECOND + wall[2];
	ASSERT_EQ(82, wall[0]);
	ASSERT_LE(before, at + 1000 * SECOND + 1000);
	ASSERT_GE(host_ns(), at + 1000 * SECOND);
}

/* Wherever the guest wants it: nothing happens where it cannot be, and the guest goes on. */
TEST_F(kvmclock, places_where_it_cannot_be)
{
	static const uint64_t where[] = {
		G_SIZE - 16, G_DATA + 0x1000 - 30, G_HOLE, G_SIZE, ~0ull, 1ull << 63, 1ull << 52, 0xfee00000,
	};
	struct test_vm *t = &self->t;
	size_t i;

	for (i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
		start(t, i % 2 ? SYSTEM : SYSTEM_OLD, where[i] | 1);
		ASSERT_NE(0, guest_tsc(t));
		ASSERT_EQ(where[i] | 1, get_msr(t, SYSTEM));
		start(t, WALL, where[i]);
		ASSERT_NE(0, guest_tsc(t));
	}
	if (test_on_kvm())	/* which leaves a place active when it refuses the next, and writes ROM */
		return;
	/* Across a page is nowhere. */
	memset(t->mem + G_DATA + 0x1000 - 32, 0, 64);
	start(t, SYSTEM, (G_DATA + 0x1000 - 30) | 1);
	ASSERT_NE(0, guest_tsc(t));
	for (i = 0; i < 64; i++)
		ASSERT_EQ(0, t->mem[G_DATA + 0x1000 - 32 + i]);
	ASSERT_EQ(-1, ioctl(t->vcpu, MINIKVM_KVMCLOCK_CTRL, 0));
	ASSERT_EQ(EINVAL, errno);
	/* And so is memory that a guest may only read. */
	ASSERT_EQ(0, vm_slot(t, 1, MINIKVM_MEM_READONLY, G_HOLE, 0x1000, t->mem + G_DATA + 0x2000));
	start(t, SYSTEM, G_HOLE | 1);
	ASSERT_NE(0, guest_tsc(t));
	ASSERT_EQ(0, page_at(t, G_DATA + 0x2000)->version);
}

/* The slot goes, and comes back with other memory: that has the clock, the old one is let alone. */
TEST_F(kvmclock, follows_the_slot)
{
	struct test_vm *t = &self->t;
	uint64_t old = G_DATA + 0x2000, new = G_DATA + 0x4000;
	struct page was;

	ASSERT_EQ(0, vm_slot(t, 1, 0, G_HOLE, 0x1000, t->mem + old));
	start(t, SYSTEM, G_HOLE | 1);
	EXPECT_IN_STEP(t, old);
	ASSERT_EQ(0, vm_slot(t, 1, 0, G_HOLE, 0, t->mem + old));
	was = *page_at(t, old);
	ASSERT_EQ(0, set_clock(t, 100 * SECOND));
	ASSERT_NE(0, guest_tsc(t));
	ASSERT_EQ(0, memcmp(&was, page_at(t, old), sizeof(was)));
	ASSERT_EQ(0, vm_slot(t, 1, 0, G_HOLE, 0x1000, t->mem + new));
	ASSERT_EQ(0, set_clock(t, 200 * SECOND));
	EXPECT_IN_STEP(t, new);
	ASSERT_EQ(0, memcmp(&was, page_at(t, old), sizeof(was)));
}

TEST_F(kvmclock, its_page_is_dirty)
{
	uint64_t bits[G_SIZE / 4096 / 64];
	struct minikvm_dirty_log log = { .slot = 1, .dirty_bitmap = bits };
	struct test_vm *t = &self->t;

	ASSERT_EQ(0, vm_slot(t, 1, MINIKVM_MEM_LOG_DIRTY_PAGES, G_HOLE, 0x2000, t->mem + G_DATA + 0x2000));
	start(t, SYSTEM, (G_HOLE + 0x1000) | 1);
	EXPECT_IN_STEP(t, G_DATA + 0x3000);
	memset(bits, 0, sizeof(bits));
	ASSERT_EQ(0, ioctl(t->vm, MINIKVM_GET_DIRTY_LOG, &log));
	ASSERT_EQ(2, bits[0]);
	ASSERT_EQ(0, set_clock(t, 100 * SECOND));
	EXPECT_IN_STEP(t, G_DATA + 0x3000);
	ASSERT_EQ(0, ioctl(t->vm, MINIKVM_GET_DIRTY_LOG, &log));
	ASSERT_EQ(2, bits[0]);
}

/* Two vCPUs count from the same moment, and know it, until one moves its TSC. */
TEST_F(kvmclock, of_two_vcpus)
{
	struct test_vm *t = &self->t, u = vm_add_vcpu(t, 1);
	struct page *p = page_at(t, G_DATA), *q = page_at(t, G_DATA + 64);
	uint64_t tsc, last = 0;
	int i;

	guest_long(&u, moves, moves_end);
	ASSERT_EQ(1, vm_set_msr(&u, SYSTEM, (G_DATA + 64) | 1));
	guest_long(t, moves, moves_end);
	ASSERT_EQ(1, vm_set_msr(t, SYSTEM, G_DATA | 1));
	ASSERT_NE(0, guest_tsc(t));
	ASSERT_NE(0, guest_tsc(&u));
	/* WRMSR of what the MSR has, each time. */
	about_to_write(t, SYSTEM, G_DATA | 1);
	about_to_write(&u, SYSTEM, (G_DATA + 64) | 1);
	for (i = 0; i < 100; i++) {
		tsc = guest_tsc(i % 2 ? &u : t);
		ASSERT_LE(last, shows(i % 2 ? q : p, tsc));
		last = shows(i % 2 ? q : p, tsc);
		about_to_write(i % 2 ? &u : t, SYSTEM, (G_DATA + (i % 2 ? 64 : 0)) | 1);
	}
	ASSERT_EQ(p->ns, q->ns);
	ASSERT_EQ(p->tsc, q->tsc);
	ASSERT_EQ(STABLE, p->flags & q->flags);
	about_to_write(&u, TSC_ADJUST, 1ull << 40);
	ASSERT_NE(0, guest_tsc(&u));
	ASSERT_NE(0, guest_tsc(t));
	ASSERT_LE(last, shows(q, vm_regs(&u).rax));
	ASSERT_GE(last + 60 * SECOND, shows(q, vm_regs(&u).rax));
	if (!test_on_kvm())	/* KVM goes by what the VMM does */
		ASSERT_EQ(0, (p->flags | q->flags) & STABLE);
	about_to_write(&u, TSC_ADJUST, 0);
	about_to_write(t, SYSTEM, G_DATA | 1);
	ASSERT_NE(0, guest_tsc(&u));
	ASSERT_NE(0, guest_tsc(t));
	ASSERT_EQ(STABLE, p->flags & q->flags & STABLE);
	vm_free_vcpu(&u);
}

TEST_HARNESS_MAIN
