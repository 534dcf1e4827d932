// SPDX-License-Identifier: GPL-2.0
/* Claim: a guest reads and writes the registers of the chips in the kernel as their data sheets
 * say: the 8259 pair polled and asked, the 8254 latched and read back, the IOAPIC by its window.
 */
#include "lib/irq.h"

/* Accesses of a byte, as the host writes them: { port, IN or OUT, value }, until port 0. */
enum { IN, OUT };
struct access { uint16_t port; uint8_t out, value; };

GUEST64(accesses, "mov $0x40000, %esi; 1: movzwl (%rsi), %edx; test %edx, %edx; jz 9f; cmpb $0, 2(%rsi);"
	"je 2f; mov 3(%rsi), %al; out %al, %dx; jmp 3f; 2: in %dx, %al; mov %al, 3(%rsi);"
	"3: add $4, %esi; jmp 1b; 9: out %al, $0x10");

/* Have the guest make them; what it read is in their place. */
static void make_accesses(struct test_vm *t, struct access *a, size_t size)
{
	guest_long(t, accesses, accesses_end);
	memcpy(t->mem + G_DATA, a, size);
	memset(t->mem + G_DATA + size, 0, sizeof(*a));
	if (vm_run(t) != MINIKVM_EXIT_IO || t->run->io.port != 0x10)
		errx(1, "the guest does not end");
	memcpy(a, t->mem + G_DATA, size);
}

static void make_pit(struct test_vm *t)
{
	struct minikvm_pit_config config = { };

	vm_make(t, true);
	irq_must(ioctl(t->vm, MINIKVM_CREATE_PIT2, &config), "CREATE_PIT2");
}

/* Lines 5 and 12 alone, at vectors 0x20 and 0x28; then which lines wait and which are served. */
#define PIC_SETUP	{ 0x20, OUT, 0x11 }, { 0x21, OUT, 0x20 }, { 0x21, OUT, 4 }, { 0x21, OUT, 1 }, \
	{ 0xa0, OUT, 0x11 }, { 0xa1, OUT, 0x28 }, { 0xa1, OUT, 2 }, { 0xa1, OUT, 1 }, \
	{ 0x21, OUT, 0xdb }, { 0xa1, OUT, 0xef }
#define ASK_WAITING(port)	{ port, OUT, 0x0a }, { port, IN, 0 }
#define ASK_SERVED(port)	{ port, OUT, 0x0b }, { port, IN, 0 }
#define POLL(port)		{ port, OUT, 0x0c }, { port, IN, 0 }

TEST(the_pic_is_asked_and_polled)
{
	struct access setup[] = { PIC_SETUP };
	struct access a[] = {
		ASK_WAITING(0x20), ASK_SERVED(0x20), { 0x20, IN, 0 }, POLL(0x20),
		ASK_WAITING(0x20), POLL(0x20), { 0x21, IN, 0 },
	};
	struct test_vm t;

	vm_make(&t, true);
	make_accesses(&t, setup, sizeof(setup));
	irq_line(&t, 5, 1);
	make_accesses(&t, a, sizeof(a));
	EXPECT_EQ(0x20, a[1].value);		/* line 5 waits */
	EXPECT_EQ(0, a[3].value);
	EXPECT_EQ(0, a[4].value);		/* it is still the same register */
	EXPECT_EQ(0x85, a[6].value);
	EXPECT_EQ(0, a[8].value);		/* the poll was its acknowledgment */
	EXPECT_EQ(0, a[10].value & 0x80);
	EXPECT_EQ(0xdb, a[11].value);
	vm_free(&t);
}

