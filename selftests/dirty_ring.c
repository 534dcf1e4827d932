// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: each vCPU names the pages that it wrote in a ring, once until the VMM gives the entry
 * back; a full ring is an exit before the guest goes on; nothing that a VMM writes there is
 * believed.
 */
#include "lib/vm.h"

#define GPA	0x800000
#define PAGES	1500
#define ENTRIES	1024
#define BYTES	(ENTRIES * sizeof(struct minikvm_dirty_gfn))
#define AT	(MINIKVM_DIRTY_LOG_PAGE_OFFSET * 4096)

/* rcx pages */
GUEST64(write_many, "mov $0x800000, %ebx; 1: incl (%rbx); add $0x1000, %rbx; dec %ecx; jnz 1b; hlt");
GUEST64(read_many, "mov $0x800000, %ebx; 1: mov (%rbx), %eax; add $0x1000, %rbx; dec %ecx; jnz 1b; hlt");
GUEST64(input, "mov $0x800ffe, %edi; mov $0x10, %edx; mov $4, %ecx; rep insb; hlt");

static int enable(struct test_vm *t, uint32_t cap, uint64_t arg)
{
	struct minikvm_enable_cap c = { .cap = cap, .args = { arg } };

	return ioctl(t->vm, MINIKVM_ENABLE_CAP, &c) ? -errno : 0;
}

/* vm_make(), with a ring. */
static void make(struct test_vm *t, uint64_t bytes)
{
	*t = (struct test_vm) { .dev = test_open() };
	t->vm = ioctl(t->dev, MINIKVM_CREATE_VM, 0);
	if (t->vm < 0 || ioctl(t->vm, MINIKVM_SET_TSS_ADDR, 0xfffbd000) ||
	    enable(t, MINIKVM_CAP_DIRTY_LOG_RING, bytes))
		abort();
	t->mem = mmap(NULL, G_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (vm_slot(t, 0, 0, 0, G_SIZE, t->mem))
		abort();
	*t = vm_add_vcpu(t, 0);
}

FIXTURE(ring) {
	struct test_vm t;
	struct minikvm_dirty_gfn *gfn;
	uint32_t next;
	void *mem;
	uint8_t named[PAGES];	/* by take() */
	int ever;		/* pages that it named since ever_named[] was cleared */
	uint8_t ever_named[PAGES];
};
FIXTURE_SETUP(ring)
{
	self->mem = vm_small_pages(PAGES);
	make(&self->t, BYTES);
	self->gfn = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, self->t.vcpu, AT);
	if (self->gfn == MAP_FAILED || vm_slot(&self->t, 5, MINIKVM_MEM_LOG_DIRTY_PAGES, GPA,
					       PAGES * 4096, self->mem))
		abort();
}
FIXTURE_TEARDOWN(ring)
{
	munmap(self->gfn, BYTES);
	vm_free(&self->t);
	munmap(self->mem, PAGES * 4096);
}

/* Take what is there, and say in named[] what it was: how many. */
static int take(FIXTURE_DATA(ring) *r)
{
	int n = 0;

	memset(r->named, 0, sizeof(r->named));
	for (;; r->next++, n++) {
		struct minikvm_dirty_gfn *e = &r->gfn[r->next % ENTRIES];

		if (__atomic_load_n(&e->flags, __ATOMIC_ACQUIRE) != MINIKVM_DIRTY_GFN_F_DIRTY)
			return n;
		if (e->slot != 5 || e->offset >= PAGES)
			return -1;
		r->named[e->offset]++;
		r->ever += !r->ever_named[e->offset];
		r->ever_named[e->offset] = 1;
		__atomic_store_n(&e->flags, MINIKVM_DIRTY_GFN_F_RESET, __ATOMIC_RELEASE);
	}
}

static int reset(struct test_vm *t)
{
	int n = ioctl(t->vm, MINIKVM_RESET_DIRTY_RINGS, 0);

	return n < 0 ? -errno : n;
}

static void begin(struct test_vm *t, const uint8_t *code, const uint8_t *end, int n)
{
	struct minikvm_regs r;

	guest_long(t, code, end);
	r = vm_regs(t);
	r.rcx = n;
	vm_set_regs(t, r);
}

