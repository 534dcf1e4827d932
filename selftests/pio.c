// SPDX-License-Identifier: GPL-2.0
/* Claim: each form of port I/O, string and REP forms included, reaches the VMM as KVM's ABI says. */
#include "lib/vm.h"

GUEST16(outs_all, "mov $0x1234, %dx; mov $0x11223344, %eax; out %al, %dx; out %ax, %dx; out %eax, %dx; out %al, $0x80; hlt");
GUEST16(ins_all, "mov $0x1234, %dx; mov $0x55667788, %eax; in %dx, %al; mov %eax, %ebx; in %dx, %ax; mov %eax, %ecx; in %dx, %eax; hlt");
GUEST16(rep_outs, "cld; mov $0x7000, %si; mov $3, %cx; mov $0x1234, %dx; rep outsb; hlt");
GUEST16(rep_ins, "cld; mov $0x7000, %di; mov $5, %cx; mov $0x1234, %dx; rep insb; hlt");
GUEST16(ins_down, "std; mov $0x7002, %di; mov $2, %cx; mov $0x1234, %dx; rep insw; hlt");

TEST(out_gives_size_port_and_value)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_real(&t, outs_all, outs_all_end);
	EXPECT_OUT(&t, 0x1234, 0x44);
	ASSERT_EQ(1, t.run->io.size);
	EXPECT_OUT(&t, 0x1234, 0x3344);
	EXPECT_OUT(&t, 0x1234, 0x11223344);
	ASSERT_EQ(4, t.run->io.size);
	EXPECT_OUT(&t, 0x80, 0x44);
	ASSERT_EQ(4096, t.run->io.data_offset);
	EXPECT_HLT(&t);
	vm_free(&t);
}

TEST(in_changes_only_what_its_size_covers)
{
	struct minikvm_regs r;
	struct test_vm t;
	int i;

	vm_make(&t, false);
	guest_real(&t, ins_all, ins_all_end);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&t));
		ASSERT_EQ(MINIKVM_EXIT_IO_IN, t.run->io.direction);
		ASSERT_EQ(1 << i, t.run->io.size);
		memcpy(vm_io_data(&t), "\xaa\xbb\xcc\xdd", 4);
	}
	EXPECT_HLT(&t);
	r = vm_regs(&t);
	ASSERT_EQ(0x556677aa, r.rbx);
	ASSERT_EQ(0x5566bbaa, r.rcx);
	ASSERT_EQ(0xddccbbaa, r.rax);
	vm_free(&t);
}

TEST(rep_outs_exits_once_a_value)
{
	struct test_vm t;
	int i;

	vm_make(&t, false);
	guest_real(&t, rep_outs, rep_outs_end);
	memcpy(t.mem + 0x7000, "abc", 3);
	for (i = 0; i < 3; i++) {
		EXPECT_OUT(&t, 0x1234, "abc"[i]);
		ASSERT_EQ(1, t.run->io.count);
	}
	EXPECT_HLT(&t);
	ASSERT_EQ(0x7003, vm_regs(&t).rsi);
	ASSERT_EQ(0, vm_regs(&t).rcx);
	vm_free(&t);
}

TEST(rep_ins_fills_memory)
{
	struct test_vm t;
	int done = 0;

	vm_make(&t, false);
	guest_real(&t, rep_ins, rep_ins_end);
	while (vm_run(&t) == MINIKVM_EXIT_IO) {
		uint32_t i;

		for (i = 0; i < t.run->io.count; i++)
			((uint8_t *)vm_io_data(&t))[i] = 'a' + done++;
	}
	ASSERT_EQ(MINIKVM_EXIT_HLT, t.run->exit_reason);
	ASSERT_EQ(5, done);
	ASSERT_EQ(0, memcmp(t.mem + 0x7000, "abcde", 6));
	ASSERT_EQ(0x7005, vm_regs(&t).rdi);
	vm_free(&t);
}

