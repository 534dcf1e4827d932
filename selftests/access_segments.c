// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: an operand of an instruction that the kernel carries out is checked against its segment
 * and the form of its address, as the processor does it, a batch of REP INS included.
 */
#include "lib/access.h"

enum { FINE = -1, GP = 13, SS = 12 };
enum { NULL_SEG = 16 };
enum { ES, CS, S_SS, DS, FS, GS };

static struct minikvm_segment *segment(struct minikvm_sregs *s, int seg)
{
	struct minikvm_segment *const all[] = { &s->es, &s->cs, &s->ss, &s->ds, &s->fs, &s->gs };

	return all[seg];
}

struct seg_row {
	const char *name;
	const uint8_t *code, *end;
	int seg, type, big;
	uint32_t limit;
	uint64_t rsi, rdi;
	int vector;
	uint64_t at;		/* if FINE: the offset of the byte that is read or written */
};

/* The segment begins at G_DATA; CS and SS stay where they are. */
static const struct seg_row seg_rows[] = {
	{ "ins", ins32, ins32_end, ES, 3, 1, 0xfff, 0, 0xfff, FINE, 0xfff },
	{ "ins limit", ins32, ins32_end, ES, 3, 1, 0xfff, 0, 0x1000, GP, 0 },
	{ "ins limit, second half", insl32, insl32_end, ES, 3, 1, 0xfff, 0, 0xffd, GP, 0 },
	{ "ins read-only", ins32, ins32_end, ES, 1, 1, 0xfff, 0, 0, GP, 0 },
	{ "ins null", ins32, ins32_end, ES, NULL_SEG, 1, 0xfff, 0, 0, GP, 0 },
	{ "ins code", ins32, ins32_end, ES, 11, 1, 0xfff, 0, 0, GP, 0 },
	{ "ins di", ins_di32, ins_di32_end, ES, 3, 1, 0xffff, 0, 0x10fff, FINE, 0xfff },
	{ "ins down, below", ins32, ins32_end, ES, 7, 1, 0xfff, 0, 0xfff, GP, 0 },
	{ "ins down", ins32, ins32_end, ES, 7, 1, 0xfff, 0, 0x1000, FINE, 0x1000 },
	{ "ins down 16", ins32, ins32_end, ES, 7, 0, 0xfff, 0, 0xffff, FINE, 0xffff },
	{ "ins down 16, above", ins32, ins32_end, ES, 7, 0, 0xfff, 0, 0x10000, GP, 0 },
	{ "outs", outs32, outs32_end, DS, 1, 1, 0xfff, 0xfff, 0, FINE, 0xfff },
	{ "outs limit", outs32, outs32_end, DS, 3, 1, 0xfff, 0x1000, 0, GP, 0 },
	{ "outs null", outs32, outs32_end, DS, NULL_SEG, 1, 0xfff, 0, 0, GP, 0 },
	{ "outs down", outs32, outs32_end, DS, 5, 1, 0xfff, 0x800, 0, GP, 0 },
	{ "outs readable code", outs32, outs32_end, DS, 11, 1, 0xfff, 0x123, 0, FINE, 0x123 },
	{ "outs fs", outs_fs32, outs_fs32_end, FS, 3, 1, 0xfff, 0x10, 0, FINE, 0x10 },
	{ "outs fs limit", outs_fs32, outs_fs32_end, FS, 3, 1, 0xfff, 0x1010, 0, GP, 0 },
	{ "outs gs null", outs_gs32, outs_gs32_end, GS, NULL_SEG, 1, 0xfff, 0, 0, GP, 0 },
	{ "outs unreadable code", outs_cs32, outs_cs32_end, CS, 9, 1, 0xffff, 0, 0, GP, 0 },
	{ "outs cs limit", outs_cs32, outs_cs32_end, CS, 11, 1, 0xffff, 0x10000, 0, GP, 0 },
	{ "outs ss limit", outs_ss32, outs_ss32_end, S_SS, 3, 1, 0xffff, 0x10000, 0, SS, 0 },
	{ "movs from", movs32, movs32_end, DS, 3, 1, 0xfff, 0x1000, G_HOLE, GP, 0 },
	{ "movs to limit", movs32, movs32_end, ES, 3, 1, 0xfff, G_HOLE, 0x1000, GP, 0 },
	{ "movs to, second half", movsl32, movsl32_end, ES, 3, 1, 0xfff, G_HOLE, 0xffe, GP, 0 },
	{ "movs to read-only", movs32, movs32_end, ES, 1, 1, 0xfff, G_HOLE, 0, GP, 0 },
	{ "movs to null", movs32, movs32_end, ES, NULL_SEG, 1, 0xfff, G_HOLE, 0, GP, 0 },
	{ "movs to", movs32, movs32_end, ES, 3, 1, 0xfff, G_HOLE, 0xfff, FINE, 0xfff },
};

