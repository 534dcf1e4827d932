// SPDX-License-Identifier: GPL-2.0
/* Claim: interrupts, NMIs and exceptions are delivered when and as the SDM says, from a VMM's own
 * interrupt controller and from the chips in the kernel.
 */
#include <signal.h>
#include <sys/time.h>

#include "lib/vm.h"

GUEST16(open_window, "cli; out %al, $0x11; sti; nop; hlt; out %al, $0x12; hlt");
GUEST16(nothing, "1: out %al, $0x11; jmp 1b");
GUEST16(halted, "sti; hlt; hlt");
GUEST16(pit, "mov $0x11, %al; out %al, $0x20; mov $0x20, %al; out %al, $0x21; mov $4, %al; out %al, $0x21;"
	"mov $1, %al; out %al, $0x21; mov $0xfe, %al; out %al, $0x21; mov $0x34, %al; out %al, $0x43;"
	"mov $0x9c, %al; out %al, $0x40; mov $0x2e, %al; out %al, $0x40; sti; 1: hlt; jmp 1b");
GUEST64(lapic, "mov $0x1b, %ecx; rdmsr; or $0xc00, %eax; wrmsr; mov $0x80f, %ecx; mov $0x1ff, %eax;"
	"xor %edx, %edx; wrmsr; mov $0x83e, %ecx; mov $0xb, %eax; wrmsr; mov $0x832, %ecx;"
	"mov $0x40, %eax; wrmsr; mov $0x838, %ecx; mov $1000, %eax; wrmsr; sti; 1: hlt; jmp 1b");

TEST(interrupt_waits_for_the_window)
{
	struct minikvm_interrupt irq = { .irq = 0x30 };
	struct test_vm t;

	vm_make(&t, false);
	guest_real(&t, open_window, open_window_end);
	EXPECT_OUT(&t, 0x11, 0);
	ASSERT_EQ(0, t.run->if_flag);
	ASSERT_EQ(0, t.run->ready_for_interrupt_injection);
	t.run->request_interrupt_window = 1;
	ASSERT_EQ(MINIKVM_EXIT_IRQ_WINDOW_OPEN, vm_run(&t));
	ASSERT_EQ(1, t.run->ready_for_interrupt_injection);
	ASSERT_EQ(1, t.run->if_flag);
	t.run->request_interrupt_window = 0;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_INTERRUPT, &irq));
	EXPECT_OUT(&t, PORT_EXCEPTION, 0x30);
	irq.irq = 256;
	ASSERT_EQ(-1, ioctl(t.vcpu, MINIKVM_INTERRUPT, &irq));
	ASSERT_EQ(EINVAL, errno);
	vm_free(&t);
}

/* A VMM with an APIC of its own may find one that is more urgent, before it lets the guest go on. */
TEST(the_last_interrupt_counts)
{
	struct minikvm_interrupt irq[] = { { .irq = 0x30 }, { .irq = 0x31 } };
	struct test_vm t;

	vm_make(&t, false);
	guest_real(&t, open_window, open_window_end);
	EXPECT_OUT(&t, 0x11, 0);
	t.run->request_interrupt_window = 1;
	ASSERT_EQ(MINIKVM_EXIT_IRQ_WINDOW_OPEN, vm_run(&t));
	t.run->request_interrupt_window = 0;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_INTERRUPT, &irq[0]));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_INTERRUPT, &irq[1]));
	EXPECT_OUT(&t, PORT_EXCEPTION, 0x31);
	vm_free(&t);
}

TEST(nmi_needs_no_window)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_real(&t, nothing, nothing_end);
	vm_nmi_returns(&t, false);
	EXPECT_OUT(&t, 0x11, 0);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_NMI, 0));
	EXPECT_OUT(&t, PORT_EXCEPTION, 2);
	EXPECT_OUT(&t, 0x11, 2);
	vm_free(&t);
}

/* A handler of two OUTs; a window for the NMI that comes meanwhile opens with its IRET. */
GUEST64(idle, "1: out %al, $0x11; jmp 1b");
GUEST64(nmi_handler, "out %al, $0x12; out %al, $0x13; iretq");
GUEST64(three, "nop; nop; nop; hlt");

static void with_nmi_handler(struct test_vm *t, const uint8_t *code, const uint8_t *end)
{
	vm_make(t, false);
	guest_long(t, code, end);
	memcpy(t->mem + G_STUBS + 16 * 2, nmi_handler, nmi_handler_end - nmi_handler);
}

