/* SPDX-License-Identifier: GPL-2.0 */
/* Breakpoints and watchpoints: bytes in guest memory, and debug registers. Pure. */
#ifndef GDB_BREAK_H
#define GDB_BREAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GDB_BREAKS	64
#define DEBUG_REGISTERS	4

/* gdb's numbers: Z0 to Z4. */
enum gdb_break_type { BREAK_SOFTWARE, BREAK_HARDWARE, WATCH_WRITE, WATCH_READ, WATCH_ACCESS };

/* One that gdb asked for. Either where or dr is in use. */
struct gdb_break {
	enum gdb_break_type type;
	uint64_t address;	/* the guest's, linear */
	uint8_t length;		/* of what is watched */
	uint8_t *where;		/* the byte that is an INT3 now; NULL: a debug register serves */
	uint8_t was;		/* what it was */
	int dr;
};

/* Zeroed: none. */
struct gdb_breaks {
	struct gdb_break all[GDB_BREAKS];
	unsigned int nr;
};

/*
 * @where: for BREAK_SOFTWARE the byte in our memory, or NULL if the guest has none there now:
 * a debug register will do. One that is there already is set once. False: no room.
 */
bool gdb_break_set(struct gdb_breaks *b, enum gdb_break_type type, uint64_t address,
		   uint64_t length, uint8_t *where);
/* False: there is none. */
bool gdb_break_clear(struct gdb_breaks *b, enum gdb_break_type type, uint64_t address,
		     uint64_t length);
void gdb_breaks_clear_all(struct gdb_breaks *b);

/* Who stops for an INT3 at @address, for one of these bits of DR6; or NULL. */
const struct gdb_break *gdb_break_of_int3(const struct gdb_breaks *b, uint64_t address);
const struct gdb_break *gdb_break_of_dr6(const struct gdb_breaks *b, uint64_t dr6);
/* Whether there is an INT3 of ours. */
bool gdb_breaks_planted(const struct gdb_breaks *b);
/* Fills in DR0 to DR3 and returns DR7; 0: none is in use. */
uint64_t gdb_breaks_registers(const struct gdb_breaks *b, unsigned long long dr[DEBUG_REGISTERS]);

/* Guest memory as if there was no INT3 of ours in it: @n bytes from @where and to it. */
void gdb_breaks_read(const struct gdb_breaks *b, const uint8_t *where, uint8_t *data, size_t n);
void gdb_breaks_write(struct gdb_breaks *b, uint8_t *where, const uint8_t *data, size_t n);

#endif
