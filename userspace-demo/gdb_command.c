// SPDX-License-Identifier: GPL-2.0
/*
 * Requests, by their first letters. An empty answer says that there is no such thing here,
 * an answer E and two digits that it did not work. Each vCPU is a thread, numbered from 1.
 * GDB manual, "Remote Protocol", "Packets".
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "gdb_command.h"
#include "gdb_regs.h"

enum { SIGNAL_INT = 2, SIGNAL_TRAP = 5, SIGNAL_SEGV = 11 };	/* gdb's numbers */
enum { ERROR_FAULT = 0x14, ERROR_INVALID = 0x22 };		/* any will do */

#define CHUNK	(GDB_PACKET / 2)	/* bytes of memory in one packet, at most */

static enum gdb_next answer_error(struct gdb_talk *talk, unsigned int error)
{
	gdb_out_begin(&talk->out);	/* whatever was there */
	gdb_out_format(&talk->out, "E%02x", error);
	return NEXT_ANSWER;
}

static enum gdb_next answer_ok(struct gdb_talk *talk, bool ok)
{
	if (!ok)
		return answer_error(talk, ERROR_INVALID);
	gdb_out_text(&talk->out, "OK");
	return NEXT_ANSWER;
}

static enum gdb_next answer_text(struct gdb_talk *talk, const char *text)
{
	gdb_out_text(&talk->out, text);
	return NEXT_ANSWER;
}

/* ---- threads */

/* A thread's number; NULL: no such one. 0 and -1, any and all, are @all. */
static struct vcpu *take_thread(struct gdb_talk *talk, const char **at, struct vcpu *all)
{
	uint64_t number;

	if (gdb_take_text(at, "-1"))
		return all;
	if (!gdb_take_hex(at, &number) || number > talk->target.nr)
		return NULL;
	return number ? &talk->target.vcpus[number - 1] : all;
}

static enum gdb_next command_set_thread(struct gdb_talk *talk, const char *at)
{
	bool general = *at == 'g';
	struct vcpu *vcpu;

	if (!general && *at != 'c')
		return NEXT_ANSWER;
	at++;
	vcpu = take_thread(talk, &at, talk->current);
	if (vcpu && general)
		talk->current = vcpu;
	return answer_ok(talk, vcpu);
}

static enum gdb_next command_alive(struct gdb_talk *talk, const char *at)
{
	return answer_ok(talk, take_thread(talk, &at, NULL));
}

static enum gdb_next query_threads(struct gdb_talk *talk, const char *at)
{
	unsigned int i;

	for (i = 0; i < talk->target.nr; i++)
		gdb_out_format(&talk->out, "%c%x", i ? ',' : 'm', i + 1);
	return NEXT_ANSWER;
}

static enum gdb_next query_no_more(struct gdb_talk *talk, const char *at)
{
	return answer_text(talk, "l");
}

static enum gdb_next query_current(struct gdb_talk *talk, const char *at)
{
	if (*at)	/* "qCRC:" is another one */
		return NEXT_ANSWER;
	gdb_out_format(&talk->out, "QC%x", talk->current->id + 1);
	return NEXT_ANSWER;
}

/* What "info threads" shows beside the number. */
static enum gdb_next query_thread_text(struct gdb_talk *talk, const char *at)
{
	struct vcpu *vcpu = take_thread(talk, &at, NULL);
	struct minikvm_mp_state mp;
	const char *state = "";
	char text[32];

	if (!vcpu)
		return answer_error(talk, ERROR_INVALID);
	if (!ioctl(vcpu->fd, MINIKVM_GET_MP_STATE, &mp)) {
		if (mp.mp_state == MINIKVM_MP_STATE_UNINITIALIZED)
			state = ", not started";
		else if (mp.mp_state == MINIKVM_MP_STATE_HALTED)
			state = ", halted";
	}
	snprintf(text, sizeof(text), "vCPU %u%s", vcpu->id, state);
	gdb_out_hex(&talk->out, text, strlen(text));
	return NEXT_ANSWER;
}

/* ---- registers and memory */

static enum gdb_next command_get_registers(struct gdb_talk *talk, const char *at)
{
	gdb_regs_get(talk->current, &talk->out);
	return NEXT_ANSWER;
}

static enum gdb_next command_set_registers(struct gdb_talk *talk, const char *at)
{
	return answer_ok(talk, gdb_regs_set(talk->current, at));
}

static enum gdb_next command_get_register(struct gdb_talk *talk, const char *at)
{
	uint64_t number;

	if (!gdb_take_hex(&at, &number) || !gdb_reg_get(talk->current, number, &talk->out))
		return answer_error(talk, ERROR_INVALID);
	return NEXT_ANSWER;
}

static enum gdb_next command_set_register(struct gdb_talk *talk, const char *at)
{
	uint64_t number;

	return answer_ok(talk, gdb_take_hex(&at, &number) && gdb_take_text(&at, "=") &&
			 gdb_reg_set(talk->current, number, at));
}

/* "ADDRESS,LENGTH" */
static bool take_range(const char **at, uint64_t *address, uint64_t *length)
{
	return gdb_take_hex(at, address) && gdb_take_text(at, ",") && gdb_take_hex(at, length);
}

