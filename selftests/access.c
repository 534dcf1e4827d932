// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: an access that the kernel makes for an instruction goes through the guest's page
 * tables as the processor's would: they get their flags, and their faults are the guest's.
 */
#include "lib/access.h"

/* ---- the guest's page tables */

GUEST64(load64, "movups (%rdi), %xmm0; hlt");

/* The code from its beginning, with translations that are new. */
static int again(struct test_vm *t)
{
	struct minikvm_sregs s = vm_sregs(t);
	struct minikvm_regs r = vm_regs(t);

	r.rip = G_CODE;
	vm_set_regs(t, r);
	set_sregs(t, &s);
	return serve(t);
}

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

/* The slot's own memory is away: that is no access by the guest to a device. */
TEST(tables_in_a_read_only_slot_without_memory_are_efault)
{
	uint64_t *rom = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
	struct test_vm t;

	if (test_on_kvm())
		SKIP(return, "KVM's way out of it is another");
	vm_make(&t, false);
	with_window(&t, load64, load64_end);
	rom[0] = G_DATA | 7;
	ASSERT_EQ(0, vm_slot(&t, 1, MINIKVM_MEM_READONLY, 0x800000, 0x1000, rom));
	*entry(&t, PD) = 0x800000 | 7;
	set(&t, 0, WINDOW, 0);
	mprotect(rom, 0x1000, PROT_NONE);
	ASSERT_EQ(-EFAULT, serve(&t));
	ASSERT_EQ(G_CODE, vm_regs(&t).rip);
	mprotect(rom, 0x1000, PROT_READ | PROT_WRITE);
	ASSERT_EQ(MINIKVM_EXIT_HLT, serve(&t));
	ASSERT_EQ(G_DATA | 7, rom[0]);
	vm_free(&t);
}

/* Likewise, by the guest's own walk, where the host has the slot in one huge page. */
TEST(tables_in_a_read_only_slot_of_a_huge_page)
{
	uint64_t *rom = vm_huge_page();
	struct test_vm t;

	if (!rom)
		SKIP(return, "no huge page");
	vm_make(&t, false);
	with_window(&t, load64, load64_end);
	rom[0] = G_DATA | 7;
	ASSERT_EQ(0, vm_slot(&t, 1, MINIKVM_MEM_READONLY, 0x800000, 2 << 20, rom));
	*entry(&t, PD) = 0x800000 | 7;
	*entry(&t, G_DATA) = 0x1122334455667788;
	set(&t, 0, WINDOW, 0);
	ASSERT_EQ(MINIKVM_EXIT_HLT, serve(&t));
	ASSERT_EQ(G_DATA | 7, rom[0]);
	set(&t, 0, 0x800000, 0);	/* the whole page is mapped now; the tables once more */
	ASSERT_EQ(MINIKVM_EXIT_HLT, again(&t));
	set(&t, 0, WINDOW, 0);
	ASSERT_EQ(MINIKVM_EXIT_HLT, again(&t));
	ASSERT_EQ(G_DATA | 7, rom[0]);
	vm_free(&t);
}

/* The kernel's own walk does not ask a device: as on KVM, nothing is mapped there. */
TEST(a_table_in_a_device_maps_nothing)
{
	struct test_vm t;

	vm_make(&t, false);
	with_window(&t, outs64, outs64_end);
	*entry(&t, PD) = G_HOLE | 7;
	set(&t, WINDOW, 0, 0);
	ASSERT_EQ(14, exception(&t, serve(&t)));
	ASSERT_EQ(0, *entry(&t, vm_regs(&t).rsp));
	ASSERT_EQ(WINDOW, vm_sregs(&t).cr2);
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

/* ---- half of an operand is a device, the other half a fault */

GUEST64(push64, "push (%rdi); hlt");
GUEST64(pop64, "mov %rdi, %rsp; pop %rax; hlt");
GUEST64(incl64, "incl (%rdi); hlt");
GUEST64(shll64, "shll $4, (%rdi); hlt");
GUEST64(cmpsl64, "cmpsl; hlt");
GUEST64(store64, "movups %xmm0, (%rdi); hlt");

static void make_half(struct test_vm *t, const uint8_t *code, const uint8_t *end, int bad,
		      uint64_t leaf)
{
	struct minikvm_sregs s;

	vm_make(t, false);
	with_window(t, code, end);
	*entry(t, PT + 8 * bad) = leaf;
	*entry(t, PT + 8 * !bad) = G_HOLE | 7;
	*entry(t, G_TSS + 0x24) = G_STACK;	/* IST1, for #PF */
	t->mem[G_IDT + 14 * 16 + 4] = 1;
	s = vm_sregs(t);
	s.cr0 |= 0x10000;
	set_sregs(t, &s);
	set(t, G_DATA, WINDOW + 0xffe, 0);
}

TEST(a_device_does_not_hear_of_an_operand_that_is_a_fault)
{
	static const struct { const uint8_t *code, *end; uint64_t leaf; } rows[] = {
		{ movsl64, movsl64_end, 0 }, { movsl64, movsl64_end, G_DATA | 5 },
		{ outsl64, outsl64_end, 0 }, { insl64, insl64_end, 0 },
		{ incl64, incl64_end, 0 }, { incl64, incl64_end, G_DATA | 5 },
		{ shll64, shll64_end, 0 }, { shll64, shll64_end, G_DATA | 5 },
		{ push64, push64_end, 0 }, { pop64, pop64_end, 0 }, { cmpsl64, cmpsl64_end, 0 },
		{ load64, load64_end, 0 }, { store64, store64_end, 0 },
		{ store64, store64_end, G_DATA | 5 },
	};
	struct test_vm t;
	unsigned int i;

	for (i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		int bad = i % 2;

		/* KVM reads what it is going to write, and a port, before it looks. */
		if (test_on_kvm() && (rows[i / 2].leaf || rows[i / 2].code == insl64))
			continue;
		make_half(&t, rows[i / 2].code, rows[i / 2].end, bad, rows[i / 2].leaf);
		if (rows[i / 2].code == outsl64)
			set(&t, WINDOW + 0xffe, 0, 0);
		EXPECT_EQ(14, exception(&t, serve(&t))) TH_LOG("row %u", i / 2);
		EXPECT_EQ(0, seen.reads + seen.writes + seen.ins + seen.outs)
			TH_LOG("row %u, part %d", i / 2, bad);
		EXPECT_EQ(WINDOW + (bad ? 0x1000 : 0xffe), vm_sregs(&t).cr2);
		vm_free(&t);
	}
}

TEST_HARNESS_MAIN
