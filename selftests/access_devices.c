// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: an operand of an instruction that the kernel carries out may be memory, a chip, a device
 * of the VMM's, or half of each; nothing is lost, nothing done twice.
 */
#include "lib/access.h"

/* ---- what is at the other end */

TEST(string_io_between_a_port_and_a_device)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, insl64, insl64_end);
	set(&t, 0, G_HOLE + 0x10, 0);
	ASSERT_EQ(MINIKVM_EXIT_HLT, serve(&t));
	ASSERT_EQ(1, seen.writes);
	ASSERT_EQ(G_HOLE + 0x10, seen.at);
	ASSERT_EQ(0, memcmp(seen.written, "abcd", 4));
	vm_free(&t);

	vm_make(&t, false);
	guest_long(&t, outsl64, outsl64_end);
	set(&t, G_HOLE + 0x20, 0, 0);
	ASSERT_EQ(MINIKVM_EXIT_HLT, serve(&t));
	ASSERT_EQ(1, seen.reads);
	ASSERT_EQ(1, seen.outs);
	ASSERT_EQ(0, memcmp(seen.out, "PQRS", 4));
	vm_free(&t);
}

GUEST32(push_es32, "push %es; hlt");
GUEST32(pop_es32, "pop %es; hlt");
GUEST32(add_82, ".byte 0x82, 0x07, 0x05; hlt");
GUEST16(pusha16, "pusha; hlt");

TEST(a_selector_has_two_bytes_on_the_stack)
{
	struct minikvm_regs r;
	struct test_vm t;

	vm_make(&t, false);
	guest_protected(&t, push_es32, push_es32_end);
	r = vm_regs(&t);
	r.rsp = G_HOLE + 0x10;
	vm_set_regs(&t, r);
	ASSERT_EQ(MINIKVM_EXIT_HLT, serve(&t));
	ASSERT_EQ(G_HOLE + 0xc, seen.at);
	ASSERT_EQ(2, seen.nwritten);
	ASSERT_EQ(G_HOLE + 0xc, vm_regs(&t).rsp);
	guest_protected(&t, pop_es32, pop_es32_end);
	vm_set_regs(&t, r);
	r.rip = G_CODE;
	vm_set_regs(&t, r);
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&t));
	ASSERT_EQ(2, t.run->mmio.len);
	vm_free(&t);
}

TEST(opcode_82_is_80_outside_64_bit_mode)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_protected(&t, add_82, add_82_end);
	set(&t, 0, G_HOLE, 0);
	ASSERT_EQ(MINIKVM_EXIT_HLT, serve(&t));
	ASSERT_EQ(1, seen.reads);
	ASSERT_EQ(1, seen.nwritten);
	ASSERT_EQ('P' + 5, seen.written[0]);
	vm_free(&t);
}

/* LDTR's limit, which is 64 KiB after a reset, says nothing there. */
TEST(in_real_mode_a_write_to_rom_is_no_descriptors)
{
	struct minikvm_regs r;
	struct test_vm t;

	vm_make(&t, false);
	ASSERT_EQ(0, vm_slot(&t, 0, 0, 0, 0, NULL));
	ASSERT_EQ(0, vm_slot(&t, 0, 0, 0, 0xf000, t.mem));
	ASSERT_EQ(0, vm_slot(&t, 1, MINIKVM_MEM_READONLY, 0xf000, 0x1000, t.mem + 0xf000));
	guest_real(&t, pusha16, pusha16_end);
	r = vm_regs(&t);
	r.rsp = 0xf800;
	vm_set_regs(&t, r);
	/* On KVM the writes are exits; minikvm does not do PUSHA there, and says so. */
	ASSERT_NE(MINIKVM_EXIT_HLT, vm_run(&t));
	vm_free(&t);
}

TEST(rep_ins_to_a_device_loses_nothing)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, rep_ins64, rep_ins64_end);
	set(&t, 0, G_HOLE, 9);
	ASSERT_EQ(MINIKVM_EXIT_HLT, serve(&t));
	ASSERT_EQ(9, seen.ins);
	ASSERT_EQ(0, memcmp(seen.written, "abcdefghi", 9));
	ASSERT_EQ(G_HOLE + 9, vm_regs(&t).rdi);
	vm_free(&t);
}