#define BEGIN(guest, n)	begin(&self->t, guest, guest##_end, n)
#define DONE()		EXPECT_HLT(&self->t)

TEST_F(ring, pages_are_named_again_after_the_reset)
{
	int i;

	BEGIN(read_many, 300);
	DONE();
	ASSERT_EQ(0, take(self));
	BEGIN(write_many, 300);
	DONE();
	ASSERT_EQ(300, take(self));
	for (i = 0; i < 300; i++)
		ASSERT_EQ(1, self->named[i]);
	ASSERT_EQ(300, reset(&self->t));
	ASSERT_EQ(0, reset(&self->t));
	BEGIN(read_many, 300);
	DONE();
	ASSERT_EQ(0, take(self));
	BEGIN(write_many, 10);
	DONE();
	ASSERT_EQ(10, take(self));
	ASSERT_EQ(10, reset(&self->t));
	/* Only what was given back. */
	BEGIN(write_many, 4);
	DONE();
	ASSERT_EQ(0, reset(&self->t));
	ASSERT_EQ(4, take(self));
	ASSERT_EQ(4, reset(&self->t));
}

/* Written by the kernel for the guest. */
TEST_F(ring, what_a_device_gives_is_named)
{
	BEGIN(input, 0);
	while (vm_run(&self->t) == MINIKVM_EXIT_IO)
		memset(vm_io_data(&self->t), 0x41, 4);
	ASSERT_EQ(MINIKVM_EXIT_HLT, self->t.run->exit_reason);
	ASSERT_EQ(2, take(self));
	ASSERT_EQ(1, self->named[0]);
	ASSERT_EQ(1, self->named[1]);
}

TEST_F(ring, a_full_one_is_an_exit)
{
	int ret, n, full = 0;

	BEGIN(write_many, PAGES);
	while ((ret = vm_run(&self->t)) == MINIKVM_EXIT_DIRTY_RING_FULL) {
		full++;
		/* Nobody goes on before there is room. */
		ASSERT_EQ(MINIKVM_EXIT_DIRTY_RING_FULL, vm_run(&self->t));
		n = take(self);
		ASSERT_LT(0, n);
		ASSERT_GE(ENTRIES, n);
		ASSERT_EQ(n, reset(&self->t));
	}
	ASSERT_EQ(MINIKVM_EXIT_HLT, ret);
	ASSERT_LE(1, full);
	ASSERT_LT(0, take(self));
	/* The page that filled it may be named twice: the write comes after the exit. */
	ASSERT_EQ(PAGES, self->ever);
}

TEST_F(ring, another_vcpu_has_its_own)
{
	struct test_vm late = vm_add_vcpu(&self->t, 1);
	struct minikvm_dirty_gfn *gfn;

	gfn = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, late.vcpu, AT);
	ASSERT_NE(MAP_FAILED, (void *)gfn);
	begin(&late, write_many, write_many_end, 3);
	EXPECT_HLT(&late);
	ASSERT_EQ(0, take(self));
	ASSERT_EQ(MINIKVM_DIRTY_GFN_F_DIRTY, gfn[2].flags);
	ASSERT_EQ(2, gfn[2].offset);
	ASSERT_EQ(0, gfn[3].flags);
	gfn[0].flags = MINIKVM_DIRTY_GFN_F_RESET;
	ASSERT_EQ(1, reset(&self->t));
	/* The mapping outlives the vCPU's descriptor. */
	vm_free_vcpu(&late);
	ASSERT_EQ(0, gfn[0].flags);
	munmap(gfn, BYTES);
}

