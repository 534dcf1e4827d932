// SPDX-License-Identifier: GPL-2.0
/* Claim: every instruction the decoder knows reads and writes a device as the SDM says. */
#include "lib/vm.h"

#define HOLE 0xd0000000ull

GUEST64(movs_out, "mov $0xd0000000, %eax; mov $0x1122334455667788, %rbx;"
	"movb %bl, (%rax); movw %bx, 2(%rax); movl %ebx, 4(%rax); movq %rbx, 8(%rax);"
	"movb %bh, 1(%rax); movl $0x7fffffff, 4(%rax); movq $-2, 8(%rax); hlt");
GUEST64(movs_in, "mov $0xd0000000, %eax; mov $-1, %rbx; mov $-1, %rcx; mov $-1, %rdx; mov $-1, %rsi;"
	"movb (%rax), %bl; movw (%rax), %cx; movl (%rax), %edx; movq (%rax), %rsi; hlt");
GUEST64(extend, "mov $0xd0000000, %eax; movzbl (%rax), %ebx; movzwl (%rax), %ecx;"
	"movsbl (%rax), %edx; movswq (%rax), %rsi; movslq (%rax), %rdi; hlt");
GUEST64(strings, "cld; mov $0xd0000000, %edi; mov $0x40000, %esi; mov $2, %ecx; rep movsl;"
	"mov $0xd0000000, %esi; mov $0x40010, %edi; movsw; mov $0x5a, %al; mov $0xd0000000, %edi;"
	"mov $2, %ecx; rep stosb; hlt");
GUEST64(rmw, "mov $0xd0000000, %eax; mov $0x0f, %ebx; andl %ebx, (%rax); orb $0x80, (%rax);"
	"xorw $0xffff, (%rax); addl $1, (%rax); subl $1, (%rax); notl (%rax); incl (%rax);"
	"lock btsl $4, (%rax); xchgl %ebx, (%rax); hlt");
GUEST64(flags, "mov $0xd0000000, %eax; cmpl $5, (%rax); sete %bl; testb $1, (%rax); setz %bh;"
	"addb $1, (%rax); setc %cl; mov $0xfffffffb, %edx; addl (%rax), %edx; hlt");

GUEST64(rarer, "mov $0xd0000000, %edi; mov $2, %ecx; movbe (%rdi), %ebx; movbe %ebx, 4(%rdi);"
	"negl (%rdi); mov $5, %eax; mov $9, %edx; lock cmpxchgl %edx, (%rdi); setz %bl;"
	"lock cmpxchgl %edx, (%rdi); setz %bh; movl %ebx, 4(%rdi,%rcx,8);"
	"movabs %eax, 0xd0000010; movabs 0xd0000010, %al; hlt");
GUEST64(writes_xmm, "movups %xmm0, (%rax); hlt");
GUEST64(writes_bl, "movb %bl, (%rax); hlt");
GUEST64(writes_cl, "movb %cl, (%rax); hlt");

static uint64_t mmio_value(struct test_vm *t)
{
	uint64_t v = 0;

	memcpy(&v, t->run->mmio.data, t->run->mmio.len);
	return v;
}

#define EXPECT_WRITE(t, off, size, value) do {				\
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(t)) TH_LOG("exit %u", (t)->run->exit_reason); \
	ASSERT_EQ(1, (t)->run->mmio.is_write);				\
	ASSERT_EQ(HOLE + (off), (t)->run->mmio.phys_addr);		\
	ASSERT_EQ(size, (t)->run->mmio.len);				\
	ASSERT_EQ((uint64_t)(value), mmio_value(t));			\
} while (0)

#define EXPECT_READ(t, off, size, value) do {				\
	uint64_t v_ = (value);						\
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(t)) TH_LOG("exit %u", (t)->run->exit_reason); \
	ASSERT_EQ(0, (t)->run->mmio.is_write);				\
	ASSERT_EQ(HOLE + (off), (t)->run->mmio.phys_addr);		\
	ASSERT_EQ(size, (t)->run->mmio.len);				\
	memcpy((t)->run->mmio.data, &v_, 8);				\
} while (0)

