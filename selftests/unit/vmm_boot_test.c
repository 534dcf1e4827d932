// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: minivmm's guests begin with registers that a processor enters with, and with page tables
 * that lead where they should: userspace-demo/boot.c, by the rules of module/vmx/entry_rules.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../../module/vmx/entry_rules.c"
#include "../../module/vmx/entry_rules_guest.c"
#include "unit.h"
#include "../../userspace-demo/die.c"
#include "../../userspace-demo/memory.c"

#undef EXIT_REASONS		/* minivmm has a number of its own */
static int test_ioctl(int fd, unsigned long request, ...);
#define ioctl	test_ioctl
#include "../../userspace-demo/boot.c"

#define VCPU_FD	42
#define SIZE	(1ull << 20)
#define ENTRY	0x1000200ull
#define LOAD	0x7000

static uint8_t mem[SIZE], code[] = { 0xb0, 0x2a, 0xf4 };
static struct minikvm_sregs sregs, power_up;
static struct minikvm_regs regs;
static int set;				/* bits: SREGS, REGS */

static int test_ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	void *arg;

	va_start(list, request);
	arg = va_arg(list, void *);
	va_end(list);
	CHECK_EQ(fd, VCPU_FD);
	switch (request) {
	case MINIKVM_GET_SREGS: *(struct minikvm_sregs *)arg = power_up; return 0;
	case MINIKVM_SET_SREGS: sregs = *(struct minikvm_sregs *)arg; set |= 1; return 0;
	case MINIKVM_SET_REGS: regs = *(struct minikvm_regs *)arg; set |= 2; return 0;
	}
	errno = ENOTTY;
	return -1;
}

void image_open(struct image *image, const char *path) { }
void linux_open(struct linux_guest *l, const struct config *c, const struct memory *m) { }
uint64_t linux_load(const struct linux_guest *l, const struct memory *m) { return ENTRY; }

static struct minikvm_segment segment(uint64_t base, uint16_t selector, uint8_t type, uint8_t s)
{
	return (struct minikvm_segment) {
		.base = base, .limit = 0xffff, .selector = selector, .type = type, .present = 1, .s = s,
	};
}

/* SDM "Processor State After Reset" */
static void boot(bool is_linux)
{
	struct vm vm = { .memory = { .range = { { 0, SIZE, mem } }, .nr = 1 } };
	struct vcpu vcpu = { .vm = &vm, .fd = VCPU_FD };
	struct guest g = { .is_linux = is_linux, .flat = { .data = code, .size = sizeof(code) }, .load = LOAD };
	struct minikvm_segment data = segment(0, 0, 3, 1);

	power_up = (struct minikvm_sregs) {
		.cs = segment(0xffff0000, 0xf000, 11, 1), .ds = data, .es = data, .fs = data, .gs = data,
		.ss = data, .tr = segment(0, 0, 11, 0), .ldt = segment(0, 0, 2, 0), .cr0 = 0x60000010,
		.gdt.limit = 0xffff, .idt.limit = 0xffff, .apic_base = 0xfee00900,
	};
	memset(mem, 0, sizeof(mem));
	memset(&sregs, 0, sizeof(sregs));
	memset(&regs, 0, sizeof(regs));
	set = 0;
	guest_load(&g, &vcpu);
}

/* ---- would a processor enter? */

static struct entry_segment entry_segment(const struct minikvm_segment *s)
{
	return (struct entry_segment) {
		.selector = s->selector, .base = s->base, .limit = s->limit,
		.access = s->type | s->s << 4 | s->dpl << 5 | s->present << 7 | s->avl << 12 |
			  s->l << 13 | s->db << 14 | s->g << 15 | s->unusable << 16,
	};
}

/* The controls and the host's state are minikvm's. */
static struct entry_fields entry_fields(void)
{
	const struct minikvm_segment *segments[] = { &sregs.es, &sregs.cs, &sregs.ss, &sregs.ds,
						     &sregs.fs, &sregs.gs, &sregs.ldt, &sregs.tr };
	struct entry_fields f = {
		.pin = 0x29, .proc = 0x90000000, .proc2 = 0xa2, .exit = 0x280200,
		.entry = 0xc004 | (sregs.efer & RULES_EFER_LMA ? RULES_ENTRY_IA32E : 0),
		.msr_bitmap = 0x1000, .vpid = 1, .eptp = 0x505e,
		.host_cr0 = 0x80050033, .host_cr3 = 0x3000, .host_cr4 = 0x2020, .host_cs = 0x10,
		.host_ss = 0x18, .host_tr = 0x40, .host_pat = 0x0407050600070106, .host_efer = 0xd01,
		.cr0 = sregs.cr0 | 0x20, .cr3 = sregs.cr3, .cr4 = sregs.cr4 | 0x2000, .dr7 = 0x400,
		.efer = sregs.efer, .pat = 0x0007040600070406, .gdtr_limit = 0xffff, .idtr_limit = 0xffff,
		.rip = regs.rip, .rflags = regs.rflags, .vmcs_link = ~0ull,
	};

	for (int i = 0; i < 8; i++)
		f.seg[i] = entry_segment(segments[i]);
	return f;
}

