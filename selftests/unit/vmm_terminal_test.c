// SPDX-License-Identifier: GPL-2.0
/* minivmm's terminal, loop and ends: userspace-demo/terminal.c, loop.c, stop.c. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "unit.h"
#include "../../userspace-demo/die.c"
#include "../../userspace-demo/loop.c"
#include "../../userspace-demo/stop.c"
#include "../../userspace-demo/terminal.c"

static uint8_t typed[8192];
static size_t typed_n;

void serial_input(struct serial *s, const uint8_t *data, size_t n)
{
	(void)s;
	while (n-- && typed_n < sizeof(typed))
		typed[typed_n++] = *data++;
}

/* Standard input becomes this descriptor. */
static void input_from(int fd)
{
	if (fd < 0 || dup2(fd, STDIN_FILENO) < 0)
		die("dup2: %s", strerror(errno));
	close(fd);
	typed_n = 0;
}

/* Standard input becomes a terminal; returns its other end. */
static int pseudo_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	if (master < 0 || grantpt(master) || unlockpt(master))
		die("no pseudo-terminal: %s", strerror(errno));
	input_from(open(ptsname(master), O_RDWR | O_NOCTTY));
	return master;
}

static struct loop loop;
static struct stop stop;

/* Returns the status with which the run ended. */
static int run_until_end(unsigned int timeout, void (*meanwhile)(int arg), int arg)
{
	loop_create(&loop);
	stop_create(&stop, &loop, timeout);
	terminal_start(&loop, NULL, &stop);
	if (meanwhile)
		meanwhile(arg);
	loop_run(&loop);
	terminal_end();
	return stop_status(&stop);
}

static bool is_raw(void)
{
	struct termios t;

	return !tcgetattr(STDIN_FILENO, &t) && !(t.c_lflag & (ICANON | ISIG | ECHO));
}

static void type_and_quit(int master)
{
	CHECK(is_raw());
	CHECK_EQ(write(master, "a\3\1\1bx\1zc\1x", 11), 11);
}

static void keys_and_the_way_out(void)
{
	struct termios before = { }, after = { };	/* padding, too */
	int master = pseudo_terminal();

	CHECK(!tcgetattr(STDIN_FILENO, &before));
	CHECK(!is_raw());
	CHECK_EQ(run_until_end(10, type_and_quit, master), ST_QUIT);
	/* Ctrl-C is the guest's; Ctrl-A is once if twice, and nothing else loses its key. */
	CHECK_EQ(typed_n, 7);
	CHECK(!memcmp(typed, "a\3\1bxzc", 7));
	CHECK(!tcgetattr(STDIN_FILENO, &after));
	CHECK(!memcmp(&before, &after, sizeof(before)));
	close(master);
}

static void hang_up(int master)
{
	close(master);
}

/* The far end goes away: no input any more, and no loop that spins. */
static void a_terminal_goes_away(void)
{
	struct timespec cpu;

	CHECK_EQ(run_until_end(1, hang_up, pseudo_terminal()), ST_TIMEOUT);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	CHECK(cpu.tv_sec == 0);
}

static void send_signal(int signal)
{
	kill(getpid(), signal);
}

static void signals_end_a_run(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct signalfd_siginfo info;
	struct termios before = { }, after = { };	/* padding, too */
	int master = pseudo_terminal();
	size_t i;

	CHECK(!tcgetattr(STDIN_FILENO, &before));
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		CHECK_EQ(run_until_end(10, send_signal, signals[i]), ST_QUIT);
		CHECK_EQ(read(stop.signals.fd, &info, sizeof(info)), sizeof(info));
		CHECK_EQ(info.ssi_signo, signals[i]);
		CHECK(!tcgetattr(STDIN_FILENO, &after));
		CHECK(!memcmp(&before, &after, sizeof(before)));
	}
	close(master);
}

static void nohup_outlives_the_terminal(void)
{
	input_from(open("/dev/null", O_RDONLY));
	signal(SIGHUP, SIG_IGN);
	pthread_sigmask(SIG_SETMASK, &(sigset_t) { }, NULL);
	CHECK_EQ(run_until_end(1, send_signal, SIGHUP), ST_TIMEOUT);
	signal(SIGHUP, SIG_DFL);
}

static void ask_twice(int unused)
{
	(void)unused;
	CHECK_EQ(stop_status(&stop), STOP_NOT);
	stop_ask(&stop, ST_CRASH);
	stop_ask(&stop, ST_POWER_OFF);
}

static void who_asks_first_decides(void)
{
	input_from(open("/dev/null", O_RDONLY));
	CHECK_EQ(run_until_end(10, ask_twice, 0), ST_CRASH);
}

static void a_time_limit(void)
{
	input_from(open("/dev/null", O_RDONLY));
	CHECK_EQ(run_until_end(1, NULL, 0), ST_TIMEOUT);
}

static void a_file_is_there_at_once(void)
{
	FILE *file = tmpfile();

	fputs("one\1two\n", file);
	rewind(file);
	input_from(dup(fileno(file)));
	CHECK_EQ(run_until_end(1, NULL, 0), ST_TIMEOUT);
	CHECK_EQ(typed_n, 8);
	CHECK(!memcmp(typed, "one\1two\n", 8));
	fclose(file);
}

static void a_file_without_end(void)
{
	input_from(open("/dev/zero", O_RDONLY));
	CHECK_EQ(run_until_end(1, NULL, 0), ST_TIMEOUT);
	CHECK_EQ(typed_n, SERIAL_INPUT);
}

static void write_and_close(int fd)
{
	CHECK_EQ(write(fd, "abc", 3), 3);
	close(fd);
}

static void a_pipe_that_ends(void)
{
	int ends[2];

	CHECK(!pipe(ends));
	input_from(ends[0]);
	CHECK_EQ(run_until_end(1, write_and_close, ends[1]), ST_TIMEOUT);
	CHECK_EQ(typed_n, 3);
}

int main(void)
{
	signal(SIGHUP, SIG_DFL);	/* whatever make check was called by */
	RUN(a_terminal_goes_away);
	RUN(keys_and_the_way_out);
	RUN(signals_end_a_run);
	RUN(nohup_outlives_the_terminal);
	RUN(who_asks_first_decides);
	RUN(a_time_limit);
	RUN(a_file_is_there_at_once);
	RUN(a_file_without_end);
	RUN(a_pipe_that_ends);
	return unit_end();
}
