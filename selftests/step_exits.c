// SPDX-License-Identifier: GPL-2.0
/* Claim: an instruction that the processor carries out for a device is one instruction to all that
 * look: exits, faults, traps, shadows. What happens beside it: step_beside.c.
 */
#include "lib/vm.h"

GUEST64(load, "mov $0xd0000000, %edi; movups (%rdi), %xmm0; movups %xmm0, 0x40000; hlt");
GUEST64(store, "movups 0x40000, %xmm0; mov $0xd0000000, %edi; movups %xmm0, (%rdi); hlt");
GUEST64(across, "movups 0x40000, %xmm0; mov $0xd0000ffa, %edi; movups %xmm0, (%rdi); hlt");
GUEST64(half, "mov $0x7ffff8, %edi; movups (%rdi), %xmm0; movups %xmm0, 0x40000; hlt");
GUEST64(half_store, "movups 0x40000, %xmm0; mov $0x7ffff8, %edi; movups %xmm0, (%rdi); hlt");
GUEST64(rmw, "mov $0xd0000000, %edi; shll $4, (%rdi); hlt");
GUEST64(fstpt, "mov $0xd0000000, %edi; fninit; fld1; fstpt (%rdi); hlt");
GUEST64(push_bad, "mov $0xd0000000, %edi; mov $0x20000800, %esp; push (%rdi); hlt");
GUEST64(misaligned, "mov $0xd0000008, %edi; movdqa %xmm0, (%rdi); hlt");
GUEST64(trap, "mov $0xd0000000, %edi; mov (%rdi), %eax; pushf; orl $0x100, (%rsp); popf; imull (%rdi), %eax; hlt");
GUEST64(watch, "mov $0xd0000008, %eax; mov %rax, %db0; mov $0xf0402, %eax; mov %rax, %db7;"
	"mov $0xd0000000, %edi; movups 0x40000, %xmm0; movups %xmm0, (%rdi); hlt");
GUEST64(sti, "mov $0xd0000000, %edi; 1: out %al, $0x10; sti; imull (%rdi), %eax; nop; hlt");
GUEST64(mov_ss, "mov $0xd0000000, %edi; mov %ss, %ecx; 1: out %al, $0x10; sti; mov %ecx, %ss;"
	"imull (%rdi), %eax; nop; hlt");
GUEST16(code16, "movups %fs:0x10, %xmm0; push %fs:2; pop %ax; hlt");
GUEST64(fxsave, "mov $0xd0000000, %edi; fxsave (%rdi); hlt");
GUEST64(code_in_hole, "mov $0xd0000000, %edi; jmp *%rdi");
GUEST64(rom_rmw, "mov $0x800010, %edi; rorl $4, (%rdi); movups (%rdi), %xmm0; movups %xmm0, 0x40000; hlt");
GUEST64(in_rom, "mov $0x40010, %edi; movl $0x1234, (%rdi); push (%rdi); pop %rax;"
	"mov $0xd0000000, %edi; imull (%rdi), %eax; mov $0xc0000082, %ecx; mov $0x5678, %eax;"
	"xor %edx, %edx; wrmsr; rdmsr; mov %eax, 0x40014; cpuid; out %al, $0x10; int3; hlt");

GUEST64(gdt_in_rom, "mov $0x18, %eax; ltr %ax; mov $0x10, %eax; mov %eax, %ds; push $8; lea 1f(%rip), %rax;"
	"push %rax; lretq; 1: push %fs; pop %rax; mov %eax, %es; str %eax; mov %eax, 0x40000; mov %ds, 0x40004; hlt");

static uint64_t value_of(struct test_vm *t)
{
	uint64_t v = 0;

	memcpy(&v, t->run->mmio.data, t->run->mmio.len);
	return v;
}

#define EXPECT_WRITE(t, off, size, value) do {				\
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(t)) TH_LOG("exit %u", (t)->run->exit_reason); \
	ASSERT_EQ(1, (t)->run->mmio.is_write);				\
	ASSERT_EQ(G_HOLE + (off), (t)->run->mmio.phys_addr);		\
	ASSERT_EQ(size, (t)->run->mmio.len);				\
	ASSERT_EQ((uint64_t)(value), value_of(t));			\
} while (0)

