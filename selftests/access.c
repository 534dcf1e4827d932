// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: an access that the kernel makes for an instruction is the processor's: the segment
 * and the form of the address are checked, the guest's page tables get their flags, and the
 * operand may be memory, a chip, a device of the VMM's, or half of each; nothing is lost.
 */
#include "lib/vm.h"

#define PORT	0x1234
#define WINDOW	0x40000000ull	/* G_DATA once more, through tables of its own */
enum { PDPT = G_TABLES + 0x1000, PD = G_TABLES + 0x6000, PT = G_TABLES + 0x7000 };
enum { A = 0x20, D = 0x40 };
#define GB	(1ull << 30)

/* The registers come from the host. */
GUEST64(ins64, "insb; hlt");
GUEST64(outs64, "outsb; hlt");
GUEST64(movs64, "movsb; hlt");
GUEST64(insl64, "insl; hlt");
GUEST64(outsl64, "outsl; hlt");
GUEST64(movsl64, "movsl; hlt");
GUEST64(rep_ins64, "rep insb; hlt");
GUEST64(outs_fs64, "outsb %fs:(%rsi), %dx; hlt");
GUEST64(incb64, "incb (%rdi); hlt");
GUEST64(wrpkru, "push %rdx; xor %ecx, %ecx; xor %edx, %edx; mov $0xc, %eax; .byte 0x0f, 0x01, 0xef;"
	"pop %rdx; insb; hlt");
GUEST64(step_ins, "pushf; orl $0x100, (%rsp); popf; rep insb; hlt");

GUEST32(ins32, "insb; hlt");
GUEST32(insl32, "insl; hlt");
GUEST32(ins_di32, "addr16 insb; hlt");
GUEST32(outs32, "outsb; hlt");
GUEST32(outs_ss32, "outsb %ss:(%esi), %dx; hlt");
GUEST32(outs_cs32, "outsb %cs:(%esi), %dx; hlt");
GUEST32(outs_fs32, "outsb %fs:(%esi), %dx; hlt");
GUEST32(outs_gs32, "outsb %gs:(%esi), %dx; hlt");
GUEST32(movs32, "movsb; hlt");
GUEST32(movsl32, "movsl; hlt");
GUEST32(rep_ins32, "rep insb; hlt");
GUEST16(rep_ins16, "rep insb; hlt");
GUEST16(rep_outs16, "rep outsb; hlt");

static void set(struct test_vm *t, uint64_t rsi, uint64_t rdi, uint64_t rcx)
{
	struct minikvm_regs r = vm_regs(t);

	r.rsi = rsi;
	r.rdi = rdi;
	r.rcx = rcx;
	r.rdx = PORT;
	vm_set_regs(t, r);
}

static void set_sregs(struct test_vm *t, struct minikvm_sregs *s)
{
	if (ioctl(t->vcpu, MINIKVM_SET_SREGS, s))
		abort();
}

/* What the devices have seen. */
static struct {
	int ins, outs, reads, writes;
	uint8_t out[16], written[16];
	int nout, nwritten;
	uint64_t at;		/* of the last access to memory */
} seen;

static void serve_io(struct test_vm *t)
{
	uint8_t *data = vm_io_data(t);
	uint32_t i, n = t->run->io.size * t->run->io.count;

	for (i = 0; i < n; i++) {
		if (t->run->io.direction == MINIKVM_EXIT_IO_IN)
			data[i] = 'a' + seen.ins++;
		else if (seen.nout < 16)
			seen.out[seen.nout++] = data[i];
	}
	seen.outs += t->run->io.direction == MINIKVM_EXIT_IO_OUT;
}

static void serve_mmio(struct test_vm *t)
{
	seen.at = t->run->mmio.phys_addr;
	if (!t->run->mmio.is_write) {
		memcpy(t->run->mmio.data, "PQRSTUVW", 8);
		seen.reads++;
		return;
	}
	seen.writes++;
	memcpy(seen.written + seen.nwritten, t->run->mmio.data, t->run->mmio.len);
	seen.nwritten += t->run->mmio.len;
}

/* RUN, and play the devices, to an exit that is none of theirs. */
static int serve(struct test_vm *t)
{
	int ret, i;

	memset(&seen, 0, sizeof(seen));
	for (i = 0; i < 40; i++) {
		ret = vm_run(t);
		if (ret == MINIKVM_EXIT_IO && t->run->io.port == PORT)
			serve_io(t);
		else if (ret == MINIKVM_EXIT_MMIO)
			serve_mmio(t);
		else
			break;
	}
	return ret;
}

/* The vector that a stub has said, or -1. */
static int exception(struct test_vm *t, int ret)
{
	if (ret != MINIKVM_EXIT_IO || t->run->io.port != PORT_EXCEPTION)
		return -1;
	return *(uint8_t *)vm_io_data(t);
}