TEST(segments_are_checked)
{
	const struct seg_row *row = seg_rows;
	struct minikvm_segment *seg;
	struct minikvm_sregs s;
	struct test_vm t;
	int ret;

	for (; row < seg_rows + sizeof(seg_rows) / sizeof(seg_rows[0]); row++) {
		vm_make(&t, false);
		guest_protected(&t, row->code, row->end);
		s = vm_sregs(&t);
		seg = segment(&s, row->seg);
		if (row->seg != CS && row->seg != S_SS)
			seg->base = G_DATA;
		seg->limit = row->limit;
		seg->g = 0;
		seg->db = row->big;
		if (row->type == NULL_SEG) {
			seg->unusable = 1;
			seg->present = seg->selector = 0;
		} else {
			seg->type = row->type;
		}
		set_sregs(&t, &s);
		set(&t, row->rsi, row->rdi, 0);
		memset(t.mem + G_DATA, 'z', 0x20000);
		ret = serve(&t);
		EXPECT_EQ(row->vector, exception(&t, ret)) TH_LOG("%s: exit %d", row->name, ret);
		if (row->vector == FINE) {
			EXPECT_EQ(MINIKVM_EXIT_HLT, ret) TH_LOG("%s", row->name);
			if (row->rdi && row->rsi < G_HOLE)
				EXPECT_EQ('a', t.mem[G_DATA + row->at]) TH_LOG("%s", row->name);
			if (!row->rdi)
				EXPECT_EQ('z', seen.out[0]) TH_LOG("%s", row->name);
		} else {
			/* error code 0; nothing was written */
			EXPECT_EQ(0, *(uint32_t *)(t.mem + vm_regs(&t).rsp));
			EXPECT_EQ(NULL, memchr(t.mem + G_DATA, 'a', 0x20000)) TH_LOG("%s", row->name);
			EXPECT_EQ(0, seen.nout);
		}
		vm_free(&t);
	}
}

TEST(in_64_bit_mode_addresses_are_canonical_and_segments_have_no_limits)
{
	static const struct {
		const char *name;
		const uint8_t *code, *end;
		uint64_t rsi, rdi;
		int vector;
		bool not_kvm;		/* it looks at the first byte alone */
	} rows[] = {
		{ "ins", ins64, ins64_end, 0, 1ull << 47, GP },
		{ "outs", outs64, outs64_end, 0xffff7fffffffffff, 0, GP },
		{ "movs to", movs64, movs64_end, G_HOLE, 1ull << 60, GP },
		{ "ins, last bytes", insl64, insl64_end, 0, (1ull << 47) - 2, GP, true },
		{ "ins through a null segment", ins64, ins64_end, 0, G_DATA, FINE },
		{ "outs fs", outs_fs64, outs_fs64_end, 0x10, 0, FINE },
		{ "outs fs, not canonical", outs_fs64, outs_fs64_end, 1ull << 47, 0, GP },
	};
	struct minikvm_sregs s;
	struct test_vm t;
	size_t i;
	int ret;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].not_kvm && test_on_kvm())
			continue;
		vm_make(&t, false);
		guest_long(&t, rows[i].code, rows[i].end);
		s = vm_sregs(&t);
		s.fs.base = G_DATA;
		s.fs.limit = s.fs.g = 0;
		s.es.unusable = 1;
		s.es.present = s.es.selector = 0;
		set_sregs(&t, &s);
		set(&t, rows[i].rsi, rows[i].rdi, 0);
		t.mem[G_DATA + 0x10] = 'f';
		ret = serve(&t);
		EXPECT_EQ(rows[i].vector, exception(&t, ret)) TH_LOG("%s: exit %d", rows[i].name, ret);
		if (rows[i].vector == FINE)
			EXPECT_EQ(MINIKVM_EXIT_HLT, ret) TH_LOG("%s", rows[i].name);
		if (rows[i].code == outs_fs64 && rows[i].vector == FINE)
			EXPECT_EQ('f', seen.out[0]);
		vm_free(&t);
	}
}

/* ---- batches of REP INS follow the offset */