#define EXPECT_READ(t, off, size, value) do {				\
	uint64_t v_ = (value);						\
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(t)) TH_LOG("exit %u", (t)->run->exit_reason); \
	ASSERT_EQ(0, (t)->run->mmio.is_write);				\
	ASSERT_EQ(G_HOLE + (off), (t)->run->mmio.phys_addr);		\
	ASSERT_EQ(size, (t)->run->mmio.len);				\
	memcpy((t)->run->mmio.data, &v_, 8);				\
} while (0)

#define AFTER(code) (G_CODE + (code##_end - code) - 1)	/* its closing HLT */

static void put(struct test_vm *t, uint64_t low, uint64_t high)
{
	memcpy(t->mem + G_DATA, &low, 8);
	memcpy(t->mem + G_DATA + 8, &high, 8);
}

static uint64_t got(struct test_vm *t, int word)
{
	uint64_t v;

	memcpy(&v, t->mem + G_DATA + 8 * word, 8);
	return v;
}

/* ---- what the VMM is asked for */

TEST(sixteen_bytes_are_two_exits)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, load, load_end);
	EXPECT_READ(&t, 0, 8, 0x1122334455667788);
	EXPECT_READ(&t, 8, 8, 0x99aabbccddeeff00);
	EXPECT_HLT(&t);
	ASSERT_EQ(0x1122334455667788, got(&t, 0));
	ASSERT_EQ(0x99aabbccddeeff00, got(&t, 1));
	vm_free(&t);
	vm_make(&t, false);
	guest_long(&t, store, store_end);
	put(&t, 0x1122334455667788, 0x99aabbccddeeff00);
	EXPECT_WRITE(&t, 0, 8, 0x1122334455667788);
	/* The instruction is over. */
	ASSERT_EQ(AFTER(store), vm_regs(&t).rip);
	EXPECT_WRITE(&t, 8, 8, 0x99aabbccddeeff00);
	EXPECT_HLT(&t);
	vm_free(&t);
}

TEST(ten_bytes_are_eight_and_two)
{
	struct test_vm t;

	if (test_on_kvm())
		SKIP(return, "KVM has no x87 stores");
	vm_make(&t, false);
	guest_long(&t, fstpt, fstpt_end);
	EXPECT_WRITE(&t, 0, 8, 0x8000000000000000);
	EXPECT_WRITE(&t, 8, 2, 0x3fff);
	EXPECT_HLT(&t);
	vm_free(&t);
}

TEST(an_operand_is_cut_at_the_page)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, across, across_end);
	put(&t, 0x0706050403020100, 0x0f0e0d0c0b0a0908);
	EXPECT_WRITE(&t, 0xffa, 6, 0x050403020100);
	EXPECT_WRITE(&t, 0x1000, 8, 0x0d0c0b0a09080706);
	EXPECT_WRITE(&t, 0x1008, 2, 0x0f0e);
	EXPECT_HLT(&t);
	vm_free(&t);
}

TEST(half_of_an_operand_is_memory)
{
	uint8_t *p = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t v = 0x1122334455667788;
	struct test_vm t;

	vm_make(&t, false);
	ASSERT_EQ(0, vm_slot(&t, 1, 0, 0x7ff000, 0x1000, p));
	memcpy(p + 0xff8, &v, 8);
	guest_long(&t, half, half_end);
	EXPECT_READ(&t, 0x800000 - (int64_t)G_HOLE, 8, 0x55);
	EXPECT_HLT(&t);
	ASSERT_EQ(v, got(&t, 0));
	ASSERT_EQ(0x55, got(&t, 1));
	put(&t, 3, 4);
	guest_long(&t, half_store, half_store_end);
	EXPECT_WRITE(&t, 0x800000 - (int64_t)G_HOLE, 8, 4);
	EXPECT_HLT(&t);
	ASSERT_EQ(3, *(uint64_t *)(p + 0xff8));
	vm_free(&t);
}

TEST(a_read_and_a_write)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, rmw, rmw_end);
	EXPECT_READ(&t, 0, 4, 0x00a00001);
	EXPECT_WRITE(&t, 0, 4, 0x0a000010);
	EXPECT_HLT(&t);
	vm_free(&t);
}