static uint64_t *entry(struct test_vm *t, uint64_t at)
{
	return (uint64_t *)(t->mem + at);
}

/* Long mode, with G_DATA at WINDOW, too: nobody else uses the entries that lead there. */
static void with_window(struct test_vm *t, const uint8_t *code, const uint8_t *end)
{
	guest_long(t, code, end);
	*entry(t, PDPT + 8) = PD | 7;
	*entry(t, PD) = PT | 7;
	*entry(t, PT) = G_DATA | 7;
}

/* ---- the guest's page tables */

TEST(accessed_and_dirty_are_set_as_by_the_processor)
{
	static const struct {
		const uint8_t *code, *end;
		uint64_t rsi, rdi, leaf;
	} rows[] = {
		{ ins64, ins64_end, 0, WINDOW, A | D },
		{ outs64, outs64_end, WINDOW, 0, A },
		{ movs64, movs64_end, WINDOW, G_HOLE, A },
		{ movs64, movs64_end, G_HOLE, WINDOW, A | D },
	};
	struct test_vm t;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		vm_make(&t, false);
		with_window(&t, rows[i].code, rows[i].end);
		set(&t, rows[i].rsi, rows[i].rdi, 0);
		ASSERT_EQ(MINIKVM_EXIT_HLT, serve(&t));
		EXPECT_EQ(A, *entry(&t, PDPT + 8) & (A | D));
		EXPECT_EQ(A, *entry(&t, PD) & (A | D));
		EXPECT_EQ(rows[i].leaf, *entry(&t, PT) & (A | D)) TH_LOG("row %zu", i);
		vm_free(&t);
	}
}

TEST(each_paging_mode_has_its_flags)
{
	static const struct { uint64_t cr4, linear, leaf; int size; } rows[] = {
		{ 0, 0x440000, PT + 0x40 * 4, 4 },
		{ 0x10, 0x440000, PD + 4, 4 },		/* PSE */
		{ 0x20, 0x240000, PT + 8, 8 },		/* PAE */
	};
	struct minikvm_sregs s;
	struct test_vm t;
	uint64_t e = 0;
	size_t i, k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		vm_make(&t, false);
		guest_protected(&t, ins32, ins32_end);
		if (rows[i].cr4 == 0x20) {	/* two pages of 2 MiB, both are the first 2 MiB */
			*entry(&t, PD) = PT | 1;
			*entry(&t, PT) = *entry(&t, PT + 8) = 0x87;
		} else {			/* the first 4 MiB, twice */
			((uint32_t *)(t.mem + PD))[0] = 0x87;
			((uint32_t *)(t.mem + PD))[1] = rows[i].cr4 ? 0x87 : PT | 7;
			if (!rows[i].cr4)
				((uint32_t *)(t.mem + PD))[0] = (PT + 0x1000) | 7;
			for (k = 0; k < 1024 && !rows[i].cr4; k++)
				((uint32_t *)(t.mem + PT))[k] =
				((uint32_t *)(t.mem + PT + 0x1000))[k] = k << 12 | 7;
		}
		s = vm_sregs(&t);
		s.cr0 |= 0x80000000;
		s.cr3 = PD;
		s.cr4 = rows[i].cr4;
		set_sregs(&t, &s);
		set(&t, 0, rows[i].linear, 0);
		ASSERT_EQ(MINIKVM_EXIT_HLT, serve(&t)) TH_LOG("row %zu", i);
		EXPECT_EQ('a', t.mem[G_DATA]);
		memcpy(&e, t.mem + rows[i].leaf, rows[i].size);
		EXPECT_EQ(A | D, e & (A | D)) TH_LOG("row %zu", i);
		if (rows[i].size == 8)
			EXPECT_EQ(PT | 1, *entry(&t, PD));	/* PDPTEs have no flags */
		vm_free(&t);
	}
}

TEST(tables_in_a_read_only_slot_stay_as_they_are)
{
	uint64_t *rom = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
	struct test_vm t;

	vm_make(&t, false);
	with_window(&t, ins64, ins64_end);
	rom[0] = G_DATA | 7;
	ASSERT_EQ(0, vm_slot(&t, 1, MINIKVM_MEM_READONLY, 0x800000, 0x1000, rom));
	*entry(&t, PD) = 0x800000 | 7;
	set(&t, 0, WINDOW, 0);
	ASSERT_EQ(MINIKVM_EXIT_HLT, serve(&t));
	ASSERT_EQ('a', t.mem[G_DATA]);
	ASSERT_EQ(G_DATA | 7, rom[0]);
	ASSERT_EQ(A, *entry(&t, PD) & (A | D));
	vm_free(&t);
}

