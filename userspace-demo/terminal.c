// SPDX-License-Identifier: GPL-2.0
/*
 * Standard input becomes the serial port's. On a terminal it is switched to raw
 * mode, so that Ctrl-C reaches the guest; Ctrl-A X quits.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "vmm.h"

#define CTRL_A	1

static struct termios saved;
static bool raw;

void terminal_restore(void)
{
	if (raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	raw = false;
}

static void terminal_raw(void)
{
	struct termios t;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &saved))
		return;
	t = saved;
	cfmakeraw(&t);
	t.c_oflag |= OPOST | ONLCR;
	raw = !tcsetattr(STDIN_FILENO, TCSANOW, &t);
	atexit(terminal_restore);
}

/* Returns whether the byte is the guest's. */
static bool for_guest(struct vmm *vmm, uint8_t byte)
{
	static bool escape;

	if (!raw)
		return true;
	if (!escape && byte == CTRL_A) {
		escape = true;
		return false;
	}
	if (escape && (byte == 'x' || byte == 'X'))
		vmm_stop(vmm, ST_QUIT);
	escape = false;
	return byte != 'x' || !vmm->done;
}

static void *reader(void *arg)
{
	struct vmm *vmm = arg;
	uint8_t buffer[256];
	ssize_t n, i;

	while ((n = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0)
		for (i = 0; i < n; i++)
			if (for_guest(vmm, buffer[i]))
				serial_input(vmm, &buffer[i], 1);
	return NULL;
}

/* Begin to listen. Signals stay with the thread that runs the vCPU. */
void terminal_start(struct vmm *vmm)
{
	pthread_t thread;
	sigset_t all, old;

	terminal_raw();
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&thread, NULL, reader, vmm))
		die("no thread for the terminal");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_detach(thread);
}