TEST(a_second_nmi_waits_for_the_iret_of_the_first)
{
	struct minikvm_vcpu_events e;
	struct test_vm t;

	with_nmi_handler(&t, idle, idle_end);
	EXPECT_OUT(&t, 0x11, 0);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_NMI, 0));
	EXPECT_OUT(&t, 0x12, 0);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_NMI, 0));
	EXPECT_OUT(&t, 0x13, 0);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
	ASSERT_EQ(1, e.nmi.masked);
	ASSERT_EQ(1, e.nmi.pending);
	EXPECT_OUT(&t, 0x12, 0);
	EXPECT_OUT(&t, 0x13, 0);
	EXPECT_OUT(&t, 0x11, 0);
	vm_free(&t);
}

/* The VMM has set what an STI leaves for one instruction: only then comes the NMI. */
TEST(an_nmi_waits_for_the_instruction_behind_sti)
{
	struct minikvm_vcpu_events e;
	struct minikvm_regs r;
	struct test_vm t;

	with_nmi_handler(&t, three, three_end);
	r = vm_regs(&t);
	r.rflags |= 0x200;
	vm_set_regs(&t, r);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
	e.flags = MINIKVM_VCPUEVENT_VALID_NMI_PENDING | MINIKVM_VCPUEVENT_VALID_SHADOW;
	e.nmi.pending = 1;
	e.interrupt.shadow = 2;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_VCPU_EVENTS, &e));
	EXPECT_OUT(&t, 0x12, 0);
	ASSERT_EQ(G_CODE + 1, *(uint64_t *)(t.mem + vm_regs(&t).rsp));
	EXPECT_OUT(&t, 0x13, 0);
	EXPECT_HLT(&t);
	vm_free(&t);
}

/* In user mode, with CR0.AM and EFLAGS.AC. */
GUEST64(unaligned, "push $0x33; push $0x8f00; push $0x40002; push $0x2b; lea 1f(%rip), %rax;"
	"push %rax; iretq; 1: mov (%rsp), %eax; mov 1(%rsp), %eax; hlt");

TEST(an_alignment_check_is_the_guests)
{
	struct minikvm_sregs s;
	struct test_vm t;
	uint64_t *gdt;

	vm_make(&t, false);
	guest_long(&t, unaligned, unaligned_end);
	gdt = (uint64_t *)(t.mem + G_GDT);
	gdt[5] = 0x00affb000000ffff;
	gdt[6] = 0x00cff3000000ffff;
	*(uint64_t *)(t.mem + G_TSS + 4) = G_STACK - 0x800;
	s = vm_sregs(&t);
	s.cr0 |= 0x40000;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_SREGS, &s));
	EXPECT_OUT(&t, PORT_EXCEPTION, 17);
	ASSERT_EQ(0, *(uint64_t *)(t.mem + vm_regs(&t).rsp));	/* the error code */
	ASSERT_EQ(G_CODE + (unaligned_end - unaligned) - 5,
		  *(uint64_t *)(t.mem + vm_regs(&t).rsp + 8));
	vm_free(&t);
}

/* The IDT is where no memory is: the exception waits until its VMM has put some there. */
GUEST32(undefined, "ud2");

TEST(an_exception_that_meets_a_device_is_kept)
{
	struct minikvm_sregs s;
	struct test_vm t;
	uint8_t *memory;

	vm_make(&t, false);
	guest_protected(&t, undefined, undefined_end);
	s = vm_sregs(&t);
	s.idt.base = G_HOLE;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_SREGS, &s));
	ASSERT_EQ(MINIKVM_EXIT_INTERNAL_ERROR, vm_run(&t));
	if (test_on_kvm())
		SKIP(return, "KVM takes the first for an access by the instruction, and the next for this");
	ASSERT_EQ(MINIKVM_INTERNAL_ERROR_DELIVERY_EV, t.run->internal.suberror);
	ASSERT_EQ(5, t.run->internal.ndata);
	ASSERT_EQ(0x80000306, t.run->internal.data[0]);
	ASSERT_EQ(48, t.run->internal.data[1]);
	ASSERT_EQ(G_HOLE + 6 * 8, t.run->internal.data[3]);
	memory = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(memory, t.mem + G_IDT, 0x800);
	ASSERT_EQ(0, vm_slot(&t, 1, 0, G_HOLE, 0x1000, memory));
	EXPECT_OUT(&t, PORT_EXCEPTION, 6);
	vm_free(&t);
}

