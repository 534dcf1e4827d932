// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: what VMMs that others wrote do between the first open() and the guest's first exit
 * succeeds, in their order and with their arguments; after the capabilities that each of them
 * refuses to start without. Written from what the ABI sees of them, by hand.
 */
#include <sys/eventfd.h>

#include "lib/vm.h"

#define MSR_TSC			0x10
#define MSR_SYSENTER_CS		0x174
#define MSR_SYSENTER_ESP	0x175
#define MSR_SYSENTER_EIP	0x176
#define MSR_MISC_ENABLE		0x1a0
#define MSR_MTRR_DEF_TYPE	0x2ff
#define MSR_STAR		0xc0000081
#define MSR_LSTAR		0xc0000082
#define MSR_CSTAR		0xc0000083
#define MSR_FMASK		0xc0000084
#define MSR_KERNEL_GS		0xc0000102

#define COM1			0x3f8
#define MEM_SIZE		(4 << 20)
#define TSS_ADDR		0xfffbd000
#define IOAPIC_PINS		24
#define END			0xffff		/* of a list of capabilities */

#define DONE(call) ({ int done_ = (call); ASSERT_LE(0, done_) TH_LOG(#call ": %m"); done_; })

struct cpuid { struct minikvm_cpuid2 head; struct minikvm_cpuid_entry2 e[256]; };
struct msrs { struct minikvm_msrs head; struct minikvm_msr_entry e[64]; };
struct msr_list { struct minikvm_msr_list head; uint32_t index[256]; };
struct routes { struct minikvm_irq_routing head; struct minikvm_irq_routing_entry e[64]; };

GUEST16(hello16, "mov $0x3f8, %dx; mov $0x63, %al; 1: out %al, %dx; jmp 1b");
GUEST64(hello64, "mov $0x3f8, %edx; mov $0x63, %al; 1: out %al, %dx; jmp 1b");

FIXTURE(clients) {
	struct test_vm t;
	struct cpuid cpuid;
	struct routes routes;
};

FIXTURE_SETUP(clients)
{
	self->t.dev = test_open();
	ASSERT_EQ(12, ioctl(self->t.dev, MINIKVM_GET_API_VERSION, 0));
	self->t.vm = DONE(ioctl(self->t.dev, MINIKVM_CREATE_VM, 0));
	self->t.mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->t.mem);
}

FIXTURE_TEARDOWN(clients)
{
	if (self->t.run)
		vm_free_vcpu(&self->t);
	close(self->t.vm);
	close(self->t.dev);
	munmap(self->t.mem, MEM_SIZE);
}

/* How many of a list are answered with 0; each is said. */
static int caps_missing(int fd, const uint16_t *cap)
{
	int missing = 0;

	for (; *cap != END; cap++) {
		if (ioctl(fd, MINIKVM_CHECK_EXTENSION, *cap) > 0)
			continue;
		printf("# capability %d is not there\n", *cap);
		missing++;
	}
	return missing;
}

static bool has_cap(const struct test_vm *t, int cap)
{
	return ioctl(t->dev, MINIKVM_CHECK_EXTENSION, cap) > 0;
}

static int vcpu_create(struct test_vm *t)
{
	int size = ioctl(t->dev, MINIKVM_GET_VCPU_MMAP_SIZE, 0);

	if (size < (int)sizeof(struct minikvm_run))
		return -1;
	t->vcpu = ioctl(t->vm, MINIKVM_CREATE_VCPU, 0);
	if (t->vcpu < 0)
		return -1;
	t->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, t->vcpu, 0);
	return t->run == MAP_FAILED ? -1 : 0;
}

/* What is supported is asked for with @room entries, changed as VMMs do, and set. */
static int cpuid_set(struct test_vm *t, struct cpuid *c, int room)
{
	uint32_t i;

	c->head.nent = room;
	if (ioctl(t->dev, MINIKVM_GET_SUPPORTED_CPUID, c))
		return -1;
	for (i = 0; i < c->head.nent; i++) {
		if (c->e[i].function == 1) {
			c->e[i].ebx = (c->e[i].ebx & 0xffff) | 1 << 16;
			c->e[i].ecx |= 1u << 31;	/* there is a hypervisor */
		}
		if (c->e[i].function == 6)
			c->e[i].ecx &= ~8;
	}
	return ioctl(t->vcpu, MINIKVM_SET_CPUID2, c);
}

