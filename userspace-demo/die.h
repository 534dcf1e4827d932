/* SPDX-License-Identifier: GPL-2.0 */
/* How minivmm ends: its exit statuses, and last words. */
#ifndef DIE_H
#define DIE_H

/* As --help and README.md list them. */
enum { ST_POWER_OFF = 0, ST_ERROR = 1, ST_USAGE = 2, ST_CRASH = 3, ST_RESET = 4, ST_TIMEOUT = 5,
	ST_QUIT = 6 };

/* One sentence on stderr, and ST_ERROR: something here is not as it has to be. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* The same with ST_USAGE: what was asked for cannot be had. Nothing has been done yet. */
void refuse(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