TEST(the_shadow_of_sti_ends_with_an_iteration)
{
	static const struct { const uint8_t *code, *end; } rows[] = {
		{ rep_movs64, rep_movs64_end }, { rep_outs64, rep_outs64_end },
	};
	struct minikvm_vcpu_events e;
	struct minikvm_regs r;
	struct test_vm t;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		vm_make(&t, false);
		guest_long(&t, rows[i].code, rows[i].end);
		set(&t, G_DATA, G_HOLE, 3);
		r = vm_regs(&t);
		r.rflags |= 0x200;
		vm_set_regs(&t, r);
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
		e.interrupt.shadow = MINIKVM_X86_SHADOW_INT_STI;
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_VCPU_EVENTS, &e));
		ASSERT_LE(0, vm_run(&t));
		ASSERT_EQ(2, vm_regs(&t).rcx);
		EXPECT_EQ(1, t.run->ready_for_interrupt_injection) TH_LOG("row %zu", i);
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
		EXPECT_EQ(0, e.interrupt.shadow) TH_LOG("row %zu", i);
		ASSERT_EQ(MINIKVM_EXIT_HLT, serve(&t));
		ASSERT_EQ(0, vm_regs(&t).rcx);
		vm_free(&t);
	}
}

TEST(half_in_memory_and_half_in_a_device)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, insl64, insl64_end);
	set(&t, 0, G_SIZE - 2, 0);
	ASSERT_EQ(MINIKVM_EXIT_HLT, serve(&t));
	ASSERT_EQ(0, memcmp(t.mem + G_SIZE - 2, "ab", 2));
	ASSERT_EQ(2, seen.nwritten);
	ASSERT_EQ(G_SIZE, seen.at);
	ASSERT_EQ(0, memcmp(seen.written, "cd", 2));
	vm_free(&t);

	vm_make(&t, false);
	guest_long(&t, outsl64, outsl64_end);
	memcpy(t.mem + G_SIZE - 3, "xyz", 3);
	set(&t, G_SIZE - 3, 0, 0);
	ASSERT_EQ(MINIKVM_EXIT_HLT, serve(&t));
	ASSERT_EQ(0, memcmp(seen.out, "xyzP", 4));
	vm_free(&t);
}

TEST(read_only_memory_is_read_and_its_writes_are_the_vmm_s)
{
	uint8_t *rom = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	struct test_vm t;

	memcpy(rom, "rom", 4);
	vm_make(&t, false);
	ASSERT_EQ(0, vm_slot(&t, 1, MINIKVM_MEM_READONLY, 0x800000, 0x1000, rom));
	guest_long(&t, insl64, insl64_end);
	set(&t, 0, 0x800000, 0);
	ASSERT_EQ(MINIKVM_EXIT_HLT, serve(&t));
	ASSERT_EQ(0, memcmp(seen.written, "abcd", 4));
	ASSERT_EQ(0, memcmp(rom, "rom", 4));
	guest_long(&t, outsl64, outsl64_end);
	set(&t, 0x800000, 0, 0);
	ASSERT_EQ(MINIKVM_EXIT_HLT, serve(&t));
	ASSERT_EQ(0, memcmp(seen.out, "rom", 4));
	vm_free(&t);
}

TEST(a_chip_in_the_kernel)
{
	struct minikvm_lapic_state l;
	struct test_vm t;

	vm_make(&t, true);
	guest_long(&t, outsl64, outsl64_end);
	set(&t, 0xfee00030, 0, 0);		/* the version */
	vm_run(&t);
	ASSERT_EQ(MINIKVM_EXIT_IO, t.run->exit_reason);
	ASSERT_EQ(0x14, *(uint8_t *)vm_io_data(&t));
	guest_long(&t, insl64, insl64_end);
	set(&t, 0, 0xfee00080, 0);		/* the task priority, 7:0 of what was read */
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&t));
	memcpy(vm_io_data(&t), "\x50\0\0\0", 4);
	t.run->immediate_exit = 1;
	ASSERT_EQ(-EINTR, vm_run(&t));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_LAPIC, &l));
	ASSERT_EQ(0x50, (uint8_t)l.regs[0x80]);
	vm_free(&t);
}

GUEST64(sgdt64, "sgdt (%rdi); hlt");

TEST(the_registers_of_a_table_are_ten_bytes)
{
	struct test_vm t;
	uint64_t base;

	if (test_on_kvm())
		SKIP(return, "KVM writes them to memory alone");
	vm_make(&t, false);
	guest_long(&t, sgdt64, sgdt64_end);
	set(&t, 0, G_HOLE, 0);
	ASSERT_EQ(MINIKVM_EXIT_HLT, serve(&t));
	ASSERT_EQ(10, seen.nwritten);
	ASSERT_EQ(0xff, seen.written[0]);
	memcpy(&base, seen.written + 2, 8);
	ASSERT_EQ(G_GDT, base);
	vm_free(&t);
}

