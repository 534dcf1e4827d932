// SPDX-License-Identifier: GPL-2.0
/*
 * A debugger's session, in the main thread's loop: a line from which packets come, and vCPUs
 * that stop. While gdb looks, all vCPUs rest; a packet that comes while they run has them stop.
 * What packets say is the functions below it in gdb_command.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "die.h"
#include "gdb.h"
#include "gdb_line.h"

#define gdb_of(w, member) ((struct gdb *)((char *)(w) - offsetof(struct gdb, member)))

/* ---- the guest stops and goes on */

static void gdb_put(struct gdb *g, const void *data, size_t n)
{
	if (!g->lost)
		g->lost = !gdb_line_send(g->line.fd, data, n);
}

static void gdb_send(struct gdb *g)
{
	gdb_out_end(&g->talk.out);
	gdb_put(g, g->talk.out.data, g->talk.out.size);
}

/* gdb waits for this since it had the guest go on. */
static void gdb_send_stop(struct gdb *g)
{
	gdb_out_begin(&g->talk.out);
	gdb_out_text(&g->talk.out, g->talk.stop);
	gdb_send(g);
}

static void gdb_halt(struct gdb *g)
{
	if (!g->running)
		return;
	gdb_target_stop(&g->talk.target);
	g->running = false;
}

/* The guest rests. Goes on, as gdb_command.c has set; or says why it does not. */
static void gdb_go(struct gdb *g)
{
	struct gdb_event event;

	if (gdb_target_event(&g->talk.target, &event)) {
		gdb_command_stopped(&g->talk, &event);
		gdb_send_stop(g);
		return;
	}
	g->running = true;
	gdb_target_resume(&g->talk.target);
}

static void gdb_detach(struct gdb *g)
{
	gdb_halt(g);
	g->attached = false;
	g->running = true;
	gdb_target_detach(&g->talk.target);
}

/* A vCPU has something to tell. Does the guest rest already, gdb_go() finds that out. */
static void gdb_told(struct watch *w)
{
	struct gdb *g = gdb_of(w, told);
	uint64_t times;

	if (read(w->fd, &times, sizeof(times)) != sizeof(times) || !g->running)
		return;
	gdb_halt(g);
	if (g->attached)
		gdb_go(g);
	else
		gdb_detach(g);
}

/* Ctrl-C. Whoever has something to tell at the same time tells it instead. */
static void gdb_interrupt(struct gdb *g)
{
	struct gdb_event event;

	if (!g->attached || !g->running)
		return;
	gdb_halt(g);
	if (gdb_target_event(&g->talk.target, &event))
		gdb_command_stopped(&g->talk, &event);
	else
		gdb_command_stopped(&g->talk, NULL);
	gdb_send_stop(g);
}

/* ---- the line */

static void gdb_request(struct gdb *g)
{
	enum gdb_next next;

	g->attached = true;
	gdb_halt(g);
	gdb_out_begin(&g->talk.out);
	next = gdb_command(&g->talk);
	if (next != NEXT_GO)
		gdb_send(g);
	switch (next) {
	case NEXT_ANSWER:
		break;
	case NEXT_GO:
		gdb_go(g);
		break;
	case NEXT_DETACH:
		gdb_detach(g);
		break;
	case NEXT_KILL:
		stop_ask(&g->talk.current->vm->stop, ST_QUIT);
		break;
	}
}

static void gdb_byte(struct gdb *g, uint8_t byte)
{
	switch (gdb_in_byte(&g->talk.in, byte)) {
	case GDB_NOTHING:
		break;
	case GDB_REQUEST:
		if (!g->talk.no_ack)
			gdb_put(g, "+", 1);
		gdb_request(g);
		break;
	case GDB_BROKEN:
		if (!g->talk.no_ack)
			gdb_put(g, "-", 1);
		break;
	case GDB_AGAIN:
		if (!g->talk.no_ack)
			gdb_put(g, g->talk.out.data, g->talk.out.size);
		break;
	case GDB_INTERRUPT:
		gdb_interrupt(g);
		break;
	}
}

static void gdb_begin(struct gdb *g, int fd)
{
	memset(&g->talk.in, 0, sizeof(g->talk.in));
	g->lost = false;
	g->talk.out.size = 0;
	g->talk.no_ack = false;
	g->line.fd = fd;
	loop_add(g->loop, &g->line);
}

/* The other side has gone, with or without a word. */
static void gdb_gone(struct gdb *g)
{
	loop_remove(g->loop, &g->line);
	close(g->line.fd);
	g->line.fd = -1;
	if (g->attached || g->listening.fd < 0)
		gdb_detach(g);
	if (g->listening.fd >= 0)
		loop_add(g->loop, &g->listening);
}

static void gdb_ready(struct watch *w)
{
	struct gdb *g = gdb_of(w, line);
	uint8_t bytes[512];
	ssize_t n = read(w->fd, bytes, sizeof(bytes)), i;

	for (i = 0; i < n; i++)
		gdb_byte(g, bytes[i]);
	if (g->lost || n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		gdb_gone(g);
}

static void gdb_connected(struct watch *w)
{
	struct gdb *g = gdb_of(w, listening);
	int fd = gdb_line_accept(w->fd);

	if (fd < 0)
		return;
	loop_remove(g->loop, w);	/* one at a time; the next one waits */
	gdb_begin(g, fd);
}

/* ---- begin and end */

void gdb_check(const char *where)
{
	char *end;
	unsigned long port = strtoul(where, &end, 10);

	if (gdb_line_is_port(where) ? port < 1 || port > 65535 : *where != '/')
		refuse("--gdb takes a port from 1 to 65535 or a terminal's path, not '%s'", where);
}

static void gdb_open(struct gdb *g, const char *where)
{
	int fd;

	g->line = (struct watch) { -1, gdb_ready };
	g->listening = (struct watch) { -1, gdb_connected };
	fd = gdb_line_is_port(where) ? gdb_line_listen(atoi(where)) : gdb_line_open(where);
	if (fd < 0)
		die("--gdb %s: %s", where, strerror(errno));
	if (!gdb_line_is_port(where)) {
		g->talk.loses = true;
		gdb_begin(g, fd);
		return;
	}
	g->listening.fd = fd;
	loop_add(g->loop, &g->listening);
}

void gdb_create(struct gdb *g, const char *where, struct loop *loop, struct vcpu *vcpus,
		unsigned int nr)
{
	struct vm *vm = vcpus[0].vm;

	*g = (struct gdb) { .loop = loop, .talk.current = vcpus };
	gdb_target_create(&g->talk.target, vcpus, nr);
	gdb_open(g, where);
	vm->told = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vm->told < 0)
		die("eventfd: %s", strerror(errno));
	g->told = (struct watch) { vm->told, gdb_told };
	loop_add(loop, &g->told);
	gdb_command_stopped(&g->talk, NULL);
	fprintf(stderr, "minivmm: the guest waits for gdb, target remote %s%s\n",
		gdb_line_is_port(where) ? "localhost:" : "", where);
}

void gdb_end(struct gdb *g, int status)
{
	if (!g->loop)
		return;
	if (g->attached && g->running) {
		gdb_out_begin(&g->talk.out);
		gdb_out_format(&g->talk.out, "W%02x", status);
		gdb_send(g);
	}
	gdb_detach(g);		/* one that has just told something rests, too */
}