TEST(sixteen_bit_code)
{
	struct minikvm_sregs s;
	struct test_vm t;

	vm_make(&t, false);
	guest_real(&t, code16, code16_end);
	s = vm_sregs(&t);
	s.fs.base = G_HOLE;
	s.cr4 |= 0x600;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_SREGS, &s));
	EXPECT_READ(&t, 0x10, 8, 1);
	EXPECT_READ(&t, 0x18, 8, 2);
	EXPECT_READ(&t, 2, 2, 0xabcd);
	EXPECT_HLT(&t);
	ASSERT_EQ(0xabcd, vm_regs(&t).rax);
	vm_free(&t);
}

/* ---- immediate_exit */

static int run_at_once(struct test_vm *t)
{
	int ret;

	t->run->immediate_exit = 1;
	ret = vm_run(t);
	t->run->immediate_exit = 0;
	return ret;
}

TEST(immediate_exit_completes)
{
	struct test_vm t;
	uint64_t v = 0x22;

	vm_make(&t, false);
	guest_long(&t, load, load_end);
	EXPECT_READ(&t, 0, 8, 0x11);
	ASSERT_EQ(MINIKVM_EXIT_MMIO, run_at_once(&t));
	memcpy(t.run->mmio.data, &v, 8);
	ASSERT_EQ(-EINTR, run_at_once(&t));
	ASSERT_EQ(G_CODE + 8, vm_regs(&t).rip);
	EXPECT_HLT(&t);
	ASSERT_EQ(0x22, got(&t, 1));

	guest_long(&t, rmw, rmw_end);
	EXPECT_READ(&t, 0, 4, 0x3);
	ASSERT_EQ(MINIKVM_EXIT_MMIO, run_at_once(&t));
	ASSERT_EQ(1, t.run->mmio.is_write);
	ASSERT_EQ(0x30, value_of(&t));
	ASSERT_EQ(-EINTR, run_at_once(&t));
	ASSERT_EQ(AFTER(rmw), vm_regs(&t).rip);
	EXPECT_HLT(&t);
	vm_free(&t);
}

/* ---- faults */

TEST(a_fault_of_the_second_operand)
{
	struct minikvm_sregs s;
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, push_bad, push_bad_end);
	((uint64_t *)(t.mem + G_TABLES + 0x2000))[0x20000000 >> 21] = 0;
	/* #PF needs a stack of its own. */
	*(uint64_t *)(t.mem + G_TSS + 0x24) = G_STACK;
	t.mem[G_IDT + 14 * 16 + 4] = 1;
	EXPECT_READ(&t, 0, 8, 5);
	EXPECT_OUT(&t, PORT_EXCEPTION, 14);
	s = vm_sregs(&t);
	ASSERT_EQ(0x200007f8, s.cr2);
	ASSERT_EQ(2, *(uint64_t *)(t.mem + vm_regs(&t).rsp));	/* a write, not present */
	ASSERT_EQ(AFTER(push_bad) - 2, *(uint64_t *)(t.mem + vm_regs(&t).rsp + 8));
	ASSERT_EQ(0x20000800, *(uint64_t *)(t.mem + vm_regs(&t).rsp + 32));
	vm_free(&t);
}

TEST(a_misaligned_vector_is_a_fault)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, misaligned, misaligned_end);
	EXPECT_OUT(&t, PORT_EXCEPTION, 13);
	ASSERT_EQ(AFTER(misaligned) - 4, *(uint64_t *)(t.mem + vm_regs(&t).rsp + 8));
	vm_free(&t);
}

/* ---- traps and shadows */

/* Also for a VMM that looks at the state before the guest goes on: it may save it. */
TEST(a_single_step_comes_behind_it)
{
	struct minikvm_vcpu_events e;
	struct minikvm_debugregs d;
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, trap, trap_end);
	/*
	 * Brings in what the walk needs: Bochs 2.7 keeps a trap that is due over every exit, and
	 * an EPT violation of the next walk would have it come before the instruction.
	 */
	EXPECT_READ(&t, 0, 4, 6);
	EXPECT_READ(&t, 0, 4, 7);
	ASSERT_EQ(-EINTR, run_at_once(&t));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
	ASSERT_EQ(1, e.exception.injected);
	ASSERT_EQ(1, e.exception.nr);
	EXPECT_OUT(&t, PORT_EXCEPTION, 1);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_DEBUGREGS, &d));
	ASSERT_EQ(0x4000, d.dr6 & 0x400f);
	ASSERT_EQ(AFTER(trap), *(uint64_t *)(t.mem + vm_regs(&t).rsp));
	ASSERT_EQ(0x100, *(uint64_t *)(t.mem + vm_regs(&t).rsp + 16) & 0x100);
	vm_free(&t);
}

