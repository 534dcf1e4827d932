// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: an x2APIC, which the processor may carry out by itself, takes, orders, holds back and
 * ends interrupts as the manual says; what a VMM saves, restores and asks for counts at once;
 * and where the processor does it, that costs no exits.
 */
#include "lib/irq.h"

#define VECTOR		0x41
#define PIN		10
#define G_QUIET		0x8100		/* a handler that says nothing */

#define WRITE(reg, value) "mov $0x800 + (" reg " >> 4), %ecx; mov $" value ", %eax; xor %edx, %edx; wrmsr;"
#define SELF(vector)	WRITE("0x3f0", vector)
#define SAY(port)	"out %al, $" port ";"

/* EOI to an x2APIC, or if r15 is 0 to an xAPIC. */
GUEST64(tail, "push %rcx; push %rdx; test %r15d, %r15d; jz 1f; xor %eax, %eax; xor %edx, %edx;"
	"mov $0x80b, %ecx; wrmsr; jmp 2f; 1: mov $0xfee000b0, %ecx; movl $0, (%rcx);"
	"2: pop %rdx; pop %rcx; iretq");
/* The same, and nothing is said. */
GUEST64(quiet, "push %rax; push %rcx; push %rdx; incl 0x40000; xor %eax, %eax; xor %edx, %edx;"
	"mov $0x80b, %ecx; wrmsr; pop %rdx; pop %rcx; pop %rax; iretq");
GUEST64(order, SELF("0x41") SELF("0x61") SELF("0x51") "sti; nop;" SAY("0x10") "hlt");
/* No APIC takes a vector below 16; the next one is as any. */
GUEST64(illegal, "sti;" SELF("0x0f") SELF("0") SELF("0x41") "nop;" SAY("0x10") "hlt");
GUEST64(nested, "cli;" SELF("0x61") SELF("0x51") "sti; nop;" SAY("0x10")
	WRITE("0xb0", "0") "nop;" SAY("0x11") "hlt");
GUEST64(holds, "mov $5, %eax; mov %rax, %cr8; sti;" SAY("0x10") "nop;" SAY("0x11")
	"mov $3, %eax; mov %rax, %cr8; nop;" SAY("0x12") "hlt");
GUEST64(holds_msr, WRITE("0x80", "0x50") "sti;" SAY("0x10") "nop;" SAY("0x11")
	WRITE("0x80", "0x30") "nop;" SAY("0x12") "hlt");
GUEST64(waits, "cli;" SAY("0x10") "sti; nop;" SAY("0x11") "hlt");
GUEST64(halts, "cli;" SAY("0x10") "sti; hlt;" SAY("0x11") "hlt");
GUEST64(many, "sti; mov $1000, %ebx; 1:" SELF("0x41") "mov $5, %eax; mov %rax, %cr8;"
	WRITE("0x80", "0") "mov $0x808, %ecx; rdmsr; mov %cr8, %rax; dec %ebx; jnz 1b;"
	SAY("0x10") "hlt");
/* Nobody writes the APIC's ID: #GP, whose handler goes on behind the WRMSR. */
GUEST64(refused, "cli;" SELF("0x41") "mov $5000, %ebx; mov $0x802, %ecx; 1: wrmsr; dec %ebx; jnz 1b;"
	SAY("0x10") "sti; nop;" SAY("0x11") "hlt");
GUEST64(skip_wrmsr, "incl 0x40000; add $8, %rsp; addq $2, (%rsp); iretq");

static void set_mode(struct test_vm *t, bool x2apic)
{
	struct minikvm_regs r = vm_regs(t);
	struct minikvm_sregs s = vm_sregs(t);

	s.apic_base = (s.apic_base & ~0xc00ull) | (x2apic ? 0xc00 : 0x800);
	irq_must(ioctl(t->vcpu, MINIKVM_SET_SREGS, &s), "SET_SREGS");
	r.r15 = x2apic;
	vm_set_regs(t, r);
}

