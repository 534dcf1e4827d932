// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: of thousands of INITs, SIPIs, NMIs and interrupts from one vCPU to others, whatever they
 * do at that moment, each arrives, once.
 *
 * SMP_ROUNDS in the environment: how many rounds there are.
 */
#include "lib/smp.h"

enum {
	G_RECORDS	= 0x40000,	/* 32 bytes a vCPU: times started, NMIs, interrupts */
	G_HALTS		= 0x40800,	/* the others halt in this round, or spin */
	G_X2APIC	= 0x40900,
	G_ON_NMI	= G_START + 0x800,
	G_ON_IRQ	= G_START + 0x900,
};

/*
 * Real mode, after a SIPI: a stack, the APIC switched on, by MMIO through a segment of 4 GiB or as
 * an MSR; then it counts and waits. The IRET ends NMI blocking that is not there, see lib/smp.h.
 */
GUEST16(target, "cli; mov $1, %eax; cpuid; shr $24, %ebx; mov $0x6000, %ax; mov %ax, %ss;"
	"mov %bx, %sp; inc %sp; shl $12, %sp; shl $5, %bx; mov $0x4000, %ax; mov %ax, %ds;"
	"testb $1, 0x900; jz 1f;"
	"mov $0x80f, %ecx; mov $0x1ff, %eax; xor %edx, %edx; wrmsr; jmp 2f;"
	"1: lgdtl %cs:(6f - target); mov %cr0, %eax; or $1, %al; mov %eax, %cr0;"
	"mov $8, %si; mov %si, %fs; and $0xfe, %al; mov %eax, %cr0;"
	"mov $0xfee000f0, %esi; movl $0x1ff, %fs:(%esi);"
	"2: lock incl (%bx);"
	"3: sti; pushf; push %cs; push $(4f - target); iret;"
	"4: cmpb $0, 0x800; je 5f; hlt; jmp 3b; 5: pause; jmp 3b;"
	"6: .word 15; .long 0x20000 + (7f - target); 7: .quad 0, 0x00cf93000000ffff");
GUEST16(on_nmi, "lock incl 4(%bx); iret");
GUEST16(on_irq, "lock incl 8(%bx); testb $1, 0x900; jz 1f;"
	"mov $0x80b, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr; iret;"
	"1: mov $0xfee000b0, %esi; movl $0, %fs:(%esi); iret");

#define EACH(text)	"mov $1, %ebp; 2:" text "inc %ebp; cmp %r12d, %ebp; jb 2b;"
#define SEND_EACH(icr)	EACH("mov %ebp, %edi; mov $" icr ", %esi;" SEND)
/* Until this of each vCPU's counters has come to the round: no further, and not in vain. */
#define AWAIT_EACH(counter, where)						\
	EACH("mov %ebp, %edi; shl $5, %edi; mov $1 << 24, %ecx;"		\
	     "7: mov 0x40000 + " counter "(%rdi), %eax; cmp %r8d, %eax; je 8f; ja 9f; pause;" \
	     "dec %ecx; jnz 7b; 9: mov $" where ", %al; out %al, $0x11; 8:")
GUEST64(rounds, "xor %r8d, %r8d; 1: inc %r8d; mov %r8b, %al; and $1, %al; mov %al, 0x40800;"
	EACH("mov %ebp, %edi; mov $0x4500, %esi;" SEND
	     "imul $331, %r8d, %ecx; and $0x7ff, %ecx; 4: dec %ecx; jns 4b; mov $0x4620, %esi;" SEND)
	AWAIT_EACH("0", "1") SEND_EACH("0x4400") AWAIT_EACH("4", "2")
	SEND_EACH("0x4041") AWAIT_EACH("8", "3")
	"cmp %r13d, %r8d; jb 1b; out %al, $0x10; hlt");

static void place(uint32_t at, const uint8_t *code, const uint8_t *end)
{
	memcpy(cpu[0].mem + at, code, end - code);
}

static void vector(int number, uint32_t at)
{
	uint16_t *entry = (uint16_t *)(cpu[0].mem + 4 * number);

	entry[0] = at - G_START;
	entry[1] = G_START >> 4;
}

FIXTURE(apic) { };
FIXTURE_VARIANT(apic) { bool x2apic; };
FIXTURE_VARIANT_ADD(apic, xapic) { .x2apic = false };
FIXTURE_VARIANT_ADD(apic, x2apic) { .x2apic = true };
FIXTURE_SETUP(apic) { }
FIXTURE_TEARDOWN(apic) { unmake(); }

TEST_F_TIMEOUT(apic, nothing_is_lost, 36000)
{
	const char *text = getenv("SMP_ROUNDS");
	int n = text ? atoi(text) : 150, end, i;

	make(MAX_CPUS, variant->x2apic);
	place(G_START, target, target_end);
	place(G_ON_NMI, on_nmi, on_nmi_end);
	place(G_ON_IRQ, on_irq, on_irq_end);
	vector(2, G_ON_NMI);
	vector(VECTOR, G_ON_IRQ);
	cpu[0].mem[G_X2APIC] = variant->x2apic;
	prepare(0, rounds, rounds_end, variant->x2apic, n);
	end = go();
	if (end != PORT_DONE)
		show();
	ASSERT_EQ(PORT_DONE, end);
	for (i = 1; i < nr_cpus; i++) {
		const uint32_t *record = (uint32_t *)(cpu[0].mem + G_RECORDS + 32 * i);

		ASSERT_EQ(n, record[0]);
		ASSERT_EQ(n, record[1]);
		ASSERT_EQ(n, record[2]);
	}
	printf("# FIGURES: %d rounds to %d vCPUs\n", n, nr_cpus - 1);
}

TEST_HARNESS_MAIN