static void check_entry(const char *what)
{
	static const struct entry_caps caps = {
		.pin = 0xffffffffull << 32, .proc = 0xffffffffull << 32, .proc2 = 0xffffffffull << 32,
		.exit = 0xffffffffull << 32, .entry = 0xffffffffull << 32,
		.misc = 4 << 16 | 7 << 6, .ept_vpid = BIT_ULL(6) | BIT_ULL(14) | BIT_ULL(21),
		.cr0_fixed0 = 0x80000021, .cr0_fixed1 = 0xffffffff,
		.cr4_fixed0 = 0x2000, .cr4_fixed1 = 0x3767ff, .phys_bits = 40, .lin_bits = 48,
	};
	struct entry_fields f = entry_fields();
	struct entry_verdict v = entry_rules(&f, &caps);

	if (!v.part)
		return;
	printf("# %s: a processor refuses the entry: %s %s\n", what, v.what, v.rule);
	unit_bad = 1;
}

/* ---- the guest's tables, as the processor reads them; ~0: nothing is there */

static uint64_t entry_of(uint64_t table, unsigned int index)
{
	uint64_t at = (table & ~0xfffull) + 8 * index, entry;

	if (at + 8 > SIZE)
		return 0;
	memcpy(&entry, mem + at, 8);
	return entry & 3 ? entry : 0;
}

static uint64_t walk(uint64_t address)
{
	uint64_t entry = sregs.cr3;
	int shift;

	for (shift = 39; shift >= 12; shift -= 9) {
		entry = entry_of(entry, address >> shift & 511);
		if ((entry & 3) != 3)			/* present and writable */
			return ~0ull;
		if (shift < 39 && (entry & 0x80))
			break;
	}
	shift = shift < 12 ? 12 : shift;
	return (entry & 0xffffffffff000 & ~((1ull << shift) - 1)) | (address & ((1ull << shift) - 1));
}

static void a_flat_guest_begins_in_real_mode(void)
{
	boot(false);
	CHECK_EQ(set, 3);
	CHECK(!memcmp(mem + LOAD, code, sizeof(code)));
	CHECK_EQ(sregs.cs.base + regs.rip, LOAD);
	CHECK_EQ(sregs.cs.base, sregs.cs.selector * 16);
	CHECK_EQ(regs.rflags, 2);
	CHECK_EQ(sregs.cr0, power_up.cr0);
	CHECK_EQ(sregs.ds.limit, 0xffff);
	CHECK_EQ(sregs.apic_base, power_up.apic_base);
}

static void tables_lead_to_every_address_below_4_gib(void)
{
	uint64_t address;

	boot(true);
	for (address = 0x123; address < 4ull << 30 && !unit_bad; address += 1 << 20)
		CHECK_EQ(walk(address), address);
	CHECK_EQ(walk(0xffffffff), 0xffffffff);
}

static void the_tables_leave_other_memory_alone(void)
{
	size_t i;

	boot(true);
	CHECK_EQ(sregs.cr3, PAGE_TABLES);
	for (i = 0; i < SIZE && !unit_bad; i++)
		if (i < PAGE_TABLES || i >= PAGE_TABLES + 6 * TABLE)
			CHECK_EQ(mem[i], 0);
}

static void long_mode_is_on(void)
{
	boot(true);
	CHECK(sregs.cr0 & RULES_CR0_PE);
	CHECK(sregs.cr0 & RULES_CR0_PG);
	CHECK(sregs.cr4 & RULES_CR4_PAE);
	CHECK(sregs.efer & RULES_EFER_LME);
	CHECK(sregs.efer & RULES_EFER_LMA);
	CHECK_EQ(sregs.apic_base, power_up.apic_base);
}

static void segments_are_flat_and_code_has_64_bits(void)
{
	const struct minikvm_segment *data[] = { &sregs.ds, &sregs.es, &sregs.ss };
	size_t i;

	boot(true);
	CHECK_EQ(sregs.cs.selector, BOOT_CS);
	CHECK_EQ(sregs.cs.base, 0);
	CHECK(sregs.cs.l && !sregs.cs.db && sregs.cs.present && sregs.cs.s);
	CHECK_EQ(sregs.cs.type, 11);
	for (i = 0; i < 3; i++) {
		CHECK_EQ(data[i]->selector, BOOT_DS);
		CHECK_EQ(data[i]->base, 0);
		CHECK_EQ(data[i]->limit, ~0u);
		CHECK_EQ(data[i]->type, 3);
		CHECK(data[i]->g && data[i]->db && data[i]->present && data[i]->s);
	}
}

static void a_processor_enters(void)
{
	boot(false);
	CHECK_EQ(set, 3);
	check_entry("real mode");
	boot(true);
	CHECK_EQ(set, 3);
	check_entry("64-bit mode");
}

static void a_kernel_finds_its_parameters(void)
{
	boot(true);
	CHECK_EQ(regs.rip, ENTRY);
	CHECK_EQ(regs.rsi, BOOT_PARAMS);
	CHECK_EQ(regs.rflags, 2);
}

int main(void)
{
	RUN(a_flat_guest_begins_in_real_mode);
	RUN(tables_lead_to_every_address_below_4_gib);
	RUN(the_tables_leave_other_memory_alone);
	RUN(long_mode_is_on);
	RUN(segments_are_flat_and_code_has_64_bits);
	RUN(a_processor_enters);
	RUN(a_kernel_finds_its_parameters);
	return unit_end();
}