static uint32_t *reg(struct minikvm_lapic_state *l, int at)
{
	return (uint32_t *)&l->regs[at];
}

static void make(struct test_vm *t, bool x2apic, const uint8_t *code, const uint8_t *end)
{
	struct minikvm_lapic_state l;

	vm_make(t, true);
	guest_long(t, code, end);
	irq_stubs(t);
	memcpy(t->mem + G_TAIL, tail, tail_end - tail);
	set_mode(t, x2apic);
	irq_must(ioctl(t->vcpu, MINIKVM_GET_LAPIC, &l), "GET_LAPIC");
	*reg(&l, 0xf0) = 0x1ff;
	*reg(&l, 0x350) = 0x10700;	/* the PIC is not asked */
	irq_must(ioctl(t->vcpu, MINIKVM_SET_LAPIC, &l), "SET_LAPIC");
}

/* The vector's handler is this code, and says nothing. */
static void handle(struct test_vm *t, uint8_t vector, const uint8_t *code, const uint8_t *end)
{
	int at = G_STUBS + 16 * vector, distance = G_QUIET - (at + 5);

	t->mem[at] = 0xe9;	/* jmp */
	memcpy(t->mem + at + 1, &distance, sizeof(distance));
	memcpy(t->mem + G_QUIET, code, end - code);
}

static void message(struct test_vm *t, uint8_t vector)
{
	struct minikvm_msi msi = { .address_lo = 0xfee00000, .data = vector };

	irq_must(ioctl(t->vm, MINIKVM_SIGNAL_MSI, &msi), "SIGNAL_MSI");
}

/* The register of ISR, TMR or IRR that has a vector, and its bit. */
#define WORD(l, set, v)	reg(l, (set) + (v) / 32 * 16)
#define VBIT(v)		(1u << (v) % 32)
#define ISR	0x100
#define IRR	0x200

TEST(the_highest_comes_first)
{
	struct test_vm t;

	make(&t, true, order, order_end);
	EXPECT_OUT(&t, PORT_EXCEPTION, 0x61);
	EXPECT_OUT(&t, PORT_EXCEPTION, 0x51);
	EXPECT_OUT(&t, PORT_EXCEPTION, 0x41);
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&t));
	ASSERT_EQ(0x10, t.run->io.port);
	vm_free(&t);
}

TEST(a_vector_below_16_is_no_interrupt)
{
	struct test_vm t;

	make(&t, true, illegal, illegal_end);
	EXPECT_OUT(&t, PORT_EXCEPTION, 0x41);
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&t));
	ASSERT_EQ(0x10, t.run->io.port);
	vm_free(&t);
}

#define EXPECT_PORT(t, p) do {						\
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(t)) TH_LOG("exit %u", (t)->run->exit_reason); \
	ASSERT_EQ(p, (t)->run->io.port) TH_LOG("value %#x", *(uint8_t *)vm_io_data(t)); \
} while (0)

static const struct {
	bool x2apic;
	const uint8_t *code, *end;
} priorities[] = {
	{ false, holds, holds_end }, { true, holds, holds_end }, { true, holds_msr, holds_msr_end },
};

TEST(the_task_priority_holds_back)
{
	struct test_vm t;
	size_t i;

	for (i = 0; i < sizeof(priorities) / sizeof(priorities[0]); i++) {
		make(&t, priorities[i].x2apic, priorities[i].code, priorities[i].end);
		EXPECT_PORT(&t, 0x10);
		message(&t, VECTOR);
		EXPECT_PORT(&t, 0x11);
		ASSERT_EQ(5, vm_sregs(&t).cr8);
		EXPECT_OUT(&t, PORT_EXCEPTION, VECTOR);
		EXPECT_PORT(&t, 0x12);
		ASSERT_EQ(3, vm_sregs(&t).cr8);
		vm_free(&t);
	}
}