TEST(exception_from_the_vmm)
{
	struct minikvm_vcpu_events e;
	struct test_vm t;

	vm_make(&t, false);
	guest_real(&t, nothing, nothing_end);
	EXPECT_OUT(&t, 0x11, 0);
	/* An OUT that is not finished would come first. */
	t.run->immediate_exit = 1;
	ASSERT_EQ(-EINTR, vm_run(&t));
	t.run->immediate_exit = 0;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
	e.exception.injected = 1;
	e.exception.nr = 6;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_VCPU_EVENTS, &e));
	EXPECT_OUT(&t, PORT_EXCEPTION, 6);
	vm_free(&t);
}

/* Real mode has no error codes: a VMM's, and one of an exception that is delivered again, are dropped. */
GUEST16(beyond_the_limit, "mov 0xffff, %ax; hlt");

TEST(real_mode_takes_no_error_code_from_the_vmm)
{
	static const uint8_t vectors[] = { 8, 10, 11, 12, 13, 14, 17 };
	struct minikvm_vcpu_events e;
	struct test_vm t;
	size_t i;

	for (i = 0; i < sizeof(vectors); i++) {
		vm_make(&t, false);
		guest_real(&t, nothing, nothing_end);
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
		e.exception.injected = 1;
		e.exception.nr = vectors[i];
		e.exception.has_error_code = 1;
		e.exception.error_code = 0x18;
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_VCPU_EVENTS, &e));
		EXPECT_OUT(&t, PORT_EXCEPTION, vectors[i]);
		ASSERT_EQ(G_STACK - 6, vm_regs(&t).rsp);
		vm_free(&t);
	}
}

TEST(real_mode_exception_with_cold_idt_and_stack)
{
	struct minikvm_sregs s;
	struct minikvm_regs r;
	struct test_vm t;
	int cold;

	for (cold = 0; cold < 4; cold++) {
		vm_make(&t, false);
		guest_real(&t, beyond_the_limit, beyond_the_limit_end);
		s = vm_sregs(&t);
		if (cold & 1) {
			s.idt.base = 0x280000;
			memcpy(t.mem + s.idt.base, t.mem, 1024);
		}
		if (cold & 2)
			s.ss.base = 0x340000;
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_SREGS, &s));
		r = vm_regs(&t);
		r.rsp = 0x8000;
		vm_set_regs(&t, r);
		EXPECT_OUT(&t, PORT_EXCEPTION, 13);
		ASSERT_EQ(0x8000 - 6, vm_regs(&t).rsp);
		vm_free(&t);
	}
}

TEST(hlt_wakes_in_the_kernel_by_pic_and_pit)
{
	struct minikvm_pit_config config = { };
	struct test_vm t;

	vm_make(&t, true);
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_CREATE_PIT2, &config));
	guest_real(&t, pit, pit_end);
	EXPECT_OUT(&t, PORT_EXCEPTION, 0x20);
	vm_free(&t);
}

static void on_alarm(int sig)
{
}

TEST(what_is_on_its_way_ends_no_hlt)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval soon = { .it_value.tv_usec = 100000 };
	struct minikvm_mp_state mp = { .mp_state = MINIKVM_MP_STATE_HALTED };
	struct minikvm_vcpu_events e;
	struct test_vm t;
	int nmi;

	sigaction(SIGALRM, &sa, NULL);
	for (nmi = 0; nmi < 2; nmi++) {
		vm_make(&t, true);
		guest_real(&t, halted, halted_end);
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_MP_STATE, &mp));
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
		e.interrupt.nr = 0x30;
		*(nmi ? &e.nmi.injected : &e.interrupt.injected) = 1;
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_VCPU_EVENTS, &e));
		setitimer(ITIMER_REAL, &soon, NULL);
		EXPECT_EQ(-EINTR, vm_run(&t)) TH_LOG("nmi %d", nmi);
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_MP_STATE, &mp));
		EXPECT_EQ(MINIKVM_MP_STATE_HALTED, mp.mp_state);
		mp.mp_state = MINIKVM_MP_STATE_HALTED;
		vm_free(&t);
	}
}

