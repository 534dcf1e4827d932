// SPDX-License-Identifier: GPL-2.0
/*
 * A debugger's session with minivmm, over a socket, while two vCPUs run in threads of their
 * own: userspace-demo/gdb.c, gdb_line.c, hold.c, run.c. A vCPU here does nothing until it is
 * told what to come out with.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit.h"

static int fake_ioctl(int fd, unsigned long request, ...);
#include <sys/ioctl.h>
#include "../../userspace-demo/die.c"
#include "../../userspace-demo/loop.c"
#include "../../userspace-demo/stop.c"
#include "../../userspace-demo/memory.c"
#include "../../userspace-demo/bus.c"
#include "../../userspace-demo/gdb_packet.c"
#include "../../userspace-demo/gdb_break.c"
#include "../../userspace-demo/gdb_line.c"
#define ioctl fake_ioctl
#include "../../userspace-demo/hold.c"
#include "../../userspace-demo/run.c"
#include "../../userspace-demo/gdb_regs.c"
#include "../../userspace-demo/gdb_target.c"
#include "../../userspace-demo/gdb_command.c"
#undef SIZE_OF
#include "../../userspace-demo/gdb.c"

#define VCPUS	2

static struct vm vm;
static struct vcpu vcpus[VCPUS];
static struct minikvm_run pages[VCPUS];
static struct loop loop;
static struct gdb gdb;
static uint8_t mem[4096];
static int client = -1;

/* Of each vCPU, atomic: an exit that it is to make (0: none), whether it is in the guest. */
static int next_exit[VCPUS], inside[VCPUS];
static uint32_t control[VCPUS];

void stats_begin(struct run_stats *s) { (void)s; }
void stats_exit(struct run_stats *s, uint32_t reason) { (void)s; (void)reason; }
void stats_end(struct run_stats *s) { (void)s; }

static int fake_run(int i)
{
	struct minikvm_run *run = &pages[i];

	for (;;) {
		if (*(volatile uint8_t *)&run->immediate_exit) {
			errno = EINTR;
			return -1;
		}
		run->exit_reason = __atomic_exchange_n(&next_exit[i], 0, __ATOMIC_ACQ_REL);
		if (run->exit_reason)
			return 0;
		__atomic_store_n(&inside[i], 1, __ATOMIC_RELEASE);
		usleep(200);
		__atomic_store_n(&inside[i], 0, __ATOMIC_RELEASE);
	}
}

/* The descriptor is the vCPU's number. */
static int fake_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	switch (request) {
	case MINIKVM_RUN:
		return fake_run(fd);
	case MINIKVM_CHECK_EXTENSION:
		return MINIKVM_GUESTDBG_VALID_MASK;
	case MINIKVM_SET_GUEST_DEBUG:
		CHECK(!__atomic_load_n(&inside[fd], __ATOMIC_ACQUIRE));
		control[fd] = ((struct minikvm_guest_debug *)arg)->control;
		return 0;
	case MINIKVM_TRANSLATE:
		((struct minikvm_translation *)arg)->valid = 1;
		((struct minikvm_translation *)arg)->physical_address =
			((struct minikvm_translation *)arg)->linear_address % sizeof(mem);
		return 0;
	default:	/* registers: all are 0 */
		CHECK(fd >= VCPUS || !__atomic_load_n(&inside[fd], __ATOMIC_ACQUIRE));
		return 0;
	}
}

/* ---- gdb's side, in a thread of its own */

static void put(const char *bytes)
{
	CHECK_EQ(write(client, bytes, strlen(bytes)), (long)strlen(bytes));
}

/* The next packet that comes; "" if none does. */
static const char *packet(void)
{
	static struct gdb_in in;
	struct pollfd ready = { .fd = client, .events = POLLIN };
	uint8_t byte;

	while (poll(&ready, 1, 5000) == 1 && read(client, &byte, 1) == 1)
		if (gdb_in_byte(&in, byte) == GDB_REQUEST)
			return (char *)in.data;
	return "";
}