TEST(the_second_pic_is_polled)
{
	struct access setup[] = { PIC_SETUP };
	struct access a[] = { ASK_WAITING(0x20), ASK_WAITING(0xa0), POLL(0xa0), POLL(0xa0), POLL(0x20) };
	struct test_vm t;

	vm_make(&t, true);
	make_accesses(&t, setup, sizeof(setup));
	irq_line(&t, 12, 1);
	make_accesses(&t, a, sizeof(a));
	EXPECT_EQ(4, a[1].value);		/* where the second is connected */
	EXPECT_EQ(0x10, a[3].value);
	EXPECT_EQ(0x84, a[5].value);
	EXPECT_EQ(0, a[7].value & 0x80);
	EXPECT_EQ(0, a[9].value & 0x80);
	vm_free(&t);
}

/* Channel 2, mode 2, two bytes, from 65535 down: 55 ms. */
#define PIT_START	{ 0x43, OUT, 0xb4 }, { 0x42, OUT, 0xff }, { 0x42, OUT, 0xff }
#define PIT_LATCH	{ 0x43, OUT, 0x80 }
#define PIT_COUNT	{ 0x42, IN, 0 }, { 0x42, IN, 0 }

static uint16_t count_in(const struct access *a)
{
	return a[0].value | a[1].value << 8;
}

TEST(a_latched_count_stays_until_it_is_read)
{
	struct access first[] = { PIT_START, PIT_LATCH, PIT_LATCH };
	struct access then[] = { PIT_LATCH, PIT_COUNT, PIT_LATCH, PIT_COUNT, PIT_COUNT };
	uint16_t latched, later, last;
	struct test_vm t;

	make_pit(&t);
	make_accesses(&t, first, sizeof(first));
	usleep(2000);
	make_accesses(&t, then, sizeof(then));
	latched = count_in(then + 1);
	later = count_in(then + 4);
	last = count_in(then + 6);
	TH_LOG("%u, %u, %u", latched, later, last);
	ASSERT_LE(2000 * 1193 / 1000, (uint16_t)(latched - later));
	ASSERT_GT(0x8000, (uint16_t)(later - last));	/* it goes on from there */
	vm_free(&t);
}

/* Status first, then the count of the same moment. */
TEST(the_pit_is_read_back)
{
	struct access a[] = {
		PIT_START, { 0x43, OUT, 0xc8 }, { 0x42, IN, 0 }, PIT_COUNT,
		{ 0x43, OUT, 0xe8 }, { 0x43, OUT, 0xb0 }, { 0x42, IN, 0 },	/* status alone, of before */
		{ 0x43, OUT, 0xd8 }, { 0x43, OUT, 0x80 }, PIT_COUNT,		/* count alone */
		{ 0x43, IN, 0 },
	};
	/* OUT is high in mode 2 but for one clock; KVM has it high in that one. */
	uint8_t status = test_on_kvm() ? 0x34 : 0xb4;
	struct test_vm t;

	make_pit(&t);
	make_accesses(&t, a, sizeof(a));
	EXPECT_EQ(status, a[4].value);
	EXPECT_LT(0x8000, count_in(a + 5));
	EXPECT_EQ(status, a[9].value);
	EXPECT_GE(count_in(a + 5), count_in(a + 12));
	vm_free(&t);
}

/* Mode 3 counts by two; an access may be to one byte alone. */
TEST(a_square_wave_counts_by_two)
{
	struct access a[] = {
		{ 0x43, OUT, 0xb6 }, { 0x42, OUT, 0xe8 }, { 0x42, OUT, 3 },	/* 1000 */
		PIT_LATCH, PIT_COUNT, PIT_LATCH, PIT_COUNT, PIT_COUNT,
		{ 0x43, OUT, 0xa6 }, { 0x42, OUT, 4 }, { 0x42, IN, 0 },		/* high: 1024 */
		{ 0x43, OUT, 0x96 }, { 0x42, OUT, 0x80 }, { 0x42, IN, 0 },	/* low: 128 */
	};
	struct test_vm t;
	int i;

	make_pit(&t);
	make_accesses(&t, a, sizeof(a));
	for (i = 4; i <= 7; i += 3) {
		EXPECT_EQ(0, count_in(a + i) % 2) TH_LOG("%u", count_in(a + i));
		EXPECT_GE(1000, count_in(a + i));
	}
	EXPECT_GE(4, a[13].value);
	EXPECT_EQ(0, a[16].value % 2);
	EXPECT_GE(128, a[16].value);
	vm_free(&t);
}