TEST(a_watchpoint_on_a_device)
{
	struct minikvm_debugregs d;
	struct test_vm t;

	if (test_on_kvm())
		SKIP(return, "KVM's emulator looks at no breakpoint");
	vm_make(&t, false);
	guest_long(&t, watch, watch_end);
	put(&t, 1, 2);
	EXPECT_WRITE(&t, 0, 8, 1);
	EXPECT_WRITE(&t, 8, 8, 2);
	EXPECT_OUT(&t, PORT_EXCEPTION, 1);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_DEBUGREGS, &d));
	ASSERT_EQ(1, d.dr6 & 0x400f);
	ASSERT_EQ(AFTER(watch), *(uint64_t *)(t.mem + vm_regs(&t).rsp));
	ASSERT_EQ(0, *(uint64_t *)(t.mem + vm_regs(&t).rsp + 16) & 0x100);
	vm_free(&t);
}

/* An interrupt that waits since before the STI comes behind the instruction. */
static void shadow(struct __test_metadata *_metadata, const uint8_t *code, const uint8_t *end)
{
	struct minikvm_interrupt irq = { 0x30 };
	struct test_vm t;

	if (test_on_kvm())
		SKIP(return, "KVM's INTERRUPT does not wait for IF");
	vm_make(&t, false);
	guest_long(&t, code, end);
	EXPECT_OUT(&t, 0x10, 0);
	ASSERT_EQ(-EINTR, run_at_once(&t));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_INTERRUPT, &irq));
	EXPECT_READ(&t, 0, 4, 7);
	EXPECT_OUT(&t, PORT_EXCEPTION, 0x30);
	ASSERT_EQ(G_CODE + (end - code) - 2, *(uint64_t *)(t.mem + vm_regs(&t).rsp));
	vm_free(&t);
}

TEST(the_shadow_of_sti_lasts_over_it)
{
	shadow(_metadata, sti, sti_end);
}

TEST(the_shadow_of_mov_ss_lasts_over_it)
{
	shadow(_metadata, mov_ss, mov_ss_end);
}

/* ---- what is refused */

TEST(refused_with_its_bytes_then_undefined)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, fxsave, fxsave_end);
	ASSERT_EQ(MINIKVM_EXIT_INTERNAL_ERROR, vm_run(&t));
	ASSERT_EQ(MINIKVM_INTERNAL_ERROR_EMULATION, t.run->emulation_failure.suberror);
	ASSERT_EQ(8, t.run->emulation_failure.ndata);
	ASSERT_EQ(1, t.run->emulation_failure.flags);
	ASSERT_EQ(15, t.run->emulation_failure.insn_size);
	ASSERT_EQ(0, memcmp("\x0f\xae\x07\xf4", t.run->emulation_failure.insn_bytes, 4));
	ASSERT_EQ(48, t.run->internal.data[3]);		/* the exit reason */
	EXPECT_OUT(&t, PORT_EXCEPTION, 6);
	ASSERT_EQ(AFTER(fxsave) - 3, *(uint64_t *)(t.mem + vm_regs(&t).rsp));
	vm_free(&t);
}

TEST(code_on_a_device_is_refused)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, code_in_hole, code_in_hole_end);
	ASSERT_EQ(MINIKVM_EXIT_INTERNAL_ERROR, vm_run(&t));
	ASSERT_EQ(MINIKVM_INTERNAL_ERROR_EMULATION, t.run->emulation_failure.suberror);
	ASSERT_EQ(6, t.run->emulation_failure.ndata);
	ASSERT_EQ(0, t.run->emulation_failure.flags);
	ASSERT_EQ(48, t.run->internal.data[1]);
	EXPECT_OUT(&t, PORT_EXCEPTION, 6);
	vm_free(&t);
}