static const char *ask(const char *request)
{
	struct gdb_out out;

	gdb_out_begin(&out);
	gdb_out_text(&out, request);
	gdb_out_end(&out);
	CHECK_EQ(write(client, out.data, out.size), (long)out.size);
	return packet();
}

static void go(void)
{
	struct gdb_out out;

	gdb_out_begin(&out);
	gdb_out_text(&out, "vCont;c");
	gdb_out_end(&out);
	CHECK_EQ(write(client, out.data, out.size), (long)out.size);
}

#define CHECK_SAYS(said, answer)	do {				\
	const char *unit_said = said;					\
	if (strcmp(unit_said, answer)) {				\
		printf("# %s:%d: %s says %s\n", __FILE__, __LINE__, #said, unit_said); \
		unit_bad = 1;						\
	}								\
} while (0)

static void dial(void)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);

	CHECK(!getsockname(gdb.listening.fd, (struct sockaddr *)&address, &size));
	CHECK_EQ(ntohl(address.sin_addr.s_addr), INADDR_LOOPBACK);
	client = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(!connect(client, (struct sockaddr *)&address, size));
}

/* Whether a vCPU comes into the guest. */
static bool runs(int i)
{
	int n;

	for (n = 0; n < 5000; n++) {
		if (__atomic_load_n(&inside[i], __ATOMIC_ACQUIRE))
			return true;
		usleep(1000);
	}
	return false;
}

static void come_out(int i, uint32_t exception, uint64_t pc, uint64_t dr6)
{
	pages[i].debug.arch = (struct minikvm_debug_exit_arch) {
		.exception = exception, .pc = pc, .dr6 = dr6,
	};
	__atomic_store_n(&next_exit[i], MINIKVM_EXIT_DEBUG, __ATOMIC_RELEASE);
}

static void *talk_breakpoint(void *arg)
{
	dial();
	CHECK(strstr(ask("qSupported:swbreak+"), "QStartNoAckMode+"));
	CHECK_SAYS(ask("?"), "T02thread:1;");
	CHECK(!inside[0] && !inside[1]);
	CHECK_SAYS(ask("Z0,10,1"), "OK");
	go();
	CHECK(runs(0) && runs(1));
	CHECK(control[0] & control[1] & MINIKVM_GUESTDBG_USE_SW_BP);
	/* The guest's own: nobody hears of it. */
	come_out(0, 3, 0x20, 0);
	usleep(50000);
	CHECK(runs(0) && runs(1));
	come_out(1, 3, 0x10, 0);
	CHECK_SAYS(packet(), "T05thread:2;swbreak:;");
	CHECK(!inside[0] && !inside[1]);
	go();
	CHECK(runs(0) && runs(1));
	put("\3");
	CHECK_SAYS(packet(), "T02thread:2;");
	CHECK_SAYS(ask("D"), "OK");
	CHECK(runs(0) && runs(1));
	CHECK_EQ(mem[0x10], 0);
	CHECK_EQ(control[0], 0);
	close(client);
	/* Another one: its first word stops the guest. */
	dial();
	CHECK(runs(0));
	CHECK_SAYS(ask("?"), "T02thread:2;");
	CHECK(!inside[0] && !inside[1]);
	CHECK_SAYS(ask("k"), "OK");
	return arg;
}

/* gdb goes without a word, in the middle of one; the next one finds all in order. */
static void *talk_hang_up(void *arg)
{
	dial();
	CHECK_SAYS(ask("Z0,10,1"), "OK");
	CHECK_EQ(mem[0x10], 0xcc);
	put("$m0,1");
	close(client);
	CHECK(runs(0) && runs(1));
	CHECK_EQ(mem[0x10], 0);
	dial();
	put("$nonsense#zz$?#3f");
	CHECK_SAYS(packet(), "T02thread:1;");
	close(client);
	CHECK(runs(0));
	dial();
	CHECK_SAYS(ask("vKill;1"), "OK");
	return arg;
}

/* The guest ends while a vCPU of it is about to tell something. */
static void *talk_end(void *arg)
{
	dial();
	CHECK_SAYS(ask("Z0,10,1"), "OK");
	go();
	CHECK(runs(0) && runs(1));
	come_out(0, 3, 0x10, 0);
	stop_ask(&vm.stop, ST_POWER_OFF);
	packet();
	return arg;
}