static const struct minikvm_cpuid_entry2 *leaf(const struct cpuid *c, uint32_t function)
{
	uint32_t i;

	for (i = 0; i < c->head.nent; i++)
		if (c->e[i].function == function && !c->e[i].index)
			return &c->e[i];
	return NULL;
}

/* The MSRs that both Rust VMMs and kvmtool give; returns how many were taken. */
static int boot_msrs_set(struct test_vm *t, bool mtrr)
{
	static const struct msrs all = { .head.nmsrs = 11, .e = {
		{ MSR_SYSENTER_CS }, { MSR_SYSENTER_ESP }, { MSR_SYSENTER_EIP }, { MSR_STAR },
		{ MSR_CSTAR }, { MSR_KERNEL_GS }, { MSR_FMASK }, { MSR_LSTAR }, { MSR_TSC },
		{ MSR_MISC_ENABLE, 0, 1 }, { MSR_MTRR_DEF_TYPE, 0, 1 << 11 | 6 },
	} };
	struct msrs msrs = all;

	msrs.head.nmsrs = mtrr ? 11 : 10;
	return ioctl(t->vcpu, MINIKVM_SET_MSRS, &msrs);
}

/* LINT0 takes the 8259's interrupts, LINT1 is NMI. */
static int lapic_set(struct test_vm *t)
{
	struct minikvm_lapic_state l;
	uint32_t *lint = (uint32_t *)&l.regs[0x350];

	if (ioctl(t->vcpu, MINIKVM_GET_LAPIC, &l))
		return -1;
	lint[0] = (lint[0] & ~0x700) | 0x700;
	lint[4] = (lint[4] & ~0x700) | 0x400;
	return ioctl(t->vcpu, MINIKVM_SET_LAPIC, &l);
}

static int fpu_set(struct test_vm *t)
{
	struct minikvm_fpu fpu = { .fcw = 0x37f, .mxcsr = 0x1f80 };

	return ioctl(t->vcpu, MINIKVM_SET_FPU, &fpu);
}

static int route_set(struct test_vm *t, struct routes *r, uint32_t n)
{
	r->head.nr = n;
	return ioctl(t->vm, MINIKVM_SET_GSI_ROUTING, r);
}

static void route_chip(struct minikvm_irq_routing_entry *e, uint32_t gsi, uint32_t chip,
		       uint32_t pin)
{
	*e = (struct minikvm_irq_routing_entry){ .gsi = gsi, .type = MINIKVM_IRQ_ROUTING_IRQCHIP };
	e->u.irqchip.irqchip = chip;
	e->u.irqchip.pin = pin;
}

static void route_msi(struct minikvm_irq_routing_entry *e, uint32_t gsi, uint32_t vector)
{
	*e = (struct minikvm_irq_routing_entry){ .gsi = gsi, .type = MINIKVM_IRQ_ROUTING_MSI };
	e->u.msi.address_lo = 0xfee00000;
	e->u.msi.data = vector;
}

static int ioeventfd(struct test_vm *t, uint64_t addr, uint32_t len, uint64_t match, uint32_t flags)
{
	struct minikvm_ioeventfd e = { .addr = addr, .len = len, .datamatch = match, .flags = flags,
				       .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) };
	int ret = ioctl(t->vm, MINIKVM_IOEVENTFD, &e);

	close(e.fd);
	return ret;
}

static int irqfd(struct test_vm *t, uint32_t gsi)
{
	struct minikvm_irqfd i = { .gsi = gsi, .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) };
	int ret = ioctl(t->vm, MINIKVM_IRQFD, &i);

	close(i.fd);
	return ret;
}

/* Four levels of tables that map the first GiB by 2 MiB, as the 64-bit boot protocol has it. */
static void tables_write(struct test_vm *t)
{
	uint64_t *pml4 = (uint64_t *)(t->mem + 0x9000);
	int i;

	pml4[0] = 0xa003;
	pml4[512] = 0xb003;
	for (i = 0; i < 512; i++)
		pml4[1024 + i] = ((uint64_t)i << 21) | 0x83;
}

static struct minikvm_segment segment(uint8_t type, uint16_t selector, bool code)
{
	return (struct minikvm_segment){ .limit = 0xfffff, .selector = selector, .type = type,
					 .present = 1, .s = type != 11 || selector != 0x18,
					 .l = code, .db = !code, .g = 1 };
}

