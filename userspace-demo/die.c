// SPDX-License-Identifier: GPL-2.0
/*
 * Last words. Called by everybody, and calls nobody: who has something to put
 * right at the end (the terminal) has told atexit().
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "die.h"

static void die_say(const char *format, va_list args, const char *end)
{
	fprintf(stderr, "minivmm: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "%s\n", end);
}

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	die_say(format, args, "");
	va_end(args);
	exit(ST_ERROR);
}

void refuse(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	die_say(format, args, " (see minivmm --help)");
	va_end(args);
	exit(ST_USAGE);
}
