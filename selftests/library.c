// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: what the tests of a library for VMMs (kvm-ioctls) count on is so: single steps and the
 * dirty log of a little program, bare VMs before they have chips, the highest ID of a vCPU,
 * eventfds of each width, addresses that are nowhere.
 */
#include <sys/eventfd.h>

#include "lib/vm.h"

#define COM1		0x3f8
#define MEM_SIZE	0x4000
#define PORT_MATCH	(MINIKVM_IOEVENTFD_FLAG_PIO | MINIKVM_IOEVENTFD_FLAG_DATAMATCH)

#define DONE(call) ({ int done_ = (call); ASSERT_LE(0, done_) TH_LOG(#call ": %m"); done_; })

FIXTURE(library) {
	struct test_vm t;
};

FIXTURE_SETUP(library)
{
	self->t.dev = test_open();
	self->t.vm = DONE(ioctl(self->t.dev, MINIKVM_CREATE_VM, 0));
	self->t.mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->t.mem);
}

FIXTURE_TEARDOWN(library)
{
	if (self->t.run)
		vm_free_vcpu(&self->t);
	close(self->t.vm);
	close(self->t.dev);
	munmap(self->t.mem, MEM_SIZE);
}

static int ioeventfd(struct test_vm *t, uint64_t addr, uint32_t len, uint64_t match, uint32_t flags)
{
	struct minikvm_ioeventfd e = { .addr = addr, .len = len, .datamatch = match, .flags = flags,
				       .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) };
	int ret = ioctl(t->vm, MINIKVM_IOEVENTFD, &e);

	close(e.fd);
	return ret;
}

GUEST16(sum, "mov $0x3f8, %dx; add %bl, %al; add $0x30, %al; out %al, %dx; in %dx, %al;"
	"movb $0, 0x8000; mov 0x8000, %dl; movb $0, 0x2000; hlt; hlt");

static int real_mode_set(struct test_vm *t, const uint8_t *code, const uint8_t *end, int first)
{
	struct minikvm_regs r = { .rip = 0x1000 + first, .rax = 2, .rbx = 3, .rflags = 2 };
	struct minikvm_sregs s;

	memcpy(t->mem, code, end - code);
	if (ioctl(t->vcpu, MINIKVM_GET_SREGS, &s))
		return -1;
	s.cs.base = s.cs.selector = 0;
	return ioctl(t->vcpu, MINIKVM_SET_SREGS, &s) || ioctl(t->vcpu, MINIKVM_SET_REGS, &r) ?
	       -1 : 0;
}

static int dirty_pages(struct test_vm *t)
{
	uint64_t bitmap[64] = {};
	struct minikvm_dirty_log log = { .slot = 0, .dirty_bitmap = bitmap };

	return ioctl(t->vm, MINIKVM_GET_DIRTY_LOG, &log) ? -1 : __builtin_popcountll(bitmap[0]);
}

/* With a slot that is logged from the start, what the guest has read first is dirty, too. */
TEST_F(library, run)
{
	struct minikvm_guest_debug debug = { .control = MINIKVM_GUESTDBG_ENABLE |
							MINIKVM_GUESTDBG_SINGLESTEP };
	struct test_vm *t = &self->t;
	uint64_t pc;

	DONE(vm_slot(t, 0, MINIKVM_MEM_LOG_DIRTY_PAGES, 0x1000, 0x4000, t->mem));
	*t = vm_add_vcpu(t, 0);
	/* Bochs 2.7 has a #DB too many after an EPT violation: the page is mapped before. */
	DONE(real_mode_set(t, sum, sum_end, sum_end - sum - 1));
	EXPECT_HLT(t);
	DONE(real_mode_set(t, sum, sum_end, 0));
	DONE(ioctl(t->vcpu, MINIKVM_SET_GUEST_DEBUG, &debug));
	for (pc = 0x1003; pc <= 0x1007; pc += 2) {
		ASSERT_EQ(MINIKVM_EXIT_DEBUG, vm_run(t));
		ASSERT_EQ(1, t->run->debug.arch.exception);
		ASSERT_EQ(pc, t->run->debug.arch.pc);
		ASSERT_EQ(pc, vm_regs(t).rip);
		ASSERT_EQ(0x4ff0, t->run->debug.arch.dr6 & 0xffff);
		ASSERT_EQ(0x400, t->run->debug.arch.dr7);
	}
	debug.control = 0;
	DONE(ioctl(t->vcpu, MINIKVM_SET_GUEST_DEBUG, &debug));
	EXPECT_OUT(t, COM1, '5');
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(t));
	ASSERT_EQ(MINIKVM_EXIT_IO_IN, t->run->io.direction);
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(t));
	ASSERT_EQ(1, t->run->mmio.is_write);
	ASSERT_EQ(0x8000, t->run->mmio.phys_addr);
	ASSERT_EQ(1, t->run->mmio.len);
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(t));
	ASSERT_EQ(0, t->run->mmio.is_write);
	EXPECT_HLT(t);
	ASSERT_EQ(2, dirty_pages(t));
	ASSERT_EQ(0, dirty_pages(t));
}