static int long_mode_set(struct test_vm *t)
{
	struct minikvm_sregs s;
	uint64_t gdt[] = { 0, 0xaf9b000000ffff, 0xcf93000000ffff, 0x8f8b000000ffff };

	if (ioctl(t->vcpu, MINIKVM_GET_SREGS, &s))
		return -1;
	memcpy(t->mem + 0x500, gdt, sizeof(gdt));
	memset(t->mem + 0x520, 0, 8);
	tables_write(t);
	s.gdt = (struct minikvm_dtable){ .base = 0x500, .limit = sizeof(gdt) - 1 };
	s.idt = (struct minikvm_dtable){ .base = 0x520, .limit = 7 };
	s.cs = segment(11, 0x8, true);
	s.ds = s.es = s.fs = s.gs = s.ss = segment(3, 0x10, false);
	s.tr = segment(11, 0x18, false);
	s.tr.db = 0;
	s.cr0 |= 0x80000001;
	s.cr3 = 0x9000;
	s.cr4 |= 0x20;
	s.efer |= 0x500;
	return ioctl(t->vcpu, MINIKVM_SET_SREGS, &s);
}

static int linux_regs_set(struct test_vm *t)
{
	struct minikvm_regs r = { .rflags = 2, .rip = 0x100000, .rsp = 0x8ff0, .rbp = 0x8ff0,
				  .rsi = 0x7000 };

	memcpy(t->mem + 0x100000, hello64, hello64_end - hello64);
	return ioctl(t->vcpu, MINIKVM_SET_REGS, &r);
}

#define EXPECT_HELLO() EXPECT_OUT(&self->t, COM1, 'c')

TEST_F(clients, kvmtool)
{
	static const uint16_t needs[] = {
		MINIKVM_CAP_COALESCED_MMIO, MINIKVM_CAP_SET_TSS_ADDR, MINIKVM_CAP_PIT2,
		MINIKVM_CAP_USER_MEMORY, MINIKVM_CAP_IRQ_ROUTING, MINIKVM_CAP_IRQCHIP,
		MINIKVM_CAP_HLT, MINIKVM_CAP_IRQ_INJECT_STATUS, MINIKVM_CAP_EXT_CPUID, END };
	struct test_vm *t = &self->t;
	struct minikvm_pit_config pit = { .flags = 0 };
	struct minikvm_regs r = { .rflags = 2, .rip = 0x10, .rsp = 0x8000, .rbp = 0x8000 };
	struct minikvm_irq_level level = { .irq = 4, .level = 1 };
	struct minikvm_sregs s;
	int i, n = 0;

	ASSERT_EQ(0, caps_missing(t->dev, needs));
	DONE(ioctl(t->vm, MINIKVM_SET_TSS_ADDR, TSS_ADDR));
	DONE(ioctl(t->vm, MINIKVM_CREATE_IRQCHIP, 0));
	DONE(ioctl(t->vm, MINIKVM_CREATE_PIT2, &pit));
	DONE(vm_slot(t, 1, 0, 0, MEM_SIZE, t->mem));
	ASSERT_LT(0, ioctl(t->dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_MAX_VCPUS));
	DONE(vcpu_create(t));
	DONE(lapic_set(t));
	for (i = 0; i < IOAPIC_PINS; i++) {
		if (i < 16 && i != 2)
			route_chip(&self->routes.e[n++], i, i >> 3, i & 7);
		route_chip(&self->routes.e[n++], i, MINIKVM_IRQCHIP_IOAPIC, i ? i : 2);
	}
	DONE(route_set(t, &self->routes, n));
	DONE(cpuid_set(t, &self->cpuid, 100));
	DONE(ioctl(t->vcpu, MINIKVM_GET_SREGS, &s));
	s.cs.selector = s.ss.selector = s.ds.selector = s.es.selector = 0x100;
	s.fs.selector = s.gs.selector = 0x100;
	s.cs.base = s.ss.base = s.ds.base = s.es.base = s.fs.base = s.gs.base = 0x1000;
	DONE(ioctl(t->vcpu, MINIKVM_SET_SREGS, &s));
	DONE(ioctl(t->vcpu, MINIKVM_SET_REGS, &r));
	DONE(fpu_set(t));
	ASSERT_EQ(10, boot_msrs_set(t, false));
	memcpy(t->mem + 0x1010, hello16, hello16_end - hello16);
	/* A virtio queue: the same notification by port and in memory. */
	DONE(ioeventfd(t, 0x6210, 2, 0, MINIKVM_IOEVENTFD_FLAG_DATAMATCH |
		       MINIKVM_IOEVENTFD_FLAG_PIO));
	DONE(ioeventfd(t, 0xd2000010, 2, 0, MINIKVM_IOEVENTFD_FLAG_DATAMATCH));
	EXPECT_HELLO();
	DONE(ioctl(t->vm, MINIKVM_IRQ_LINE, &level));
	route_msi(&self->routes.e[n++], IOAPIC_PINS, 0x31);
	DONE(route_set(t, &self->routes, n));
}