TEST(mov_writes_of_all_widths)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, movs_out, movs_out_end);
	EXPECT_WRITE(&t, 0, 1, 0x88);
	EXPECT_WRITE(&t, 2, 2, 0x7788);
	EXPECT_WRITE(&t, 4, 4, 0x55667788);
	EXPECT_WRITE(&t, 8, 8, 0x1122334455667788);
	EXPECT_WRITE(&t, 1, 1, 0x77);
	EXPECT_WRITE(&t, 4, 4, 0x7fffffff);
	EXPECT_WRITE(&t, 8, 8, -2ull);
	EXPECT_HLT(&t);
	vm_free(&t);
}

TEST(mov_reads_of_all_widths)
{
	struct minikvm_regs r;
	struct test_vm t;
	int i;

	vm_make(&t, false);
	guest_long(&t, movs_in, movs_in_end);
	for (i = 0; i < 4; i++)
		EXPECT_READ(&t, 0, 1u << i, 0x8877665544332211);
	EXPECT_HLT(&t);
	r = vm_regs(&t);
	ASSERT_EQ(0xffffffffffffff11, r.rbx);
	ASSERT_EQ(0xffffffffffff2211, r.rcx);
	ASSERT_EQ(0x44332211, r.rdx);
	ASSERT_EQ(0x8877665544332211, r.rsi);
	vm_free(&t);
}

TEST(movzx_and_movsx_extend)
{
	struct minikvm_regs r;
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, extend, extend_end);
	EXPECT_READ(&t, 0, 1, 0x80);
	EXPECT_READ(&t, 0, 2, 0x8001);
	EXPECT_READ(&t, 0, 1, 0x80);
	EXPECT_READ(&t, 0, 2, 0x8001);
	EXPECT_READ(&t, 0, 4, 0x80000001);
	EXPECT_HLT(&t);
	r = vm_regs(&t);
	ASSERT_EQ(0x80, r.rbx);
	ASSERT_EQ(0x8001, r.rcx);
	ASSERT_EQ(0xffffff80, r.rdx);
	ASSERT_EQ(0xffffffffffff8001, r.rsi);
	ASSERT_EQ(0xffffffff80000001, r.rdi);
	vm_free(&t);
}

TEST(string_moves_between_memory_and_device)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, strings, strings_end);
	memcpy(t.mem + G_DATA, "abcdefgh", 8);
	EXPECT_WRITE(&t, 0, 4, 0x64636261);
	EXPECT_WRITE(&t, 4, 4, 0x68676665);
	EXPECT_READ(&t, 0, 2, 0x4241);
	EXPECT_WRITE(&t, 0, 1, 0x5a);
	EXPECT_WRITE(&t, 1, 1, 0x5a);
	EXPECT_HLT(&t);
	ASSERT_EQ(0, memcmp(t.mem + G_DATA + 0x10, "AB", 2));
	vm_free(&t);
}

TEST(read_modify_write_reads_then_writes)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, rmw, rmw_end);
	EXPECT_READ(&t, 0, 4, 0x12345678);
	EXPECT_WRITE(&t, 0, 4, 0x8);
	EXPECT_READ(&t, 0, 1, 0x01);
	EXPECT_WRITE(&t, 0, 1, 0x81);
	EXPECT_READ(&t, 0, 2, 0x1234);
	EXPECT_WRITE(&t, 0, 2, 0xedcb);
	EXPECT_READ(&t, 0, 4, 0xffffffff);
	EXPECT_WRITE(&t, 0, 4, 0);
	EXPECT_READ(&t, 0, 4, 0);
	EXPECT_WRITE(&t, 0, 4, 0xffffffff);
	EXPECT_READ(&t, 0, 4, 0x0f0f0f0f);
	EXPECT_WRITE(&t, 0, 4, 0xf0f0f0f0);
	EXPECT_READ(&t, 0, 4, 7);
	EXPECT_WRITE(&t, 0, 4, 8);
	EXPECT_READ(&t, 0, 4, 1);
	EXPECT_WRITE(&t, 0, 4, 0x11);
	EXPECT_READ(&t, 0, 4, 0x77);
	EXPECT_WRITE(&t, 0, 4, 0x0f);
	EXPECT_HLT(&t);
	ASSERT_EQ(0x77, vm_regs(&t).rbx);
	vm_free(&t);
}

