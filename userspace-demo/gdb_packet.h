/* SPDX-License-Identifier: GPL-2.0 */
/* The frames of GDB's remote serial protocol, and its hexadecimal numbers. Pure. */
#ifndef GDB_PACKET_H
#define GDB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GDB_PACKET	4096	/* bytes between $ and #, at most: PacketSize */

/* What a byte of the line has completed. */
enum gdb_got {
	GDB_NOTHING,
	GDB_REQUEST,		/* in->data, in->size; a NUL is behind it */
	GDB_BROKEN,		/* a packet with a wrong checksum, or too long */
	GDB_AGAIN,		/* '-': our last packet was not understood */
	GDB_INTERRUPT,		/* Ctrl-C, between packets */
};

/* Zeroed: between two packets. */
struct gdb_in {
	uint8_t data[GDB_PACKET + 1];
	size_t size;
	enum { GDB_BETWEEN, GDB_DATA, GDB_ESCAPED, GDB_SUM_1, GDB_SUM_2 } state;
	uint8_t sum, told;	/* of the bytes; as the other side has it */
	bool too_long, bad_digit;
};

enum gdb_got gdb_in_byte(struct gdb_in *in, uint8_t byte);

/* An answer while it is made: $data#sum. What does not fit is left out, see full. */
struct gdb_out {
	uint8_t data[GDB_PACKET + 4];
	size_t size;
	bool full;
};

void gdb_out_begin(struct gdb_out *out);
void gdb_out_text(struct gdb_out *out, const char *text);
void gdb_out_format(struct gdb_out *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Bytes as two digits each; or as they are, escaped. */
void gdb_out_hex(struct gdb_out *out, const void *data, size_t n);
/* Returns how many of them there was room for. */
size_t gdb_out_binary(struct gdb_out *out, const void *data, size_t n);
void gdb_out_end(struct gdb_out *out);

/*
 * What a request says, from *at on, which moves behind what was taken. False, and *at
 * anywhere: it does not say that.
 */
bool gdb_take_text(const char **at, const char *text);
bool gdb_take_hex(const char **at, uint64_t *value);
/* Exactly @n bytes of two digits each. */
bool gdb_take_bytes(const char **at, void *data, size_t n);

#endif