TEST_F(clients, firecracker)
{
	static const uint16_t needs[] = {
		MINIKVM_CAP_IRQCHIP, MINIKVM_CAP_IOEVENTFD, MINIKVM_CAP_IRQFD,
		MINIKVM_CAP_USER_MEMORY, MINIKVM_CAP_SET_TSS_ADDR, MINIKVM_CAP_PIT2,
		MINIKVM_CAP_PIT_STATE2, MINIKVM_CAP_ADJUST_CLOCK, MINIKVM_CAP_DEBUGREGS,
		MINIKVM_CAP_MP_STATE, MINIKVM_CAP_VCPU_EVENTS, MINIKVM_CAP_XSAVE,
		MINIKVM_CAP_EXT_CPUID, END };
	static const uint32_t leaves[] = { 0, 1, 6, 7, 0xa, 0x80000005, 0x80000006 };
	struct test_vm *t = &self->t;
	struct minikvm_pit_config pit = { .flags = MINIKVM_PIT_SPEAKER_DUMMY };
	struct msr_list list = { .head.nmsrs = 256 };
	int i;

	ASSERT_EQ(0, caps_missing(t->dev, needs));
	ASSERT_LT(0, ioctl(t->dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_NR_MEMSLOTS));
	DONE(ioctl(t->dev, MINIKVM_GET_MSR_INDEX_LIST, &list));
	DONE(ioctl(t->vm, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_XSAVE2));
	DONE(ioctl(t->vm, MINIKVM_SET_TSS_ADDR, TSS_ADDR));
	DONE(ioctl(t->vm, MINIKVM_CREATE_IRQCHIP, 0));
	DONE(ioctl(t->vm, MINIKVM_CREATE_PIT2, &pit));
	DONE(vm_slot(t, 0, MINIKVM_MEM_LOG_DIRTY_PAGES, 0, MEM_SIZE, t->mem));
	DONE(vcpu_create(t));
	DONE(cpuid_set(t, &self->cpuid, 80));
	for (i = 0; i < (int)(sizeof(leaves) / sizeof(*leaves)); i++)
		ASSERT_NE(NULL, leaf(&self->cpuid, leaves[i])) TH_LOG("leaf %x", leaves[i]);
	ASSERT_EQ(11, boot_msrs_set(t, true));
	DONE(linux_regs_set(t));
	DONE(fpu_set(t));
	DONE(long_mode_set(t));
	DONE(lapic_set(t));
	for (i = 5; i < 8; i++)
		DONE(irqfd(t, i));
	DONE(ioeventfd(t, 0xd0000050, 4, 1, MINIKVM_IOEVENTFD_FLAG_DATAMATCH));
	DONE(ioeventfd(t, 0x4000000000, 0, 0, 0));	/* PCI: any length */
	EXPECT_HELLO();
}