TEST(flags_follow_the_device_s_value)
{
	struct minikvm_regs r;
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, flags, flags_end);
	EXPECT_READ(&t, 0, 4, 5);
	/* KVM may write back what it compared; nothing but reads may come from us. */
	EXPECT_READ(&t, 0, 1, 2);
	EXPECT_READ(&t, 0, 1, 0xff);
	EXPECT_WRITE(&t, 0, 1, 0);
	EXPECT_READ(&t, 0, 4, 6);
	EXPECT_HLT(&t);
	r = vm_regs(&t);
	ASSERT_EQ(0x0101, r.rbx & 0xffff);
	ASSERT_EQ(1, r.rcx & 0xff);
	ASSERT_EQ(1, r.rdx);
	ASSERT_EQ(1, r.rflags & 1);
	vm_free(&t);
}

TEST(rarer_forms_and_operands)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, rarer, rarer_end);
	EXPECT_READ(&t, 0, 4, 0x11223344);	/* MOVBE */
	EXPECT_WRITE(&t, 4, 4, 0x11223344);
	EXPECT_READ(&t, 0, 4, 1);		/* NEG */
	EXPECT_WRITE(&t, 0, 4, 0xffffffff);
	EXPECT_READ(&t, 0, 4, 5);		/* CMPXCHG: equal */
	EXPECT_WRITE(&t, 0, 4, 9);
	EXPECT_READ(&t, 0, 4, 7);		/* not equal: what it was is written */
	EXPECT_WRITE(&t, 0, 4, 7);
	EXPECT_WRITE(&t, 0x14, 4, 0x44330001);
	EXPECT_WRITE(&t, 0x10, 4, 7);
	EXPECT_READ(&t, 0x10, 1, 0xab);
	EXPECT_HLT(&t);
	ASSERT_EQ(0xab, vm_regs(&t).rax);
	vm_free(&t);
}

/* Its bytes end with the page, or go on in the next one. */
TEST(an_instruction_at_the_end_of_a_page)
{
	static const struct { const uint8_t *code, *end; int size; } rows[] = {
		{ writes_bl, writes_bl_end, 1 }, { writes_xmm, writes_xmm_end, 8 },
	};
	struct minikvm_regs r;
	struct test_vm t;
	int i, at;

	for (i = 0; i < 2; i++) {
		vm_make(&t, false);
		guest_long(&t, rows[i].code, rows[i].end);
		for (at = 0x200ffd; at <= 0x200fff; at++) {
			memcpy(t.mem + at, rows[i].code, rows[i].end - rows[i].code);
			r = vm_regs(&t);
			r.rip = at;
			r.rax = HOLE;
			r.rbx = 0;
			vm_set_regs(&t, r);
			EXPECT_WRITE(&t, 0, rows[i].size, 0);
			if (rows[i].size == 8)
				EXPECT_WRITE(&t, 8, 8, 0);
			EXPECT_HLT(&t);
		}
		vm_free(&t);
	}
}

/* One address, two pieces of code, as the guest's tables say at the time. */
TEST(the_instruction_is_the_one_that_the_tables_lead_to)
{
	const uint64_t va = 0x201000;
	struct minikvm_regs r;
	struct minikvm_sregs s;
	struct test_vm t;
	uint64_t *pd;
	int i;

	vm_make(&t, false);
	memcpy(t.mem + va, writes_cl, writes_cl_end - writes_cl);
	guest_long(&t, writes_bl, writes_bl_end);
	pd = (uint64_t *)(t.mem + G_TABLES + 0x2000);
	s = vm_sregs(&t);
	for (i = 0; i < 6; i++) {
		pd[1] = (i & 1 ? 0 : 0x200000) | 0x87;	/* 0x1000: writes_bl */
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_SREGS, &s));
		r = vm_regs(&t);
		r.rip = va;
		r.rax = HOLE;
		r.rbx = 0xb1;
		r.rcx = 0xc1;
		vm_set_regs(&t, r);
		EXPECT_WRITE(&t, 0, 1, i & 1 ? 0xb1 : 0xc1);
		EXPECT_HLT(&t);
	}
	vm_free(&t);
}

/* Which registers a VMM finds at an exit: a write is over, a read is not. */
GUEST64(load, "mov (%rsi), %eax; hlt");
GUEST64(store, "mov %eax, (%rdi); hlt");
GUEST64(store_quad, "mov %rax, (%rdi); hlt");
GUEST64(exchange, "xchg %eax, (%rdi); hlt");
GUEST64(stos, "rep stosl; hlt");
GUEST64(movs, "rep movsl; hlt");

