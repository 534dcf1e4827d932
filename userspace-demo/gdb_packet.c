// SPDX-License-Identifier: GPL-2.0
/*
 * Frames: $data#sum, where sum is two digits, the bytes of the data added up. In it
 * '}' has the next byte's bit 5 turned round, so that $, # and } can be sent. GDB manual,
 * "Remote Protocol", "Overview". Left out: run-length encoding, which a stub may use,
 * and gdb does not.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gdb_packet.h"

#define ESCAPE		'}'
#define ESCAPE_BIT	0x20
#define CTRL_C		3

/* The value of a digit, or -1. */
static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* ---- what comes in */

static void in_begin(struct gdb_in *in)
{
	*in = (struct gdb_in) { .state = GDB_DATA };
}

static void in_keep(struct gdb_in *in, uint8_t byte)
{
	if (in->size < GDB_PACKET)
		in->data[in->size++] = byte;
	else
		in->too_long = true;
}

static enum gdb_got in_between(struct gdb_in *in, uint8_t byte)
{
	switch (byte) {
	case '$':
		in_begin(in);
		return GDB_NOTHING;
	case '-':
		return GDB_AGAIN;
	case CTRL_C:
		return GDB_INTERRUPT;
	default:		/* '+', and noise of a line */
		return GDB_NOTHING;
	}
}

static void in_data(struct gdb_in *in, uint8_t byte)
{
	if (byte == '$') {	/* the rest of the last one was lost */
		in_begin(in);
		return;
	}
	if (byte == '#') {
		in->state = GDB_SUM_1;
		return;
	}
	in->sum += byte;
	if (byte == ESCAPE)
		in->state = GDB_ESCAPED;
	else
		in_keep(in, byte);
}

static void in_sum(struct gdb_in *in, uint8_t byte)
{
	int digit = hex_digit(byte);

	in->bad_digit |= digit < 0;
	in->told = in->told << 4 | (digit & 15);
}

static enum gdb_got in_end(struct gdb_in *in)
{
	in->state = GDB_BETWEEN;
	in->data[in->size] = '\0';
	return in->bad_digit || in->too_long || in->told != in->sum ? GDB_BROKEN : GDB_REQUEST;
}

enum gdb_got gdb_in_byte(struct gdb_in *in, uint8_t byte)
{
	switch (in->state) {
	case GDB_BETWEEN:
		return in_between(in, byte);
	case GDB_DATA:
		in_data(in, byte);
		return GDB_NOTHING;
	case GDB_ESCAPED:
		in->sum += byte;
		in_keep(in, byte ^ ESCAPE_BIT);
		in->state = GDB_DATA;
		return GDB_NOTHING;
	case GDB_SUM_1:
		in_sum(in, byte);
		in->state = GDB_SUM_2;
		return GDB_NOTHING;
	default:
		in_sum(in, byte);
		return in_end(in);
	}
}

/* ---- what goes out */

#define OUT_MOST	(GDB_PACKET + 1)	/* with the $ */

void gdb_out_begin(struct gdb_out *out)
{
	out->data[0] = '$';
	out->size = 1;
	out->full = false;
}

/* All of it, or nothing. */
static bool out_put(struct gdb_out *out, const void *data, size_t n)
{
	if (n > OUT_MOST - out->size) {
		out->full = true;
		return false;
	}
	memcpy(out->data + out->size, data, n);
	out->size += n;
	return true;
}

void gdb_out_text(struct gdb_out *out, const char *text)
{
	out_put(out, text, strlen(text));
}

void gdb_out_format(struct gdb_out *out, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	gdb_out_text(out, text);
}

void gdb_out_hex(struct gdb_out *out, const void *data, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *byte = data;

	for (; n--; byte++)
		out_put(out, (const char []) { digits[*byte >> 4], digits[*byte & 15] }, 2);
}

static bool out_is_special(uint8_t byte)
{
	return byte == '$' || byte == '#' || byte == ESCAPE || byte == '*';
}

size_t gdb_out_binary(struct gdb_out *out, const void *data, size_t n)
{
	const uint8_t *byte = data;
	size_t i;

	for (i = 0; i < n; i++) {
		const uint8_t escaped[] = { ESCAPE, byte[i] ^ ESCAPE_BIT };

		if (!(out_is_special(byte[i]) ? out_put(out, escaped, 2) : out_put(out, byte + i, 1)))
			break;
	}
	return i;
}

void gdb_out_end(struct gdb_out *out)
{
	uint8_t sum = 0;
	char text[4];
	size_t i;

	for (i = 1; i < out->size; i++)
		sum += out->data[i];
	snprintf(text, sizeof(text), "#%02x", sum);
	memcpy(out->data + out->size, text, 3);
	out->size += 3;
}

/* ---- what a request says */

bool gdb_take_text(const char **at, const char *text)
{
	size_t n = strlen(text);

	if (strncmp(*at, text, n))
		return false;
	*at += n;
	return true;
}

bool gdb_take_hex(const char **at, uint64_t *value)
{
	int n;

	*value = 0;
	for (n = 0; hex_digit(**at) >= 0; n++, ++*at)
		*value = *value << 4 | hex_digit(**at);
	return n > 0 && n <= 16;
}

bool gdb_take_bytes(const char **at, void *data, size_t n)
{
	uint8_t *byte = data;

	for (; n; n--, *at += 2, byte++) {
		int high = hex_digit((*at)[0]), low = high < 0 ? -1 : hex_digit((*at)[1]);

		if (low < 0)
			return false;
		*byte = high << 4 | low;
	}
	return true;
}