/* As much as there is up to the end of the page from which on there is none. */
static size_t read_some(struct gdb_talk *talk, uint64_t address, uint8_t *data, size_t n)
{
	const struct gdb_target *t = &talk->target;
	size_t rest;

	if (gdb_target_read(t, talk->current, address, data, n))
		return n;
	rest = -address % 4096;
	return rest && rest < n && gdb_target_read(t, talk->current, address, data, rest) ? rest : 0;
}

static enum gdb_next command_read_memory(struct gdb_talk *talk, const char *at)
{
	uint64_t address, length;
	uint8_t data[CHUNK];
	size_t n;

	if (!take_range(&at, &address, &length))
		return answer_error(talk, ERROR_INVALID);
	n = read_some(talk, address, data, length < CHUNK ? length : CHUNK);
	if (length && !n)
		return answer_error(talk, ERROR_FAULT);
	gdb_out_hex(&talk->out, data, n);
	return NEXT_ANSWER;
}

static enum gdb_next write_memory(struct gdb_talk *talk, uint64_t address, const uint8_t *data,
				  size_t n)
{
	if (!gdb_target_write(&talk->target, talk->current, address, data, n))
		return answer_error(talk, ERROR_FAULT);
	return answer_ok(talk, true);
}

static enum gdb_next command_write_memory(struct gdb_talk *talk, const char *at)
{
	uint64_t address, length;
	uint8_t data[CHUNK];

	if (!take_range(&at, &address, &length) || !gdb_take_text(&at, ":") || length > CHUNK ||
	    !gdb_take_bytes(&at, data, length) || *at)
		return answer_error(talk, ERROR_INVALID);
	return write_memory(talk, address, data, length);
}

/* Bytes as they are; there may be a 0 among them. */
static enum gdb_next command_write_binary(struct gdb_talk *talk, const char *at)
{
	const char *end = (const char *)talk->in.data + talk->in.size;
	uint64_t address, length;

	if (!take_range(&at, &address, &length) || !gdb_take_text(&at, ":") ||
	    length != (size_t)(end - at))
		return answer_error(talk, ERROR_INVALID);
	return write_memory(talk, address, (const uint8_t *)at, length);
}

/* ---- breakpoints: "TYPE,ADDRESS,LENGTH", and conditions, which we did not promise */

static enum gdb_next command_break(struct gdb_talk *talk, const char *at, bool set)
{
	uint64_t type, address, length;

	if (!gdb_take_hex(&at, &type) || !gdb_take_text(&at, ",") ||
	    !take_range(&at, &address, &length))
		return answer_error(talk, ERROR_INVALID);
	if (type > WATCH_ACCESS || type == WATCH_READ)	/* not on this processor */
		return NEXT_ANSWER;
	if (!set)
		return answer_ok(talk, gdb_break_clear(&talk->target.breaks, type, address, length));
	return answer_ok(talk, gdb_target_break(&talk->target, talk->current, type, address, length));
}

static enum gdb_next command_set_break(struct gdb_talk *talk, const char *at)
{
	return command_break(talk, at, true);
}

static enum gdb_next command_clear_break(struct gdb_talk *talk, const char *at)
{
	return command_break(talk, at, false);
}

/* ---- the guest goes on, and why it stopped */

static void act_all(struct gdb_talk *talk, enum gdb_action action)
{
	unsigned int i;

	for (i = 0; i < talk->target.nr; i++)
		talk->target.action[i] = action;
}

static enum gdb_next command_continue(struct gdb_talk *talk, const char *at)
{
	act_all(talk, ACTION_GO);
	return NEXT_GO;
}

static enum gdb_next command_step(struct gdb_talk *talk, const char *at)
{
	act_all(talk, ACTION_STAY);
	talk->target.action[talk->current->id] = ACTION_STEP;
	return NEXT_GO;
}

static enum gdb_next query_continue(struct gdb_talk *talk, const char *at)
{
	return answer_text(talk, "vCont;c;C;s;S");
}

/* One action, "s:1" or "c": for whom there was none yet. False: it is none. */
static bool take_action(struct gdb_talk *talk, const char **at, bool had[MAX_CPUS])
{
	enum gdb_action action;
	struct vcpu *one = NULL;
	uint64_t signal;
	unsigned int i;
	char letter = *(*at)++;

	if (letter == 'c' || letter == 'C')
		action = ACTION_GO;
	else if (letter == 's' || letter == 'S')
		action = ACTION_STEP;
	else
		return false;
	if ((letter == 'C' || letter == 'S') && !gdb_take_hex(at, &signal))
		return false;
	if (gdb_take_text(at, ":") && !gdb_take_text(at, "-1")) {
		one = take_thread(talk, at, NULL);
		if (!one)
			return false;
	}
	for (i = 0; i < talk->target.nr; i++) {
		if (had[i] || (one && one->id != i))
			continue;
		had[i] = true;
		talk->target.action[i] = action;
	}
	return true;
}

static enum gdb_next command_actions(struct gdb_talk *talk, const char *at)
{
	bool had[MAX_CPUS] = { };