TEST(registers_at_an_exit)
{
	static const struct {
		const char *name;
		const uint8_t *code, *end;
		uint64_t rsi, rdi;
		int exits;
		struct { bool write; int rip, rsi, rdi, rcx; } exit[3];
	} rows[] = {
		{ "load", load, load_end, HOLE, 0, 1, { { 0, 0, 0, 0, 2 } } },
		{ "store", store, store_end, 0, HOLE, 1, { { 1, 2, 0, 0, 2 } } },
		{ "store in two pages", store_quad, store_quad_end, 0, HOLE + 0xffc, 2,
		  { { 1, 3, 0, 0, 2 }, { 1, 3, 0, 0, 2 } } },
		{ "store, half in memory", store_quad, store_quad_end, 0, G_SIZE - 4, 1,
		  { { 1, 3, 0, 0, 2 } } },
		{ "xchg", exchange, exchange_end, 0, HOLE, 2, { { 0, 0, 0, 0, 2 }, { 1, 2, 0, 0, 2 } } },
		{ "rep stos", stos, stos_end, 0, HOLE, 2, { { 1, 0, 0, 4, 1 }, { 1, 2, 0, 8, 0 } } },
		{ "rep movs", movs, movs_end, HOLE + 0x100, HOLE, 3,
		  { { 0, 0, 0, 0, 2 }, { 1, 0, 4, 4, 1 }, { 0, 0, 4, 4, 1 } } },
	};
	struct minikvm_regs r;
	struct test_vm t;
	size_t i;
	int k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		vm_make(&t, false);
		guest_long(&t, rows[i].code, rows[i].end);
		r = vm_regs(&t);
		r.rsi = rows[i].rsi;
		r.rdi = rows[i].rdi;
		r.rcx = 2;
		vm_set_regs(&t, r);
		for (k = 0; k < rows[i].exits; k++) {
			ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&t)) TH_LOG("%s %d", rows[i].name, k);
			EXPECT_EQ(rows[i].exit[k].write, t.run->mmio.is_write);
			r = vm_regs(&t);
			/* KVM lets the guest find out that RCX is 0. */
			if (r.rcx || !test_on_kvm())
				EXPECT_EQ(G_CODE + rows[i].exit[k].rip, r.rip)
					TH_LOG("%s %d", rows[i].name, k);
			EXPECT_EQ(rows[i].rsi + rows[i].exit[k].rsi, r.rsi);
			EXPECT_EQ(rows[i].rdi + rows[i].exit[k].rdi, r.rdi);
			EXPECT_EQ(rows[i].exit[k].rcx, r.rcx);
		}
		vm_free(&t);
	}
}

/* XCHG of 5 and a device, which has been read. */
static void exchange_half_done(struct __test_metadata *_metadata, struct test_vm *t)
{
	struct minikvm_regs r;

	vm_make(t, false);
	guest_long(t, exchange, exchange_end);
	r = vm_regs(t);
	r.rdi = HOLE;
	r.rax = 5;
	vm_set_regs(t, r);
	EXPECT_READ(t, 0, 4, 0x11223344);
}

/* With immediate_exit the instruction that is under way is finished, and no other begun. */
TEST(immediate_exit_finishes_an_instruction)
{
	struct test_vm t;

	exchange_half_done(_metadata, &t);
	t.run->immediate_exit = 1;
	EXPECT_WRITE(&t, 0, 4, 5);
	ASSERT_EQ(0x11223344, vm_regs(&t).rax);
	ASSERT_EQ(-EINTR, vm_run(&t));
	ASSERT_EQ(G_CODE + 2, vm_regs(&t).rip);
	vm_free(&t);
}

/* Most processors set it with the exit; it would keep the next instruction's breakpoint away. */
TEST(rf_is_clear_behind_an_instruction)
{
	enum { RF = 0x10000 };
	struct minikvm_regs r;
	struct test_vm t;

	exchange_half_done(_metadata, &t);
	r = vm_regs(&t);
	r.rflags |= RF;
	vm_set_regs(&t, r);
	t.run->immediate_exit = 1;
	EXPECT_WRITE(&t, 0, 4, 5);
	ASSERT_EQ(-EINTR, vm_run(&t));
	ASSERT_EQ(0, vm_regs(&t).rflags & RF);
	vm_free(&t);
}

TEST_HARNESS_MAIN