TEST(the_dirty_log_names_the_table_that_got_flags)
{
	uint64_t *p = mmap(NULL, 0x4000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0), bits = 0;
	struct minikvm_dirty_log log = { .slot = 1, .dirty_bitmap = &bits };
	struct test_vm t;

	vm_make(&t, false);
	with_window(&t, outs64, outs64_end);
	p[2 * 512] = G_DATA | 7;
	ASSERT_EQ(0, vm_slot(&t, 1, MINIKVM_MEM_LOG_DIRTY_PAGES, 0x800000, 0x4000, p));
	*entry(&t, PD) = 0x802000 | 7;
	set(&t, WINDOW, 0, 0);
	ASSERT_EQ(MINIKVM_EXIT_HLT, serve(&t));
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_GET_DIRTY_LOG, &log));
	ASSERT_EQ(1 << 2, bits);
	vm_free(&t);
}

TEST(a_read_modify_write_faults_as_a_write)
{
	struct test_vm t;

	vm_make(&t, false);
	with_window(&t, incb64, incb64_end);
	*entry(&t, PD) = 0xd0000087ull;	/* 2 MiB of the hole */
	*entry(&t, PD + 8) = PT | 7;
	*entry(&t, PT) = 0;
	/* The word crosses from the hole into a page that is not there. */
	t.mem[G_CODE] = 0xff;		/* incl (%rdi) */
	t.mem[G_CODE + 1] = 0x07;
	set(&t, 0, WINDOW + 0x1ffffe, 0);
	ASSERT_EQ(14, exception(&t, serve(&t)));
	ASSERT_EQ(2, *entry(&t, vm_regs(&t).rsp));	/* error code: a write, not present */
	ASSERT_EQ(WINDOW + 0x200000, vm_sregs(&t).cr2);
	vm_free(&t);
}

static bool has_pku(struct test_vm *t)
{
	struct { struct minikvm_cpuid2 head; struct minikvm_cpuid_entry2 e[100]; } c = {
		.head = { .nent = 100 },
	};
	uint32_t i;

	if (ioctl(t->dev, MINIKVM_GET_SUPPORTED_CPUID, &c))
		return false;
	for (i = 0; i < c.head.nent; i++)
		if (c.e[i].function == 7 && !c.e[i].index)
			return c.e[i].ecx & 8;
	return false;
}

TEST(protection_keys_are_looked_at)
{
	struct minikvm_sregs s;
	struct test_vm t;

	vm_make(&t, false);
	if (!has_pku(&t))
		SKIP(return, "no protection keys");
	with_window(&t, wrpkru, wrpkru_end);
	*entry(&t, PT) |= 1ull << 59;	/* key 1 */
	s = vm_sregs(&t);
	s.cr4 |= 1 << 22;
	set_sregs(&t, &s);
	set(&t, 0, WINDOW, 0);
	ASSERT_EQ(14, exception(&t, serve(&t)));
	ASSERT_EQ(0x23, *entry(&t, vm_regs(&t).rsp));	/* key, write, present */
	ASSERT_EQ(0, t.mem[G_DATA]);
	vm_free(&t);
}

/* ---- segments */

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

/* ---- TRANSLATE: the same walk */

TEST(only_what_is_a_linear_address_is_translated)
{
	static const struct { int mode; uint64_t addr, gpa; int valid; bool not_kvm; } rows[] = {
		{ 64, WINDOW + 0x123, G_DATA + 0x123, 1, false },
		{ 64, G_DATA, G_DATA, 1, false },
		{ 64, 0xffff800000000000, 0, 0, false },
		{ 64, 0x0000800000000000, 0, 0, true },
		{ 64, 0x0001000000040000, 0, 0, true },
		{ 64, 0xffff000000040000, 0, 0, true },
		{ 64, 0x8000000000040000, 0, 0, true },
		{ 32, 0xfffffff0, 0xfffffff0, 1, false },
		{ 32, 0x100040000, 0x100040000, 1, false },
	};
	struct minikvm_translation tr;
	struct test_vm t;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].not_kvm && test_on_kvm())
			continue;
		vm_make(&t, false);
		if (rows[i].mode == 64)
			with_window(&t, ins64, ins64_end);
		else
			guest_protected(&t, ins32, ins32_end);
		tr = (struct minikvm_translation) { .linear_address = rows[i].addr };
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_TRANSLATE, &tr));
		EXPECT_EQ(rows[i].valid, tr.valid) TH_LOG("row %zu", i);
		if (rows[i].valid)
			EXPECT_EQ(rows[i].gpa, tr.physical_address) TH_LOG("row %zu", i);
		/* To ask is not to access; KVM sets the flag. */
		if (!test_on_kvm() && rows[i].mode == 64)
			EXPECT_EQ(0, *entry(&t, PT) & (A | D));
		vm_free(&t);
	}
}

TEST_HARNESS_MAIN