TEST(offsets_wrap_at_64_kib)
{
	static const struct { uint64_t base; } rows[] = { { 0x40000 }, { 0x40010 }, { 0x40ffe } };
	struct minikvm_sregs s;
	struct test_vm t;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		vm_make(&t, false);
		guest_real(&t, rep_ins16, rep_ins16_end);
		s = vm_sregs(&t);
		s.es.base = rows[i].base;
		s.es.selector = rows[i].base >> 4;
		set_sregs(&t, &s);
		set(&t, 0, 0xfffe, 5);
		ASSERT_EQ(MINIKVM_EXIT_HLT, serve(&t));
		EXPECT_EQ(0, memcmp(t.mem + rows[i].base + 0xfffe, "ab\0", 3));
		EXPECT_EQ(0, memcmp(t.mem + rows[i].base, "cde", 4));
		EXPECT_EQ(3, vm_regs(&t).rdi);
		EXPECT_EQ(0, vm_regs(&t).rcx);
		vm_free(&t);
	}
}

TEST(rep_outs_wraps_too)
{
	struct minikvm_sregs s;
	struct test_vm t;

	vm_make(&t, false);
	guest_real(&t, rep_outs16, rep_outs16_end);
	s = vm_sregs(&t);
	s.ds.base = 0x40010;
	set_sregs(&t, &s);
	memcpy(t.mem + 0x40010 + 0xffff, "x", 1);
	memcpy(t.mem + 0x40010, "yz", 2);
	set(&t, 0xffff, 0, 3);
	ASSERT_EQ(MINIKVM_EXIT_HLT, serve(&t));
	ASSERT_EQ(0, memcmp(seen.out, "xyz", 3));
	ASSERT_EQ(2, vm_regs(&t).rsi);
	vm_free(&t);
}

/* KVM reads all four values and then writes none. */
TEST(a_batch_ends_at_the_limit)
{
	struct minikvm_sregs s;
	struct minikvm_regs r;
	struct test_vm t;

	if (test_on_kvm())
		SKIP(return, "KVM checks a batch as one operand");
	vm_make(&t, false);
	guest_protected(&t, rep_ins32, rep_ins32_end);
	s = vm_sregs(&t);
	s.es.base = G_DATA;
	s.es.limit = 0x1801;
	s.es.g = 0;
	set_sregs(&t, &s);
	set(&t, 0, 0x1800, 4);
	ASSERT_EQ(13, exception(&t, serve(&t)));
	ASSERT_EQ(2, seen.ins);
	ASSERT_EQ(0, memcmp(t.mem + G_DATA + 0x1800, "ab\0", 3));
	r = vm_regs(&t);
	ASSERT_EQ(2, r.rcx);
	ASSERT_EQ(0x1802, r.rdi);
	vm_free(&t);
}

/* KVM steps over the whole batch. */
TEST(a_single_step_ends_each_iteration)
{
	struct test_vm t;

	if (test_on_kvm())
		SKIP(return, "KVM steps over the whole batch");
	vm_make(&t, false);
	guest_long(&t, step_ins, step_ins_end);
	set(&t, 0, G_DATA, 3);
	ASSERT_EQ(1, exception(&t, serve(&t)));
	ASSERT_EQ(2, vm_regs(&t).rcx);
	ASSERT_EQ('a', t.mem[G_DATA]);
	/* The return address is the instruction's, whose last three bytes are: f3 6c f4. */
	ASSERT_EQ(G_CODE + (step_ins_end - step_ins) - 3, *entry(&t, vm_regs(&t).rsp));
	vm_free(&t);
}

GUEST32(load_fs32, "mov %eax, %fs; hlt");

/* Nobody reads a descriptor from a device: the VMM is told, and the guest gets #UD. */
TEST(a_descriptor_is_in_memory)
{
	struct minikvm_sregs s;
	struct minikvm_regs r;
	struct test_vm t;

	if (test_on_kvm())
		SKIP(return, "KVM says so in another way");
	vm_make(&t, false);
	guest_protected(&t, load_fs32, load_fs32_end);
	s = vm_sregs(&t);
	s.gdt.base = G_HOLE;
	set_sregs(&t, &s);
	r = vm_regs(&t);
	r.rax = 16;
	vm_set_regs(&t, r);
	ASSERT_EQ(MINIKVM_EXIT_INTERNAL_ERROR, vm_run(&t));
	ASSERT_EQ(MINIKVM_INTERNAL_ERROR_EMULATION, t.run->internal.suberror);
	ASSERT_EQ(G_CODE, vm_regs(&t).rip);
	s.gdt.base = G_GDT;
	set_sregs(&t, &s);
	EXPECT_OUT(&t, PORT_EXCEPTION, 6);
	vm_free(&t);
}

TEST_HARNESS_MAIN