TEST(ins_goes_down_when_df_is_set)
{
	struct test_vm t;
	uint16_t v = 0x1111;

	vm_make(&t, false);
	guest_real(&t, ins_down, ins_down_end);
	while (vm_run(&t) == MINIKVM_EXIT_IO) {
		uint32_t i;

		for (i = 0; i < t.run->io.count; i++, v += 0x1111)
			memcpy((uint8_t *)vm_io_data(&t) + 2 * i, &v, 2);
	}
	ASSERT_EQ(MINIKVM_EXIT_HLT, t.run->exit_reason);
	ASSERT_EQ(0, memcmp(t.mem + 0x7000, "\x22\x22\x11\x11", 4));
	vm_free(&t);
}

/* Which registers a VMM finds at an exit: those before the instruction, or behind it. */
GUEST16(outs_then_more, "cld; outsb; hlt");
GUEST16(rep_outs_once, "cld; rep outsb; hlt");
GUEST16(in_once, "cld; in %dx, %al; hlt");
GUEST16(out_once, "cld; out %al, %dx; hlt");
GUEST16(out_7e, "cld; out %al, $0x7e; hlt");
GUEST16(in_7e, "cld; in $0x7e, %al; hlt");
GUEST16(ins_once, "cld; insb; hlt");

TEST(registers_at_an_exit)
{
	static const struct {
		const char *name;
		const uint8_t *code, *end;
		int behind;		/* bytes that RIP has moved since CLD */
		int rsi, rdi, rcx;	/* what became of 0x7000, 0x7000, 2 */
		int behind_after;	/* when nothing is left to do */
	} rows[] = {
		{ "out", out_once, out_once_end, 0, 0x7000, 0x7000, 2, 1 },
		{ "in", in_once, in_once_end, 0, 0x7000, 0x7000, 2, 1 },
		{ "out 7e", out_7e, out_7e_end, 2, 0x7000, 0x7000, 2, 2 },
		{ "in 7e", in_7e, in_7e_end, 0, 0x7000, 0x7000, 2, 2 },
		{ "outs", outs_then_more, outs_then_more_end, 1, 0x7001, 0x7000, 2, 1 },
		{ "rep outs", rep_outs_once, rep_outs_once_end, 0, 0x7001, 0x7000, 1, 0 },
		{ "ins", ins_once, ins_once_end, 0, 0x7000, 0x7000, 2, 1 },
	};
	struct minikvm_regs r;
	struct test_vm t;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		vm_make(&t, false);
		guest_real(&t, rows[i].code, rows[i].end);
		r = vm_regs(&t);
		r.rsi = r.rdi = 0x7000;
		r.rcx = 2;
		r.rdx = 0x1234;
		vm_set_regs(&t, r);
		ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&t));
		r = vm_regs(&t);
		EXPECT_EQ(G_CODE + 1 + rows[i].behind, r.rip) TH_LOG("%s", rows[i].name);
		EXPECT_EQ(rows[i].rsi, r.rsi) TH_LOG("%s", rows[i].name);
		EXPECT_EQ(rows[i].rdi, r.rdi) TH_LOG("%s", rows[i].name);
		EXPECT_EQ(rows[i].rcx, r.rcx) TH_LOG("%s", rows[i].name);
		t.run->immediate_exit = 1;
		ASSERT_EQ(-EINTR, vm_run(&t));
		EXPECT_EQ(G_CODE + 1 + rows[i].behind_after, vm_regs(&t).rip)
			TH_LOG("%s", rows[i].name);
		vm_free(&t);
	}
}

TEST(a_new_rip_drops_what_waited)
{
	struct minikvm_regs r;
	struct test_vm t;

	vm_make(&t, false);
	guest_real(&t, ins_all, ins_all_end);
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&t));
	r = vm_regs(&t);
	r.rax = 0x1234;
	r.rip = G_STUBS;	/* a stub: an OUT of its own, with RIP at its first byte */
	vm_set_regs(&t, r);
	EXPECT_OUT(&t, PORT_EXCEPTION, 0);
	ASSERT_EQ(0x1200, vm_regs(&t).rax);	/* the stub's MOV, not the IN */
	vm_free(&t);
}

TEST_HARNESS_MAIN