/* What a snapshot reads; the answers go back to where they came from. */
#define AGAIN(fd, name, state) do {					\
	DONE(ioctl(fd, MINIKVM_GET_##name, state));			\
	DONE(ioctl(fd, MINIKVM_SET_##name, state));			\
} while (0)

TEST_F(clients, snapshot)
{
	struct test_vm *t = &self->t;
	struct minikvm_pit_config pit = { .flags = MINIKVM_PIT_SPEAKER_DUMMY };
	struct { struct minikvm_nested_state n; char room[8192]; } nested = { .n.size = 8320 };
	struct minikvm_irqchip chip = { .chip_id = 0 };
	struct minikvm_vcpu_events events;
	struct minikvm_debugregs debug;
	struct minikvm_lapic_state l;
	struct minikvm_mp_state mp;
	struct minikvm_pit_state2 pit2;
	struct minikvm_clock_data clock;
	struct minikvm_sregs s;
	struct minikvm_regs r;
	struct minikvm_xcrs xcrs;
	static char xsave[16384];
	struct minikvm_fpu fpu;
	int khz;

	DONE(ioctl(t->vm, MINIKVM_SET_TSS_ADDR, TSS_ADDR));
	DONE(ioctl(t->vm, MINIKVM_CREATE_IRQCHIP, 0));
	DONE(ioctl(t->vm, MINIKVM_CREATE_PIT2, &pit));
	DONE(vm_slot(t, 0, 0, 0, MEM_SIZE, t->mem));
	DONE(vcpu_create(t));
	DONE(cpuid_set(t, &self->cpuid, 256));
	DONE(linux_regs_set(t));
	DONE(long_mode_set(t));
	EXPECT_HELLO();
	AGAIN(t->vcpu, MP_STATE, &mp);
	AGAIN(t->vcpu, REGS, &r);
	AGAIN(t->vcpu, SREGS, &s);
	AGAIN(t->vcpu, XSAVE, xsave);
	DONE(ioctl(t->vcpu, MINIKVM_GET_XSAVE2, xsave));
	if (has_cap(t, MINIKVM_CAP_XCRS))
		AGAIN(t->vcpu, XCRS, &xcrs);
	AGAIN(t->vcpu, DEBUGREGS, &debug);
	AGAIN(t->vcpu, LAPIC, &l);
	AGAIN(t->vcpu, FPU, &fpu);
	AGAIN(t->vcpu, VCPU_EVENTS, &events);
	if (has_cap(t, MINIKVM_CAP_NESTED_STATE))
		DONE(ioctl(t->vcpu, MINIKVM_GET_NESTED_STATE, &nested));
	khz = DONE(ioctl(t->vcpu, MINIKVM_GET_TSC_KHZ, 0));
	DONE(ioctl(t->vcpu, MINIKVM_SET_TSC_KHZ, khz));
	for (chip.chip_id = 0; chip.chip_id < MINIKVM_NR_IRQCHIPS; chip.chip_id++)
		AGAIN(t->vm, IRQCHIP, &chip);
	AGAIN(t->vm, PIT2, &pit2);
	DONE(ioctl(t->vm, MINIKVM_GET_CLOCK, &clock));
	clock.flags &= ~MINIKVM_CLOCK_TSC_STABLE;
	DONE(ioctl(t->vm, MINIKVM_SET_CLOCK, &clock));
	self->cpuid.head.nent = 256;
	DONE(ioctl(t->vcpu, MINIKVM_GET_CPUID2, &self->cpuid));
	EXPECT_HELLO();
}

TEST_F(clients, cloud_hypervisor)
{
	static const uint16_t needs[] = {
		MINIKVM_CAP_ADJUST_CLOCK, MINIKVM_CAP_EXT_CPUID, MINIKVM_CAP_GET_TSC_KHZ,
		MINIKVM_CAP_IMMEDIATE_EXIT, MINIKVM_CAP_IOEVENTFD, MINIKVM_CAP_IRQCHIP,
		MINIKVM_CAP_IRQFD, MINIKVM_CAP_IRQ_ROUTING, MINIKVM_CAP_MP_STATE,
		MINIKVM_CAP_SET_IDENTITY_MAP_ADDR, MINIKVM_CAP_SET_TSS_ADDR,
		MINIKVM_CAP_SPLIT_IRQCHIP, MINIKVM_CAP_TSC_DEADLINE_TIMER, MINIKVM_CAP_USER_MEMORY,
		MINIKVM_CAP_USER_NMI, MINIKVM_CAP_VCPU_EVENTS, MINIKVM_CAP_XSAVE, END };
	struct minikvm_enable_cap split = { .cap = MINIKVM_CAP_SPLIT_IRQCHIP,
					    .args[0] = IOAPIC_PINS };
	struct test_vm *t = &self->t;
	struct msr_list list = { .head.nmsrs = 0 };
	uint64_t identity = TSS_ADDR + 0x3000;
	int i;

	ASSERT_EQ(0, caps_missing(t->dev, needs));
	ASSERT_EQ(-1, ioctl(t->dev, MINIKVM_GET_MSR_INDEX_LIST, &list));
	ASSERT_EQ(E2BIG, errno);
	DONE(ioctl(t->dev, MINIKVM_GET_MSR_INDEX_LIST, &list));
	DONE(ioctl(t->vm, MINIKVM_SET_IDENTITY_MAP_ADDR, &identity));
	DONE(ioctl(t->vm, MINIKVM_SET_TSS_ADDR, TSS_ADDR));
	DONE(ioctl(t->vm, MINIKVM_ENABLE_CAP, &split));
	DONE(vcpu_create(t));
	DONE(vm_slot(t, 0, 0, 0, MEM_SIZE, t->mem));
	ASSERT_LT(0, ioctl(t->vcpu, MINIKVM_GET_TSC_KHZ, 0));
	DONE(cpuid_set(t, &self->cpuid, 256));
	ASSERT_EQ(11, boot_msrs_set(t, true));
	DONE(linux_regs_set(t));
	DONE(long_mode_set(t));
	DONE(fpu_set(t));
	DONE(lapic_set(t));
	for (i = 0; i < 8; i++) {
		DONE(irqfd(t, IOAPIC_PINS + i));
		route_msi(&self->routes.e[i], IOAPIC_PINS + i, 0x30 + i);
		DONE(route_set(t, &self->routes, i + 1));
	}
	DONE(ioeventfd(t, 0xe8000000, 0, 0, 0));
	EXPECT_HELLO();
}

TEST_F(clients, qemu)
{
	static const uint16_t needs[] = {
		MINIKVM_CAP_USER_MEMORY, MINIKVM_CAP_DESTROY_MEMORY_REGION_WORKS,
		MINIKVM_CAP_JOIN_MEMORY_REGIONS_WORKS, MINIKVM_CAP_INTERNAL_ERROR_DATA,
		MINIKVM_CAP_IOEVENTFD, MINIKVM_CAP_IOEVENTFD_ANY_LENGTH,
		MINIKVM_CAP_SET_TSS_ADDR, MINIKVM_CAP_EXT_CPUID, MINIKVM_CAP_MP_STATE,
		MINIKVM_CAP_SIGNAL_MSI, MINIKVM_CAP_IRQ_ROUTING, MINIKVM_CAP_DEBUGREGS,
		MINIKVM_CAP_XSAVE, MINIKVM_CAP_VCPU_EVENTS, MINIKVM_CAP_X86_ROBUST_SINGLESTEP,
		MINIKVM_CAP_MCE, MINIKVM_CAP_ADJUST_CLOCK, MINIKVM_CAP_SET_IDENTITY_MAP_ADDR,
		MINIKVM_CAP_IRQCHIP, MINIKVM_CAP_SPLIT_IRQCHIP, MINIKVM_CAP_READONLY_MEM,
		MINIKVM_CAP_IMMEDIATE_EXIT, END };
	struct test_vm *t = &self->t;
	struct minikvm_pit_config pit = { .flags = MINIKVM_PIT_SPEAKER_DUMMY };
	uint64_t identity = 0xfeffc000, mcg;

	ASSERT_EQ(0, caps_missing(t->dev, needs));
	DONE(ioctl(t->dev, MINIKVM_X86_GET_MCE_CAP_SUPPORTED, &mcg));
	ASSERT_LE(10, ioctl(t->dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_MCE));
	DONE(ioctl(t->vm, MINIKVM_SET_IDENTITY_MAP_ADDR, &identity));
	DONE(ioctl(t->vm, MINIKVM_SET_TSS_ADDR, identity + 0x1000));
	DONE(ioctl(t->vm, MINIKVM_CREATE_IRQCHIP, 0));
	DONE(ioctl(t->vm, MINIKVM_CREATE_PIT2, &pit));
	/* PAM and ROM: slots come, change their flags, and go. */
	DONE(vm_slot(t, 3, 0, 0, MEM_SIZE, t->mem));
	DONE(vm_slot(t, 4, MINIKVM_MEM_READONLY, 0xfffc0000, 0x40000, t->mem));
	DONE(vm_slot(t, 3, MINIKVM_MEM_LOG_DIRTY_PAGES, 0, MEM_SIZE, t->mem));
	DONE(vm_slot(t, 3, 0, 0, MEM_SIZE, t->mem));
	DONE(vm_slot(t, 4, 0, 0xfffc0000, 0, t->mem));
	DONE(vcpu_create(t));
	DONE(cpuid_set(t, &self->cpuid, 256));
	mcg = (mcg & 0xff000000) | 1 << 8 | 10;
	DONE(ioctl(t->vcpu, MINIKVM_X86_SETUP_MCE, &mcg));
	DONE(linux_regs_set(t));
	DONE(long_mode_set(t));
	EXPECT_HELLO();
}

TEST_HARNESS_MAIN