static void *talk_crash(void *arg)
{
	dial();
	CHECK_SAYS(ask("?"), "T02thread:1;");
	go();
	CHECK(runs(1));
	__atomic_store_n(&next_exit[1], MINIKVM_EXIT_SHUTDOWN, __ATOMIC_RELEASE);
	CHECK_SAYS(packet(), "T0bthread:2;");
	CHECK_EQ(strlen(ask("p10")), 16);
	go();
	CHECK_SAYS(packet(), "W03");
	return arg;
}

/* Without gdb a crash is the end, and no rest. */
static void *talk_crash_alone(void *arg)
{
	dial();
	CHECK_SAYS(ask("D"), "OK");
	CHECK(runs(1));
	__atomic_store_n(&next_exit[1], MINIKVM_EXIT_SHUTDOWN, __ATOMIC_RELEASE);
	return arg;
}

/* A whole run; returns its status. */
static int session(void *(*talk)(void *arg))
{
	pthread_t thread;
	int i;

	memset(mem, 0, sizeof(mem));
	memset(next_exit, 0, sizeof(next_exit));
	memset(pages, 0, sizeof(pages));
	vm = (struct vm) { .memory = { .nr = 1, .range[0] = { .size = sizeof(mem), .host = mem } } };
	hold_create(&vm);
	loop_create(&loop);
	stop_create(&vm.stop, &loop, 60);
	for (i = 0; i < VCPUS; i++)
		vcpus[i] = (struct vcpu) { .vm = &vm, .id = i, .fd = i, .run = &pages[i] };
	gdb_create(&gdb, "0", &loop, vcpus, VCPUS);
	for (i = 0; i < VCPUS; i++)
		vcpu_start(&vcpus[i]);
	pthread_create(&thread, NULL, talk, NULL);
	loop_run(&loop);
	gdb_end(&gdb, stop_status(&vm.stop));
	for (i = 0; i < VCPUS; i++)
		vcpu_join(&vcpus[i]);
	pthread_join(thread, NULL);
	close(client);
	close(gdb.listening.fd);
	if (gdb.line.fd >= 0)
		close(gdb.line.fd);
	close(loop.epoll);
	return stop_status(&vm.stop);
}

static void breakpoints_interrupt_and_detach(void)
{
	CHECK_EQ(session(talk_breakpoint), ST_QUIT);
}

static void gdb_hangs_up(void)
{
	CHECK_EQ(session(talk_hang_up), ST_QUIT);
}

static void the_end_in_the_middle(void)
{
	int i;

	for (i = 0; i < 30; i++)
		CHECK_EQ(session(talk_end), ST_POWER_OFF);
}

static void a_crash(void)
{
	CHECK_EQ(session(talk_crash), ST_CRASH);
}

static void a_crash_alone(void)
{
	CHECK_EQ(session(talk_crash_alone), ST_CRASH);
}

/* A terminal is made raw; something else is refused. */
static void serial_line(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), fd;
	struct termios t;
	char text[8];

	CHECK(master >= 0 && !grantpt(master) && !unlockpt(master));
	fd = gdb_line_open(ptsname(master));
	CHECK(fd >= 0);
	CHECK(!tcgetattr(fd, &t) && !(t.c_lflag & (ICANON | ECHO | ISIG)));
	CHECK(gdb_line_send(fd, "$OK#9a\n", 7));
	CHECK(read(master, text, sizeof(text)) == 7 && text[6] == '\n');
	close(master);
	CHECK(!gdb_line_send(fd, "+", 1));
	close(fd);
	CHECK_EQ(gdb_line_open("/dev/null"), -1);
	CHECK_EQ(gdb_line_open("/nonexistent"), -1);
}

int main(void)
{
	alarm(120);	/* what goes wrong here may well be that nobody wakes */
	RUN(breakpoints_interrupt_and_detach);
	RUN(gdb_hangs_up);
	RUN(the_end_in_the_middle);
	RUN(a_crash);
	RUN(a_crash_alone);
	RUN(serial_line);
	return unit_end();
}