	act_all(talk, ACTION_STAY);
	while (gdb_take_text(&at, ";"))
		if (!take_action(talk, &at, had))
			return answer_error(talk, ERROR_INVALID);
	return *at ? answer_error(talk, ERROR_INVALID) : NEXT_GO;
}

static enum gdb_next command_why(struct gdb_talk *talk, const char *at)
{
	return answer_text(talk, talk->stop);
}

/* What a stop reply says of a breakpoint. */
static void stop_reason(const struct gdb_talk *talk, const struct gdb_break *of, char text[32])
{
	static const char *const watch[] = { [WATCH_WRITE] = "watch", [WATCH_ACCESS] = "awatch" };

	*text = '\0';
	if (of->type >= WATCH_WRITE)
		snprintf(text, 32, "%s:%llx;", watch[of->type], (unsigned long long)of->address);
	else if (of->type == BREAK_SOFTWARE && talk->knows_swbreak)
		strcpy(text, "swbreak:;");
	else if (of->type == BREAK_HARDWARE && talk->knows_hwbreak)
		strcpy(text, "hwbreak:;");
}

void gdb_command_stopped(struct gdb_talk *talk, const struct gdb_event *event)
{
	int signal = SIGNAL_TRAP;
	char reason[32] = "";

	if (!event)
		signal = SIGNAL_INT;
	else if (event->what == STOP_CRASH)
		signal = SIGNAL_SEGV;
	if (event) {
		talk->current = event->vcpu;
		if (event->of)
			stop_reason(talk, event->of, reason);
	}
	snprintf(talk->stop, sizeof(talk->stop), "T%02xthread:%x;%s", signal,
		 talk->current->id + 1, reason);
}

/* ---- the session */

static enum gdb_next query_supported(struct gdb_talk *talk, const char *at)
{
	talk->knows_swbreak = strstr(at, "swbreak+");
	talk->knows_hwbreak = strstr(at, "hwbreak+");
	gdb_out_format(&talk->out, "PacketSize=%x;qXfer:features:read+;vContSupported+;"
		       "swbreak+;hwbreak+%s", GDB_PACKET,
		       talk->loses ? "" : ";QStartNoAckMode+");
	return NEXT_ANSWER;
}

static enum gdb_next set_no_ack(struct gdb_talk *talk, const char *at)
{
	talk->no_ack = true;
	return answer_ok(talk, true);
}

/* The machine was there before gdb, and stays: gdb's end is a detach. */
static enum gdb_next query_attached(struct gdb_talk *talk, const char *at)
{
	return answer_text(talk, "1");
}

/* "OFFSET,LENGTH" of the target description. */
static enum gdb_next query_description(struct gdb_talk *talk, const char *at)
{
	const char *text = gdb_regs_description();
	uint64_t offset, length, size = strlen(text);

	if (!take_range(&at, &offset, &length))
		return answer_error(talk, ERROR_INVALID);
	if (offset > size)
		offset = size;
	if (length > size - offset)
		length = size - offset;
	if (length > CHUNK)		/* there is room for it, whatever is in it */
		length = CHUNK - 1;
	gdb_out_text(&talk->out, offset + length < size ? "m" : "l");
	gdb_out_binary(&talk->out, text + offset, length);
	return NEXT_ANSWER;
}

static enum gdb_next command_detach(struct gdb_talk *talk, const char *at)
{
	answer_ok(talk, true);
	return NEXT_DETACH;
}

static enum gdb_next command_kill(struct gdb_talk *talk, const char *at)
{
	answer_ok(talk, true);
	return NEXT_KILL;
}

/* The first that a request begins with counts. */
static const struct {
	const char *name;
	enum gdb_next (*does)(struct gdb_talk *talk, const char *at);	/* @at: behind the name */
} commands[] = {
	{ "?", command_why },
	{ "g", command_get_registers }, { "G", command_set_registers },
	{ "p", command_get_register }, { "P", command_set_register },
	{ "m", command_read_memory }, { "M", command_write_memory },
	{ "X", command_write_binary },
	{ "Z", command_set_break }, { "z", command_clear_break },
	{ "vCont?", query_continue }, { "vCont", command_actions },
	{ "c", command_continue }, { "C", command_continue },
	{ "s", command_step }, { "S", command_step },
	{ "H", command_set_thread }, { "T", command_alive },
	{ "qfThreadInfo", query_threads }, { "qsThreadInfo", query_no_more },
	{ "qThreadExtraInfo,", query_thread_text }, { "qC", query_current },
	{ "qSupported", query_supported }, { "QStartNoAckMode", set_no_ack },
	{ "qAttached", query_attached },
	{ "qXfer:features:read:target.xml:", query_description },
	{ "D", command_detach }, { "k", command_kill }, { "vKill", command_kill },
};

enum gdb_next gdb_command(struct gdb_talk *talk)
{
	const char *request = (const char *)talk->in.data;
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const char *at = request;

		if (gdb_take_text(&at, commands[i].name))
			return commands[i].does(talk, at);
	}
	return NEXT_ANSWER;
}