/* A restored TPR counts, too, and one that was in the way is forgotten. */
TEST(a_vmm_lowers_the_task_priority)
{
	struct minikvm_sregs s;
	struct test_vm t;
	size_t i;

	for (i = 0; i < 2; i++) {
		make(&t, i, holds, holds_end);
		EXPECT_PORT(&t, 0x10);
		message(&t, 0x51);
		message(&t, VECTOR);
		EXPECT_PORT(&t, 0x11);
		s = vm_sregs(&t);
		s.cr8 = 4;
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_SREGS, &s));
		EXPECT_OUT(&t, PORT_EXCEPTION, 0x51);
		EXPECT_OUT(&t, PORT_EXCEPTION, VECTOR);
		EXPECT_PORT(&t, 0x12);
		vm_free(&t);
	}
}

TEST(a_level_is_sent_until_it_falls)
{
	struct test_vm t;
	int i;

	make(&t, true, irq_idle, irq_idle_end);
	irq_ioapic(&t, PIN, 0x71 | IOAPIC_LEVEL);
	ASSERT_EQ(NO_IRQ, irq_next(&t));
	irq_line(&t, PIN, 1);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0x71, irq_next(&t));
	irq_line(&t, PIN, 0);
	ASSERT_EQ(NO_IRQ, irq_next(&t));
	irq_line(&t, PIN, 1);
	ASSERT_EQ(0x71, irq_next(&t));
	irq_line(&t, PIN, 0);
	ASSERT_EQ(NO_IRQ, irq_next(&t));
	/* Another vector, with the first one's EOI behind it. */
	irq_ioapic(&t, PIN, 0x91 | IOAPIC_LEVEL);
	irq_line(&t, PIN, 1);
	ASSERT_EQ(0x91, irq_next(&t));
	ASSERT_EQ(0x91, irq_next(&t));
	vm_free(&t);
}

TEST(who_resamples_hears_of_the_end)
{
	struct minikvm_irqfd args = { .gsi = PIN, .flags = MINIKVM_IRQFD_FLAG_RESAMPLE };
	struct test_vm t;
	eventfd_t n;
	int i;

	make(&t, true, irq_idle, irq_idle_end);
	irq_ioapic(&t, PIN, 0x71 | IOAPIC_LEVEL);
	ASSERT_EQ(NO_IRQ, irq_next(&t));
	args.fd = eventfd(0, EFD_NONBLOCK);
	args.resamplefd = eventfd(0, EFD_NONBLOCK);
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_IRQFD, &args));
	for (i = 0; i < 3; i++) {
		eventfd_write(args.fd, 1);
		usleep(20000);
		ASSERT_EQ(0x71, irq_next(&t));
		ASSERT_NE(0, eventfd_read(args.resamplefd, &n));
		ASSERT_EQ(NO_IRQ, irq_next(&t));
		usleep(20000);
		ASSERT_EQ(0, eventfd_read(args.resamplefd, &n));
	}
	vm_free(&t);
	close(args.fd);
	close(args.resamplefd);
}

TEST(what_is_saved_goes_on)
{
	struct minikvm_lapic_state l;
	struct test_vm t;

	make(&t, true, nested, nested_end);
	EXPECT_OUT(&t, PORT_EXCEPTION, 0x61);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_LAPIC, &l));
	ASSERT_EQ(VBIT(0x61), *WORD(&l, ISR, 0x61));
	ASSERT_EQ(VBIT(0x51), *WORD(&l, IRR, 0x51));
	ASSERT_EQ(0x60, *reg(&l, 0xa0) & 0xf0);
	/* One more of each: the handler's EOI is for the higher one in service. */
	*WORD(&l, ISR, 0x91) |= VBIT(0x91);
	*WORD(&l, IRR, 0x81) |= VBIT(0x81);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_LAPIC, &l));
	EXPECT_OUT(&t, PORT_EXCEPTION, 0x81);
	EXPECT_PORT(&t, 0x10);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_LAPIC, &l));
	ASSERT_EQ(VBIT(0x61), *WORD(&l, ISR, 0x61));
	ASSERT_EQ(0, *WORD(&l, ISR, 0x81));
	EXPECT_OUT(&t, PORT_EXCEPTION, 0x51);
	EXPECT_PORT(&t, 0x11);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_LAPIC, &l));
	ASSERT_EQ(0, *WORD(&l, ISR, 0x61) | *WORD(&l, IRR, 0x51));
	vm_free(&t);
}

