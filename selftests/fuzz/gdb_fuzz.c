// SPDX-License-Identifier: GPL-2.0
/*
 * minivmm's gdb stub (userspace-demo/gdb_packet.c, gdb_command.c, gdb_regs.c, gdb_target.c,
 * gdb_break.c): any bytes on the line. What is a packet is answered with one that the other side
 * understands, no memory but the guest's is touched, and the next good packet is understood.
 */
#include "fuzz.h"
#define main unit_main
#include "../unit/vmm_gdb_command_test.c"
#undef main

static struct gdb_in back;

static void check_answer(void)
{
	enum gdb_got got = GDB_NOTHING;
	size_t i;

	gdb_out_end(&talk.out);
	CHECK(talk.out.size <= sizeof(talk.out.data));
	memset(&back, 0, sizeof(back));
	for (i = 0; i < talk.out.size; i++) {
		CHECK_EQ(got, GDB_NOTHING);
		got = gdb_in_byte(&back, talk.out.data[i]);
	}
	CHECK_EQ(got, GDB_REQUEST);
}

static void ask_it(void)
{
	gdb_out_begin(&talk.out);
	switch (gdb_command(&talk)) {
	case NEXT_GO:
		gdb_target_resume(&talk.target);
		break;
	default:
		check_answer();
	}
}

/* A request without its sum: most of the fuzzer's bytes would be wrong ones. */
static void request(void)
{
	size_t n = below(80), had = fuzz_bytes(talk.in.data, n);

	talk.in.data[had] = '\0';
	talk.in.size = had;
	ask_it();
}

static void line(void)
{
	while (fuzz_left) {
		uint8_t byte;

		fuzz_bytes(&byte, 1);
		if (gdb_in_byte(&talk.in, byte) == GDB_REQUEST)
			ask_it();
		CHECK(talk.in.size <= GDB_PACKET);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_begin(data, size);
	begin();
	if (one_in(4)) {
		line();
	} else {
		while (fuzz_left)
			request();
	}
	gdb_target_detach(&talk.target);
	/* A breakpoint that went leaves the guest's byte as it was. */
	CHECK(!talk.target.breaks.nr);
	return 0;
}