/* The ID, then pin 20: level triggered, vector 0x51. */
GUEST64(ioapic, "mov $0xfec00000, %edi; movl $0, (%rdi); movl $0xf5000000, 0x10(%rdi); mov 0x10(%rdi), %eax;"
	"out %eax, $0x11; movl $0x39, (%rdi); movl $0, 0x10(%rdi); movl $0x38, (%rdi); mov (%rdi), %eax;"
	"out %eax, $0x11; movl $0x8051, 0x10(%rdi); mov 0x10(%rdi), %eax; out %eax, $0x11;"
	"sti; 1: out %al, $0x10; jmp 1b");
/* Masked and edge triggered: the way to end a level without an EOI. */
GUEST64(to_edge, "mov $0xfec00000, %edi; movl $0x38, (%rdi); movl $0x10051, 0x10(%rdi); mov 0x10(%rdi), %eax;"
	"out %eax, $0x11");

static int remote_irr(struct test_vm *t)
{
	struct minikvm_irqchip chip = { .chip_id = MINIKVM_IRQCHIP_IOAPIC };

	irq_must(ioctl(t->vm, MINIKVM_GET_IRQCHIP, &chip), "GET_IRQCHIP");
	return chip.chip.ioapic.redirtbl[20].fields.remote_irr;
}

TEST(the_ioapic_by_its_window)
{
	struct test_vm t;

	vm_make(&t, true);
	irq_enable_apic(&t);
	guest_long(&t, ioapic, ioapic_end);
	irq_stubs(&t);
	EXPECT_OUT(&t, 0x11, 0x05000000);	/* four bits */
	EXPECT_OUT(&t, 0x11, 0x38);
	EXPECT_OUT(&t, 0x11, 0x8051);
	ASSERT_EQ(NO_IRQ, irq_next(&t));
	irq_line(&t, 20, 1);
	ASSERT_EQ(0x51, irq_next(&t));
	ASSERT_EQ(1, remote_irr(&t));
	ASSERT_EQ(0x51, irq_next(&t));		/* after the EOI the line is still high */
	irq_line(&t, 20, 0);
	ASSERT_EQ(NO_IRQ, irq_next(&t));
	ASSERT_EQ(0, remote_irr(&t));
	irq_line(&t, 20, 1);
	ASSERT_EQ(0x51, irq_next(&t));
	ASSERT_EQ(1, remote_irr(&t));
	guest_long(&t, to_edge, to_edge_end);
	EXPECT_OUT(&t, 0x11, 0x10051);
	ASSERT_EQ(0, remote_irr(&t));
	vm_free(&t);
}

/* Who counts the clock's ticks hears of one that merges with the last. */
TEST(a_tick_of_the_rtc_that_merges_is_reported)
{
	struct test_vm t;

	irq_make(&t);
	ASSERT_EQ(0, irq_route_one(&t, irq_to_pin(8, MINIKVM_IRQCHIP_IOAPIC, 8)));
	irq_ioapic(&t, 8, 0x58);
	ASSERT_EQ(1, irq_line(&t, 8, 1));
	irq_line(&t, 8, 0);
	ASSERT_EQ(0, irq_line(&t, 8, 1));
	irq_line(&t, 8, 0);
	ASSERT_EQ(0x58, irq_next(&t));
	ASSERT_EQ(0, irq_line(&t, 8, 1));	/* in service */
	irq_line(&t, 8, 0);
	ASSERT_EQ(NO_IRQ, irq_next(&t));
	ASSERT_EQ(1, irq_line(&t, 8, 1));
	ASSERT_EQ(0x58, irq_next(&t));
	vm_free(&t);
}

TEST_HARNESS_MAIN