/* INT n is an instruction: no chip has it, and it waits for no IF. */
TEST(an_injected_int_is_no_interrupt)
{
	struct minikvm_vcpu_events e;
	struct minikvm_sregs s;
	struct test_vm t;
	int chips;

	for (chips = 0; chips < 2; chips++) {
		vm_make(&t, chips);
		guest_real(&t, nothing, nothing_end);
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
		e.interrupt.injected = 1;
		e.interrupt.nr = 0x30;
		e.interrupt.soft = 1;
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_VCPU_EVENTS, &e));
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
		EXPECT_EQ(0, e.interrupt.injected) TH_LOG("chips %d", chips);
		s = vm_sregs(&t);
		EXPECT_EQ(0, s.interrupt_bitmap[0]) TH_LOG("chips %d", chips);
		if (!test_on_kvm()) {	/* where the entry fails, for want of a length */
			EXPECT_OUT(&t, PORT_EXCEPTION, 0x30);
			ASSERT_EQ(G_CODE + 2, *(uint16_t *)(t.mem + vm_regs(&t).rsp));
		}
		vm_free(&t);
	}
}

/*
 * What Linux does to find the TSC's frequency: channel 2 counts 20 ms in mode 0, its gate and
 * its output in port 0x61. r8 to r10: the TSC at the start, in the middle and at the end; r11:
 * the count in the middle.
 */
#define TSC(reg)	"rdtsc; shl $32, %rdx; or %rdx, %rax; mov %rax, " reg ";"
GUEST64(calibrate, "in $0x61, %al; and $0xfd, %al; or $1, %al; out %al, $0x61; mov $0xb0, %al;"
	"out %al, $0x43; mov $0x38, %al; out %al, $0x42; mov $0x5d, %al; out %al, $0x42;" TSC("%r8")
	"mov $8, %ecx; 1: in $0x61, %al; test $0x20, %al; jnz 9f; dec %ecx; jnz 1b;" TSC("%r9")
	"in $0x42, %al; movzbl %al, %r11d; in $0x42, %al; movzbl %al, %eax; shl $8, %eax;"
	"or %eax, %r11d; 2: in $0x61, %al; test $0x20, %al; jz 2b; 9:" TSC("%r10") "out %al, $0x11");

TEST(pit_measures_the_tsc)
{
	struct minikvm_pit_config config = { .flags = MINIKVM_PIT_SPEAKER_DUMMY };
	struct minikvm_regs r;
	double khz, middle, end;
	struct test_vm t;

	vm_make(&t, true);
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_CREATE_PIT2, &config));
	khz = ioctl(t.vcpu, MINIKVM_GET_TSC_KHZ, 0);
	guest_long(&t, calibrate, calibrate_end);
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&t));
	ASSERT_EQ(0x11, t.run->io.port);
	r = vm_regs(&t);
	middle = (r.r9 - r.r8) / khz;
	end = (r.r10 - r.r8) / khz;
	TH_LOG("count %lld after %.3f ms, output after %.3f ms", r.r11, middle, end);
	/* A count goes on during the access that reads it, and a host may be busy. */
	ASSERT_LT(19.8, end);
	ASSERT_GT(40, end);
	ASSERT_GT(0x5d38, r.r11);
	ASSERT_LT(0.8 * middle, (0x5d38 - r.r11) / 1193.182);
	ASSERT_GT(end, (0x5d38 - r.r11) / 1193.182);
	vm_free(&t);
}

TEST(lapic_timer_in_x2apic_mode)
{
	struct test_vm t;

	vm_make(&t, true);
	guest_long(&t, lapic, lapic_end);
	EXPECT_OUT(&t, PORT_EXCEPTION, 0x40);
	vm_free(&t);
}

TEST(ioapic_line_reaches_the_guest)
{
	struct minikvm_irqchip c = { .chip_id = MINIKVM_IRQCHIP_IOAPIC };
	struct minikvm_irq_level irq = { .irq = 5, .level = 1 };
	struct minikvm_lapic_state l;
	struct test_vm t;

	vm_make(&t, true);
	guest_real(&t, halted, halted_end);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_LAPIC, &l));
	*(uint32_t *)&l.regs[0xf0] = 0x1ff;
	*(uint32_t *)&l.regs[0x350] = 0x10700;	/* the PIC is not asked */
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_LAPIC, &l));
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_GET_IRQCHIP, &c));
	c.chip.ioapic.redirtbl[5].bits = 0x51;
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_SET_IRQCHIP, &c));
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_IRQ_LINE_STATUS, &irq));
	ASSERT_LT(0, irq.status);
	EXPECT_OUT(&t, PORT_EXCEPTION, 0x51);
	vm_free(&t);
}

TEST_HARNESS_MAIN