TEST(what_waits_survives_a_change_of_mode)
{
	struct test_vm t;
	size_t i;

	for (i = 0; i < 2; i++) {
		make(&t, i, waits, waits_end);
		EXPECT_PORT(&t, 0x10);
		message(&t, VECTOR);
		set_mode(&t, !i);
		EXPECT_OUT(&t, PORT_EXCEPTION, VECTOR);
		EXPECT_PORT(&t, 0x11);
		vm_free(&t);
	}
}

TEST(a_halted_vcpu_wakes)
{
	struct test_vm t;

	make(&t, true, halts, halts_end);
	EXPECT_PORT(&t, 0x10);
	message(&t, VECTOR);
	EXPECT_OUT(&t, PORT_EXCEPTION, VECTOR);
	EXPECT_PORT(&t, 0x11);
	vm_free(&t);
}

TEST(a_debugger_holds_interrupts_back)
{
	struct minikvm_guest_debug d = {
		.control = MINIKVM_GUESTDBG_ENABLE | MINIKVM_GUESTDBG_BLOCKIRQ,
	};
	struct test_vm t;
	int i;

	make(&t, true, irq_idle, irq_idle_end);
	ASSERT_EQ(NO_IRQ, irq_next(&t));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_GUEST_DEBUG, &d));
	message(&t, VECTOR);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(NO_IRQ, irq_next(&t));
	d.control = 0;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_GUEST_DEBUG, &d));
	ASSERT_EQ(VECTOR, irq_next(&t));
	ASSERT_EQ(NO_IRQ, irq_next(&t));
	vm_free(&t);
}

/* Thousands of times, so that some entries with the exception meet the host's own interrupts. */
TEST(what_waits_does_not_come_with_an_exception)
{
	struct test_vm t;

	make(&t, true, refused, refused_end);
	handle(&t, 13, skip_wrmsr, skip_wrmsr_end);
	EXPECT_PORT(&t, 0x10);
	ASSERT_EQ(5000, *(int32_t *)(t.mem + G_DATA));
	EXPECT_OUT(&t, PORT_EXCEPTION, VECTOR);
	EXPECT_PORT(&t, 0x11);
	vm_free(&t);
}

static bool file_has(const char *path, const char *word)
{
	static char text[65536];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n < 0 ? 0 : n] = 0;
	return strstr(text, word);
}

/* Exits of one reason, of all vCPUs there were; -1: not known. */
static long exits(const char *reason)
{
	FILE *f = fopen("/sys/kernel/debug/minikvm/exits", "r");
	char line[256], name[64];
	long n = -1, at;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %ld", name, &at) == 2 && !strcmp(name, reason))
			n = at;
	if (f)
		fclose(f);
	return n;
}

TEST(what_the_processor_does_costs_no_exits)
{
	bool delivery = file_has("/proc/cpuinfo", " vid ") &&
			file_has("/sys/module/minikvm/parameters/enable_apicv", "1");
	long msr, cr;
	struct test_vm t;

	make(&t, true, many, many_end);
	handle(&t, VECTOR, quiet, quiet_end);
	msr = exits("WRMSR");
	cr = exits("CR_ACCESS");
	EXPECT_PORT(&t, 0x10);
	ASSERT_EQ(1000, *(int32_t *)(t.mem + G_DATA));
	if (!test_on_kvm() && delivery)
		ASSERT_GT(10, exits("WRMSR") - msr);
	if (!test_on_kvm() && file_has("/proc/cpuinfo", " vtpr "))
		ASSERT_GT(100, exits("CR_ACCESS") - cr);
	vm_free(&t);
}

TEST_HARNESS_MAIN
