// SPDX-License-Identifier: GPL-2.0
/* The breakpoints of minivmm's gdb stub: userspace-demo/gdb_break.c. */
#include "unit.h"
#include "random.h"
#include "../../userspace-demo/gdb_break.c"

static struct gdb_breaks b;
static uint8_t mem[16];

static void begin(void)
{
	int i;

	memset(&b, 0, sizeof(b));
	for (i = 0; i < (int)sizeof(mem); i++)
		mem[i] = i;
}

static void a_byte_and_back(void)
{
	begin();
	CHECK(gdb_break_set(&b, BREAK_SOFTWARE, 0x1003, 1, mem + 3));
	CHECK(gdb_break_set(&b, BREAK_SOFTWARE, 0x1003, 1, mem + 3));
	CHECK_EQ(mem[3], 0xcc);
	CHECK(gdb_breaks_planted(&b));
	CHECK(gdb_break_of_int3(&b, 0x1003));
	CHECK(!gdb_break_of_int3(&b, 0x1004));
	CHECK(gdb_break_clear(&b, BREAK_SOFTWARE, 0x1003, 1));
	CHECK(!gdb_break_clear(&b, BREAK_SOFTWARE, 0x1003, 1));
	CHECK_EQ(mem[3], 3);
	CHECK(!gdb_breaks_planted(&b));
}

/* Two addresses of one byte: who goes first leaves the other's. */
static void two_addresses(void)
{
	begin();
	CHECK(gdb_break_set(&b, BREAK_SOFTWARE, 0x1003, 1, mem + 3));
	CHECK(gdb_break_set(&b, BREAK_SOFTWARE, 0x2003, 1, mem + 3));
	CHECK(gdb_break_clear(&b, BREAK_SOFTWARE, 0x1003, 1));
	CHECK_EQ(mem[3], 0xcc);
	CHECK(gdb_break_clear(&b, BREAK_SOFTWARE, 0x2003, 1));
	CHECK_EQ(mem[3], 3);
}

static void the_guest_wrote(void)
{
	begin();
	CHECK(gdb_break_set(&b, BREAK_SOFTWARE, 0x1003, 1, mem + 3));
	mem[3] = 0x90;
	gdb_breaks_clear_all(&b);
	CHECK_EQ(mem[3], 0x90);
	CHECK_EQ(b.nr, 0);
}

static void memory_without_them(void)
{
	uint8_t data[4];

	begin();
	CHECK(gdb_break_set(&b, BREAK_SOFTWARE, 0x1003, 1, mem + 3));
	gdb_breaks_read(&b, mem + 2, data, 4);
	CHECK(data[0] == 2 && data[1] == 3 && data[2] == 4);
	gdb_breaks_write(&b, mem + 2, (const uint8_t []) { 7, 8, 9, 10 }, 4);
	CHECK_EQ(mem[3], 0xcc);
	CHECK(mem[2] == 7 && mem[4] == 9);
	gdb_breaks_clear_all(&b);
	CHECK_EQ(mem[3], 8);
}

/* Where the guest has no memory yet, and for what is watched. SDM "Debug Control Register (DR7)". */
static void registers(void)
{
	unsigned long long dr[4];

	begin();
	CHECK_EQ(gdb_breaks_registers(&b, dr), 0);
	CHECK(gdb_break_set(&b, BREAK_SOFTWARE, 0x1003, 1, NULL));
	CHECK(gdb_break_set(&b, WATCH_WRITE, 0x2004, 4, NULL));
	CHECK(gdb_break_set(&b, WATCH_ACCESS, 0x3008, 8, NULL));
	CHECK(gdb_break_set(&b, BREAK_HARDWARE, 0x4000, 1, NULL));
	CHECK(!gdb_break_set(&b, BREAK_SOFTWARE, 0x5000, 1, NULL));
	CHECK(gdb_break_set(&b, BREAK_SOFTWARE, 0x5000, 1, mem));
	CHECK_EQ(gdb_breaks_registers(&b, dr), 0x400 | 0xaa | 0xdull << 20 | 0xbull << 24);
	CHECK(dr[0] == 0x1003 && dr[1] == 0x2004 && dr[2] == 0x3008 && dr[3] == 0x4000);
	CHECK_EQ(gdb_break_of_dr6(&b, 0xffff0ff2)->address, 0x2004);
	CHECK(!gdb_break_of_dr6(&b, 0xffff4ff0));
	CHECK(!gdb_break_of_int3(&b, 0x1003));
	CHECK(gdb_break_clear(&b, WATCH_WRITE, 0x2004, 4));
	CHECK(gdb_break_set(&b, WATCH_WRITE, 0x6000, 2, NULL));
	CHECK_EQ(gdb_breaks_registers(&b, dr), 0x400 | 0xaa | 0x5ull << 20 | 0xbull << 24);
	CHECK_EQ(dr[1], 0x6000);
}

static void refusals(void)
{
	begin();
	CHECK(!gdb_break_set(&b, WATCH_READ, 0x2000, 4, NULL));
	CHECK(!gdb_break_set(&b, WATCH_WRITE, 0x2001, 4, NULL));
	CHECK(!gdb_break_set(&b, WATCH_WRITE, 0x2000, 3, NULL));
	CHECK(!gdb_break_set(&b, WATCH_WRITE, 0x2000, 0, NULL));
	CHECK(!gdb_break_set(&b, WATCH_WRITE, 0x2000, 0x108, NULL));
	CHECK(!gdb_break_set(&b, 9, 0x2000, 1, NULL));
	CHECK_EQ(b.nr, 0);
}

/* Whatever is set and cleared, in whatever order: at the end memory is as it was. */
static void at_random(void)
{
	unsigned long long dr[4];
	int i;

	begin();
	for (i = 0; i < 100000; i++) {
		uint64_t at = below(sizeof(mem)), type = below(6), length = 1 << below(5);

		if (one_in(2))
			gdb_break_set(&b, type, at + 16 * below(8), length, one_in(4) ? NULL : mem + at);
		else
			gdb_break_clear(&b, type, at + 16 * below(8), length);
		gdb_breaks_registers(&b, dr);
		CHECK(b.nr <= GDB_BREAKS);
	}
	gdb_breaks_clear_all(&b);
	for (i = 0; i < (int)sizeof(mem); i++)
		CHECK_EQ(mem[i], i);
}

int main(void)
{
	RUN(a_byte_and_back);
	RUN(two_addresses);
	RUN(the_guest_wrote);
	RUN(memory_without_them);
	RUN(registers);
	RUN(refusals);
	RUN(at_random);
	return unit_end();
}