/* Marks and names that nobody gave out. */
TEST_F(ring, lies)
{
	int i;

	for (i = 0; i < ENTRIES; i++)
		self->gfn[i] = (struct minikvm_dirty_gfn) { 3, 5, i };
	ASSERT_LE(0, reset(&self->t));
	memset(self->gfn, 0, BYTES);
	/* On KVM that moved its end: what comes next is only expected where it did not. */
	if (test_on_kvm())
		return;
	BEGIN(write_many, 64);
	DONE();
	for (i = 0; i < 64; i++) {
		static const uint64_t offset[] = { 0, PAGES, ~0ull, 1ull << 32, 63, 64 };
		static const uint32_t slot[] = { 5, 0, 6, 511, 512, ~0u, 1 << 16 | 5 };

		ASSERT_EQ(1, self->gfn[i].flags);
		self->gfn[i] = (struct minikvm_dirty_gfn) { ~0u, slot[i % 7], offset[i % 6] };
	}
	ASSERT_EQ(64, reset(&self->t));
	ASSERT_EQ(0, reset(&self->t));
	self->next = 64;
	/* Some pages were named for those that they stood for; the others still wait. */
	BEGIN(write_many, 64);
	DONE();
	i = take(self);
	ASSERT_LE(1, i);
	ASSERT_GE(64, i);
}

TEST_F(ring, no_log_beside_it)
{
	uint64_t bits[24];
	struct minikvm_dirty_log log = { .slot = 5, .dirty_bitmap = bits };
	struct minikvm_clear_dirty_log clear = { .slot = 5, .num_pages = 64, .dirty_bitmap = bits };
	struct test_vm *t = &self->t;

	ASSERT_EQ(-1, ioctl(t->vm, MINIKVM_GET_DIRTY_LOG, &log));
	ASSERT_EQ(ENXIO, errno);
	ASSERT_EQ(-1, ioctl(t->vm, MINIKVM_CLEAR_DIRTY_LOG, &clear));
	ASSERT_EQ(ENXIO, errno);
}

TEST_F(ring, mappings)
{
	struct test_vm *t = &self->t;
	volatile uint8_t *p;

	ASSERT_EQ(MAP_FAILED, mmap(NULL, BYTES, PROT_READ, MAP_PRIVATE, t->vcpu, AT));
	ASSERT_EQ(EINVAL, errno);
	ASSERT_EQ(MAP_FAILED, mmap(NULL, BYTES, PROT_READ | PROT_EXEC, MAP_SHARED, t->vcpu, AT));
	/* From 6.17 on the kernel itself runs no code from an anonymous inode: EPERM. */
	ASSERT_TRUE(errno == EINVAL || errno == EPERM);
	p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, t->vcpu, 0);
	ASSERT_NE(MAP_FAILED, (void *)p);
	ASSERT_EQ(0, p[1]);
	munmap((void *)p, 4096);
}

TEST(who_can_have_one)
{
	const uint64_t most = 65536 * sizeof(struct minikvm_dirty_gfn);
	struct test_vm t = { .dev = test_open() };
	int vcpu;

	ASSERT_EQ(most, ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_DIRTY_LOG_RING));
	ASSERT_EQ(most, ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_DIRTY_LOG_RING_ACQ_REL));
	t.vm = ioctl(t.dev, MINIKVM_CREATE_VM, 0);
	ASSERT_LE(0, t.vm);
	ASSERT_EQ(-EINVAL, reset(&t));
	ASSERT_EQ(-EINVAL, enable(&t, MINIKVM_CAP_DIRTY_LOG_RING, 0));
	ASSERT_EQ(-EINVAL, enable(&t, MINIKVM_CAP_DIRTY_LOG_RING, 2048));
	ASSERT_EQ(-EINVAL, enable(&t, MINIKVM_CAP_DIRTY_LOG_RING, 3 * 16384));
	ASSERT_EQ(-E2BIG, enable(&t, MINIKVM_CAP_DIRTY_LOG_RING, 2 * most));
	ASSERT_EQ(0, enable(&t, MINIKVM_CAP_DIRTY_LOG_RING_ACQ_REL, most));
	ASSERT_EQ(-EINVAL, enable(&t, MINIKVM_CAP_DIRTY_LOG_RING, most));
	vcpu = ioctl(t.vm, MINIKVM_CREATE_VCPU, 0);
	ASSERT_LE(0, vcpu);
	close(vcpu);
	close(t.vm);
	t.vm = ioctl(t.dev, MINIKVM_CREATE_VM, 0);
	vcpu = ioctl(t.vm, MINIKVM_CREATE_VCPU, 0);
	ASSERT_EQ(-EINVAL, enable(&t, MINIKVM_CAP_DIRTY_LOG_RING, most));
	close(vcpu);
	close(t.vm);
	close(t.dev);
}

TEST_HARNESS_MAIN
