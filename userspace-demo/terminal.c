// SPDX-License-Identifier: GPL-2.0
/*
 * Standard input and output. A terminal is switched to raw mode, so that Ctrl-C
 * reaches the guest; Ctrl-A X quits. There is one in a process: so are the
 * variables here.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "die.h"
#include "terminal.h"

#define CTRL_A	1
#define KEYS	256	/* read at once */

static struct {
	struct watch input;
	struct loop *loop;
	struct serial *serial;
	struct stop *stop;
	bool escape;			/* the last key was Ctrl-A */
	struct termios saved;
	volatile sig_atomic_t raw;	/* it is to be restored */
	bool at_once;			/* somebody waits for what has no newline: a prompt */
	pthread_mutex_t lock;		/* of the output */
	uint8_t output[512];
	size_t used;
} term = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- output: whole lines, so that many characters are one system call */

static void terminal_flush(void)
{
	size_t done = 0;

	while (done < term.used) {
		ssize_t n = write(STDOUT_FILENO, term.output + done, term.used - done);

		if (n < 0 && errno == EPIPE && term.stop)
			stop_ask(term.stop, ST_QUIT);	/* nobody listens any more */
		if (n <= 0)
			break;
		done += n;
	}
	/* A signal, to have this thread rest: what is left comes with the next byte. */
	if (done < term.used && errno == EINTR && term.stop &&
	    stop_status(term.stop) == STOP_NOT && term.used - done < sizeof(term.output)) {
		term.used -= done;
		memmove(term.output, term.output + done, term.used);
		return;
	}
	term.used = 0;
}

void terminal_put(uint8_t byte)
{
	pthread_mutex_lock(&term.lock);
	term.output[term.used++] = byte;
	if (byte == '\n' || term.used == sizeof(term.output) || term.at_once)
		terminal_flush();
	pthread_mutex_unlock(&term.lock);
}

/* ---- the terminal's mode */

/* Also from the handler of a signal: nothing but tcsetattr(). */
static void terminal_restore(void)
{
	if (term.raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &term.saved);
	term.raw = 0;
}

void terminal_end(void)
{
	pthread_mutex_lock(&term.lock);
	terminal_flush();
	pthread_mutex_unlock(&term.lock);
	terminal_restore();
}

/* A fault of our own: as it would be without us, but for the terminal. */
static void terminal_fault(int signal)
{
	terminal_restore();
	raise(signal);
}

static void terminal_raw(void)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	struct sigaction action = { .sa_handler = terminal_fault, .sa_flags = SA_RESETHAND };
	struct termios t;
	size_t i;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &term.saved))
		return;
	term.at_once = true;
	t = term.saved;
	cfmakeraw(&t);
	t.c_oflag |= OPOST | ONLCR;
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigaction(faults[i], &action, NULL);
	term.raw = 1;
	if (tcsetattr(STDIN_FILENO, TCSANOW, &t))
		term.raw = 0;
}

/* ---- input */

/* A key: the guest's, or part of Ctrl-A X. */
static void terminal_key(uint8_t key)
{
	if (term.raw && !term.escape && key == CTRL_A) {
		term.escape = true;
		return;
	}
	if (term.escape && (key == 'x' || key == 'X'))
		stop_ask(term.stop, ST_QUIT);
	else
		serial_input(term.serial, &key, 1);
	term.escape = false;
}

/* Returns false at the end of input. */
static bool terminal_read(void)
{
	uint8_t buffer[KEYS];
	ssize_t n, i;

	n = read(STDIN_FILENO, buffer, sizeof(buffer));
	for (i = 0; i < n; i++)
		terminal_key(buffer[i]);
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

static void terminal_ready(struct watch *w)
{
	if (!terminal_read())
		loop_remove(term.loop, w);
}

void terminal_start(struct loop *loop, struct serial *serial, struct stop *stop)
{
	unsigned int i;

	term.input = (struct watch) { STDIN_FILENO, terminal_ready };
	term.loop = loop;
	term.serial = serial;
	term.stop = stop;
	signal(SIGPIPE, SIG_IGN);
	atexit(terminal_end);
	terminal_raw();
	/* A file is all there at once: as much of it as the serial port holds. */
	if (!loop_add(loop, &term.input))
		for (i = 0; i < SERIAL_INPUT / KEYS && terminal_read(); i++)
			;
}
