/* SPDX-License-Identifier: GPL-2.0 */
/* Where gdb comes from: a port of this machine, or a serial line. */
#ifndef GDB_LINE_H
#define GDB_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether this is the number of a port, and not a path. */
bool gdb_line_is_port(const char *text);
/* A socket that listens on localhost; -1, and errno. Port 0: any. */
int gdb_line_listen(unsigned int port);
/* Who came; -1. */
int gdb_line_accept(int listening);
/* A terminal, raw, 115200 baud; -1, and errno. */
int gdb_line_open(const char *path);
/* All of it. False: the other side is gone, or takes nothing for some seconds. */
bool gdb_line_send(int fd, const void *data, size_t n);

#endif