/* ---- memory that the VMM has taken away: its mistake, and it may mend it */

static void take_away(struct test_vm *t)
{
	munmap(t->mem + G_DATA, 0x1000);
}

static void give_back(struct test_vm *t)
{
	mmap(t->mem + G_DATA, 0x1000, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

TEST(what_was_read_waits_for_memory_that_is_not_there)
{
	static const struct {
		const uint8_t *code, *end;
		uint64_t rsi;
		const char *data;
	} rows[] = {
		{ insl64, insl64_end, 0, "abcd" },
		{ movsl64, movsl64_end, G_HOLE, "PQRS" },
	};
	struct test_vm t;
	size_t i;

	if (test_on_kvm())
		SKIP(return, "KVM takes such memory for a device");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		vm_make(&t, false);
		guest_long(&t, rows[i].code, rows[i].end);
		set(&t, rows[i].rsi, G_DATA, 0);
		take_away(&t);
		ASSERT_EQ(-EFAULT, serve(&t));
		ASSERT_EQ(1, seen.reads + !!seen.ins);
		ASSERT_EQ(G_CODE, vm_regs(&t).rip);
		ASSERT_EQ(-EFAULT, serve(&t));
		give_back(&t);
		ASSERT_EQ(MINIKVM_EXIT_HLT, serve(&t));
		ASSERT_EQ(0, seen.reads + seen.ins);	/* not asked again */
		ASSERT_EQ(0, memcmp(t.mem + G_DATA, rows[i].data, 4));
		ASSERT_EQ(G_DATA + 4, vm_regs(&t).rdi);
		vm_free(&t);
	}
}

/* Likewise where the processor carries the instruction out, on a copy of a read-only page. */
GUEST64(push64, "push (%rdi); hlt");

TEST(what_the_processor_was_given_waits_likewise)
{
	uint8_t *rom = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	struct minikvm_regs r;
	struct test_vm t;

	if (test_on_kvm())
		SKIP(return, "KVM takes such memory for a device");
	vm_make(&t, false);
	ASSERT_EQ(0, vm_slot(&t, 1, MINIKVM_MEM_READONLY, 0x800000, 0x1000, rom));
	guest_long(&t, push64, push64_end);
	set(&t, 0, G_HOLE, 0);
	r = vm_regs(&t);
	r.rsp = 0x800800;
	vm_set_regs(&t, r);
	mprotect(rom, 0x1000, PROT_NONE);
	ASSERT_EQ(-EFAULT, serve(&t));
	ASSERT_EQ(1, seen.reads);
	ASSERT_EQ(0, seen.writes);
	ASSERT_EQ(G_CODE, vm_regs(&t).rip);
	ASSERT_EQ(-EFAULT, serve(&t));
	mprotect(rom, 0x1000, PROT_READ);
	ASSERT_EQ(MINIKVM_EXIT_HLT, serve(&t));
	ASSERT_EQ(0, seen.reads);
	ASSERT_EQ(0x8007f8, seen.at);
	ASSERT_EQ(0, memcmp(seen.written, "PQRSTUVW", 8));
	vm_free(&t);
}

TEST(nothing_is_sent_from_memory_that_is_not_there)
{
	static const struct { const uint8_t *code, *end; uint64_t rdi; } rows[] = {
		{ outsl64, outsl64_end, 0 },
		{ movsl64, movsl64_end, G_HOLE },
	};
	struct test_vm t;
	size_t i;

	if (test_on_kvm())
		SKIP(return, "KVM takes such memory for a device");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		vm_make(&t, false);
		guest_long(&t, rows[i].code, rows[i].end);
		set(&t, G_DATA, rows[i].rdi, 0);
		take_away(&t);
		ASSERT_EQ(-EFAULT, serve(&t));
		ASSERT_EQ(0, seen.nout + seen.nwritten);
		ASSERT_EQ(G_CODE, vm_regs(&t).rip);
		give_back(&t);
		memcpy(t.mem + G_DATA, "back", 4);
		ASSERT_EQ(MINIKVM_EXIT_HLT, serve(&t));
		ASSERT_EQ(0, memcmp(rows[i].rdi ? seen.written : seen.out, "back", 4));
		vm_free(&t);
	}
}

TEST_HARNESS_MAIN