/* ---- read-only slots */

TEST(a_write_to_a_read_only_slot_is_the_vmms)
{
	uint8_t *p = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t v = 0x1122334455667788;
	struct test_vm t;

	vm_make(&t, false);
	memcpy(p + 0x10, &v, 8);
	ASSERT_EQ(0, vm_slot(&t, 1, MINIKVM_MEM_READONLY, 0x800000, 0x1000, p));
	guest_long(&t, rom_rmw, rom_rmw_end);
	EXPECT_WRITE(&t, 0x800010 - (int64_t)G_HOLE, 4, 0x85566778);
	EXPECT_HLT(&t);
	ASSERT_EQ(v, got(&t, 0));
	ASSERT_EQ(v, *(uint64_t *)(p + 0x10));
	vm_free(&t);
}

static void tables_in_rom(struct __test_metadata *_metadata, uint64_t accessed)
{
	uint64_t *rom = mmap(NULL, 0x4000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);
	struct minikvm_sregs s;
	struct test_vm t;
	int i;

	vm_make(&t, false);
	guest_long(&t, in_rom, in_rom_end);
	rom[0] = 0x801007 | (accessed & 0x20);
	rom[512] = 0x802007 | (accessed & 0x20);
	rom[512 + (G_HOLE >> 30)] = 0x803007 | (accessed & 0x20);
	for (i = 0; i < 512; i++) {
		rom[1024 + i] = (uint64_t)i << 21 | 0x87 | accessed;
		rom[1536 + i] = (G_HOLE >> 30 << 30 | (uint64_t)i << 21 | 0x87) | accessed;
	}
	ASSERT_EQ(0, vm_slot(&t, 1, MINIKVM_MEM_READONLY, 0x800000, 0x4000, rom));
	s = vm_sregs(&t);
	s.cr3 = 0x800000;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_SREGS, &s));
	EXPECT_READ(&t, 0, 4, 3);
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&t));
	ASSERT_EQ(0x10, t.run->io.port);
	ASSERT_EQ(0x1234, *(uint32_t *)(t.mem + 0x40010));
	ASSERT_EQ(0x5678, *(uint32_t *)(t.mem + 0x40014));
	EXPECT_OUT(&t, PORT_EXCEPTION, 3);
	/* Bochs without these flags in EPT sets them in memory that EPT lets nobody write. */
	ASSERT_EQ(0x801007, rom[0] & ~0x20ull);
	vm_free(&t);
}

TEST(page_tables_in_rom)
{
	if (test_on_kvm())
		SKIP(return, "KVM takes walks of instructions that it does not emulate for MMIO");
	tables_in_rom(_metadata, 0x60);
	tables_in_rom(_metadata, 0);
}

/* LTR makes its descriptor busy, loads of DS and CS make theirs accessed. */
TEST(descriptors_in_rom)
{
	uint64_t *rom = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);
	const uint64_t code = 0x00af9a000000ffff, data = 0x00cf92000000ffff;
	struct minikvm_sregs s;
	struct test_vm t;

	if (test_on_kvm())
		SKIP(return, "KVM tells the VMM of what LTR sets");
	vm_make(&t, false);
	guest_long(&t, gdt_in_rom, gdt_in_rom_end);
	rom[1] = code;
	rom[2] = data;
	rom[3] = 0x0000890000000067;
	ASSERT_EQ(0, vm_slot(&t, 1, MINIKVM_MEM_READONLY, 0x800000, 0x1000, rom));
	s = vm_sregs(&t);
	s.gdt.base = 0x800000;
	s.gdt.limit = 0x2f;
	s.fs.selector = 0;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_SREGS, &s));
	EXPECT_HLT(&t);
	ASSERT_EQ(0x18, *(uint32_t *)(t.mem + 0x40000));
	ASSERT_EQ(0x10, *(uint16_t *)(t.mem + 0x40004));
	ASSERT_EQ(0x8, vm_sregs(&t).cs.selector);
	ASSERT_EQ(code, rom[1]);
	ASSERT_EQ(data, rom[2]);
	ASSERT_EQ(0x0000890000000067ull, rom[3]);
	vm_free(&t);
}

TEST_HARNESS_MAIN
