// SPDX-License-Identifier: GPL-2.0
/* The frames of minivmm's gdb stub: userspace-demo/gdb_packet.c. */
#include <string.h>

#include "unit.h"
#include "random.h"
#include "../../userspace-demo/gdb_packet.c"

static struct gdb_in in;
static struct gdb_out out;

/* What the last byte of @n completes. Before it nothing may be. */
static enum gdb_got feed(const char *bytes, size_t n)
{
	enum gdb_got got = GDB_NOTHING;
	size_t i;

	for (i = 0; i < n; i++) {
		CHECK_EQ(got, GDB_NOTHING);
		got = gdb_in_byte(&in, bytes[i]);
	}
	return got;
}

static enum gdb_got line(const char *text)
{
	return feed(text, strlen(text));
}

static void requests(void)
{
	memset(&in, 0, sizeof(in));
	CHECK_EQ(line("+$g#67"), GDB_REQUEST);
	CHECK(!strcmp((char *)in.data, "g") && in.size == 1);
	CHECK_EQ(line("$m1,2#fc"), GDB_REQUEST);
	CHECK_EQ(line("$#00"), GDB_REQUEST);
	CHECK_EQ(in.size, 0);
	CHECK_EQ(line("noise\n$qC#B4"), GDB_REQUEST);
	CHECK(!strcmp((char *)in.data, "qC"));
}

static void interrupt_and_again(void)
{
	memset(&in, 0, sizeof(in));
	CHECK_EQ(line("\3"), GDB_INTERRUPT);
	CHECK_EQ(line("-"), GDB_AGAIN);
	/* In a packet they are data. */
	CHECK_EQ(line("$\3-#30"), GDB_REQUEST);
	CHECK(!memcmp(in.data, "\3-", 2) && in.size == 2);
}

static void wrong_sums(void)
{
	memset(&in, 0, sizeof(in));
	CHECK_EQ(line("$g#68"), GDB_BROKEN);
	CHECK_EQ(line("$g#6x"), GDB_BROKEN);
	CHECK_EQ(line("$g###"), GDB_BROKEN);
	CHECK_EQ(line("$g#67"), GDB_REQUEST);
}

/* A packet that lost its end is forgotten when the next one begins. */
static void a_new_beginning(void)
{
	memset(&in, 0, sizeof(in));
	CHECK_EQ(line("$m123$g#67"), GDB_REQUEST);
	CHECK(!strcmp((char *)in.data, "g"));
}

static void escapes(void)
{
	memset(&in, 0, sizeof(in));
	CHECK_EQ(feed("$}\3}\4}]}\0#58", 12), GDB_REQUEST);
	CHECK_EQ(in.size, 4);
	CHECK(!memcmp(in.data, "#$} ", 4));
}

static void sizes(void)
{
	uint8_t sum;
	int n, i;

	for (n = GDB_PACKET - 1; n <= GDB_PACKET + 1; n++) {
		char end[4];

		memset(&in, 0, sizeof(in));
		CHECK_EQ(line("$"), GDB_NOTHING);
		for (sum = i = 0; i < n; i++, sum += 'x')
			CHECK_EQ(line("x"), GDB_NOTHING);
		snprintf(end, sizeof(end), "#%02x", sum);
		CHECK_EQ(line(end), n <= GDB_PACKET ? GDB_REQUEST : GDB_BROKEN);
		CHECK_EQ(line("$g#67"), GDB_REQUEST);
	}
}

/* Whatever comes, it is taken, and a packet after it is understood. */
static void noise(void)
{
	static const char liked[] = "$#}+-\3g0";
	long i;

	memset(&in, 0, sizeof(in));
	for (i = 0; i < 2000000; i++) {
		uint64_t r = any();

		gdb_in_byte(&in, r & 0x100 ? liked[r % 8] : r);
		CHECK(in.size <= GDB_PACKET);
	}
	gdb_in_byte(&in, '#');		/* whatever it was in, it is over */
	gdb_in_byte(&in, '0');
	gdb_in_byte(&in, '0');
	CHECK_EQ(line("$g#67"), GDB_REQUEST);
}

static void answers(void)
{
	gdb_out_begin(&out);
	gdb_out_end(&out);
	CHECK(out.size == 4 && !memcmp(out.data, "$#00", 4));
	gdb_out_begin(&out);
	gdb_out_format(&out, "T%02x", 5);
	gdb_out_hex(&out, "\x0f\xa0", 2);
	gdb_out_text(&out, ";");
	gdb_out_end(&out);
	CHECK(out.size == 12 && !memcmp(out.data, "$T050fa0;#", 10));
}

/* What is sent is what is received, and no more is sent than the other side takes. */
static void there_and_back(void)
{
	uint8_t data[GDB_PACKET + 100];
	size_t i, n, size;

	for (size = 0; size < sizeof(data); size += 37) {
		for (i = 0; i < size; i++)
			data[i] = size & 1 ? any() : "$#}*"[i % 4];
		gdb_out_begin(&out);
		n = gdb_out_binary(&out, data, size);
		CHECK_EQ(out.full, n < size);
		gdb_out_end(&out);
		CHECK(out.size <= sizeof(out.data));
		memset(&in, 0, sizeof(in));
		CHECK_EQ(feed((char *)out.data, out.size), GDB_REQUEST);
		CHECK(in.size == n && !memcmp(in.data, data, n));
	}
}

static void words(void)
{
	const char *at = "vCont;s:1f,AbCdEf";
	uint64_t value;

	CHECK(!gdb_take_text(&at, "vCont?"));
	CHECK(gdb_take_text(&at, "vCont;s:"));
	CHECK(gdb_take_hex(&at, &value));
	CHECK_EQ(value, 0x1f);
	CHECK(!gdb_take_hex(&at, &value));
	CHECK(gdb_take_text(&at, ","));
	CHECK(gdb_take_hex(&at, &value));
	CHECK_EQ(value, 0xabcdef);
	at = "ffffffffffffffff";
	CHECK(gdb_take_hex(&at, &value) && value == ~0ull);
	at = "10000000000000000";
	CHECK(!gdb_take_hex(&at, &value));
}

static void bytes(void)
{
	uint8_t data[2];
	const char *at = "12aB3";

	CHECK(gdb_take_bytes(&at, data, 2) && data[0] == 0x12 && data[1] == 0xab);
	CHECK(!gdb_take_bytes(&at, data, 1));
	at = "";
	CHECK(!gdb_take_bytes(&at, data, 1));
	CHECK(gdb_take_bytes(&at, data, 0));
}

int main(void)
{
	RUN(requests);
	RUN(interrupt_and_again);
	RUN(wrong_sums);
	RUN(a_new_beginning);
	RUN(escapes);
	RUN(sizes);
	RUN(noise);
	RUN(answers);
	RUN(there_and_back);
	RUN(words);
	RUN(bytes);
	return unit_end();
}