TEST_F(library, vm)
{
	struct test_vm *t = &self->t;
	struct minikvm_clock_data first, clock = { .clock = 10 }, second;
	struct minikvm_enable_cap none = { .cap = 0 };
	struct minikvm_irq_routing no_routes = { .nr = 0 };
	struct minikvm_msi msi = {};
	int most = ioctl(t->dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_MAX_VCPU_ID);

	DONE(ioctl(t->vm, MINIKVM_GET_CLOCK, &first));
	DONE(ioctl(t->vm, MINIKVM_SET_CLOCK, &clock));
	DONE(ioctl(t->vm, MINIKVM_GET_CLOCK, &second));
	ASSERT_LT(clock.clock, second.clock);
	ASSERT_GT(first.clock + 100000000, second.clock);
	DONE(ioeventfd(t, 0xf4, 0, 0, MINIKVM_IOEVENTFD_FLAG_PIO));
	DONE(ioeventfd(t, 0x1000, 0, 0, 0));
	DONE(ioeventfd(t, 0xc1, 1, 0x7f, PORT_MATCH));
	DONE(ioeventfd(t, 0xc2, 2, 0x1337, PORT_MATCH));
	DONE(ioeventfd(t, 0xc4, 4, 0xdeadbeef, PORT_MATCH));
	DONE(ioeventfd(t, 0xc8, 8, 0xdeadbeefdeadbeef, PORT_MATCH));
	ASSERT_GT(0, ioctl(t->vm, MINIKVM_SET_GSI_ROUTING, &no_routes));	/* no chips yet */
	ASSERT_GT(0, ioctl(t->vm, MINIKVM_SIGNAL_MSI, &msi));
	ASSERT_GT(0, ioctl(t->vm, MINIKVM_ENABLE_CAP, &none));
	DONE(ioctl(t->vm, MINIKVM_CREATE_IRQCHIP, 0));
	DONE(ioctl(t->vm, MINIKVM_SET_GSI_ROUTING, &no_routes));
	ASSERT_GT(0, ioctl(t->vm, MINIKVM_CREATE_VCPU, 65537));
	ASSERT_EQ(EINVAL, errno);
	close(DONE(ioctl(t->vm, MINIKVM_CREATE_VCPU, most - 1)));
	ASSERT_GT(0, ioctl(t->vm, MINIKVM_CREATE_VCPU, most));
	ASSERT_EQ(EINVAL, errno);
}

TEST_F(library, vcpu)
{
	struct minikvm_translation where = { .linear_address = 0x10000 };
	struct minikvm_translation nowhere = { .linear_address = ~0ull };
	struct test_vm *t = &self->t;

	*t = vm_add_vcpu(t, 0);
	DONE(ioctl(t->vcpu, MINIKVM_TRANSLATE, &where));
	ASSERT_EQ(1, where.valid);
	ASSERT_EQ(0x10000, where.physical_address);
	DONE(ioctl(t->vcpu, MINIKVM_TRANSLATE, &nowhere));
	ASSERT_EQ(0, nowhere.valid);
	ASSERT_LT(0, ioctl(t->vcpu, MINIKVM_GET_TSC_KHZ, 0));
}

TEST_HARNESS_MAIN
