// SPDX-License-Identifier: GPL-2.0
/*
 * What minivmm's gdb stub answers, to good and bad packets: userspace-demo/gdb_command.c,
 * gdb_regs.c, gdb_target.c on vCPUs that are none.
 */
#include <stdarg.h>
#include <stdlib.h>

#include "unit.h"
#include "random.h"

static int fake_ioctl(int fd, unsigned long request, ...);
#include <sys/ioctl.h>
#define ioctl fake_ioctl
#include "../../userspace-demo/die.c"
#include "../../userspace-demo/memory.c"
#include "../../userspace-demo/gdb_packet.c"
#include "../../userspace-demo/gdb_break.c"
#include "../../userspace-demo/gdb_regs.c"
#include "../../userspace-demo/gdb_target.c"
#include "../../userspace-demo/gdb_command.c"

#define VCPUS	3
#define MEMORY	0x10000		/* at linear 0x400000; nothing else is mapped */
#define LINEAR	0x400000

static struct vm vm;
static struct vcpu vcpus[VCPUS];
static struct gdb_talk talk;
static uint8_t mem[MEMORY];
static struct minikvm_regs regs[VCPUS];
static struct minikvm_sregs sregs;
static struct minikvm_fpu fpu;
static struct minikvm_guest_debug debug[VCPUS];
static int stopped, going[VCPUS];

/* The descriptor is the vCPU's number. */
static int fake_ioctl(int fd, unsigned long request, ...)
{
	struct minikvm_translation *tr;
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	switch (request) {
	case MINIKVM_CHECK_EXTENSION:
		return (long)arg == MINIKVM_CAP_SET_GUEST_DEBUG ? 1 : MINIKVM_GUESTDBG_VALID_MASK;
	case MINIKVM_GET_REGS: *(struct minikvm_regs *)arg = regs[fd]; return 0;
	case MINIKVM_SET_REGS: regs[fd] = *(struct minikvm_regs *)arg; return 0;
	case MINIKVM_GET_SREGS: *(struct minikvm_sregs *)arg = sregs; return 0;
	case MINIKVM_SET_SREGS: sregs = *(struct minikvm_sregs *)arg; return 0;
	case MINIKVM_GET_FPU: *(struct minikvm_fpu *)arg = fpu; return 0;
	case MINIKVM_SET_FPU: fpu = *(struct minikvm_fpu *)arg; return 0;
	case MINIKVM_SET_GUEST_DEBUG: debug[fd] = *(struct minikvm_guest_debug *)arg; return 0;
	case MINIKVM_TRANSLATE:
		tr = arg;
		tr->valid = tr->linear_address - LINEAR < MEMORY;
		tr->physical_address = tr->linear_address - LINEAR;
		return 0;
	}
	return -1;
}

void hold_begin(struct vcpu *vcpu) { going[vcpu->id] = 0; }
void hold_wait(struct vcpu *vcpu) { (void)vcpu; }
void hold_end(struct vcpu *vcpu) { going[vcpu->id] = 1; }
void stop_ask(struct stop *stop, int status) { (void)stop; stopped = status; }

static void begin(void)
{
	int i;

	gdb_breaks_clear_all(&talk.target.breaks);
	vm.memory = (struct memory) { .nr = 1, .range[0] = { .size = MEMORY, .host = mem } };
	memset(&talk, 0, sizeof(talk));
	for (i = 0; i < VCPUS; i++) {
		vcpus[i] = (struct vcpu) { .vm = &vm, .id = i, .fd = i };
		regs[i] = (struct minikvm_regs) { .rax = 0x1234 + i, .rip = LINEAR, .rflags = 2 };
	}
	for (i = 0; i < MEMORY; i++)
		mem[i] = i;
	memset(&fpu, 0, sizeof(fpu));
	memset(debug, 0, sizeof(debug));
	gdb_target_create(&talk.target, vcpus, VCPUS);
	talk.current = vcpus;
	gdb_command_stopped(&talk, NULL);
	stopped = STOP_NOT;
}

static enum gdb_next ask_bytes(const char *request, size_t n)
{
	memcpy(talk.in.data, request, n);
	talk.in.data[n] = '\0';
	talk.in.size = n;
	gdb_out_begin(&talk.out);
	return gdb_command(&talk);
}

static enum gdb_next ask(const char *request)
{
	return ask_bytes(request, strlen(request));
}

/* The answer to a request that has one. */
static const char *said(const char *request)
{
	CHECK_EQ(ask(request), NEXT_ANSWER);
	talk.out.data[talk.out.size] = '\0';
	return (char *)talk.out.data + 1;
}

#define CHECK_SAYS(request, answer)	do {				\
	const char *unit_said = said(request);				\
	if (strcmp(unit_said, answer)) {				\
		printf("# %s:%d: %s says %s\n", __FILE__, __LINE__, request, unit_said); \
		unit_bad = 1;						\
	}								\
} while (0)

static void the_session(void)
{
	begin();
	CHECK(strstr(said("qSupported:swbreak+;hwbreak+"), "PacketSize=1000;"));
	CHECK_SAYS("?", "T02thread:1;");
	CHECK_SAYS("qAttached", "1");
	CHECK_SAYS("QStartNoAckMode", "OK");
	CHECK(talk.no_ack);
	CHECK_SAYS("vMustReplyEmpty", "");
	CHECK_SAYS("", "");
	CHECK_EQ(ask("D"), NEXT_DETACH);
	CHECK_EQ(ask("k"), NEXT_KILL);
	CHECK_EQ(ask("vKill;1"), NEXT_KILL);
}

static void threads(void)
{
	begin();
	CHECK_SAYS("qCRC:400000,10", "");
	CHECK_SAYS("qfThreadInfo", "m1,2,3");
	CHECK_SAYS("qsThreadInfo", "l");
	CHECK_SAYS("qC", "QC1");
	CHECK_SAYS("Hg2", "OK");
	CHECK_SAYS("qC", "QC2");
	CHECK_SAYS("Hg0", "OK");
	CHECK_SAYS("Hc-1", "OK");
	CHECK_SAYS("qC", "QC2");
	CHECK_SAYS("Hg4", "E22");
	CHECK_SAYS("T3", "OK");
	CHECK_SAYS("T4", "E22");
	CHECK_SAYS("T0", "E22");
	CHECK_SAYS("qThreadExtraInfo,1", "764350552030");	/* vCPU 0 */
}

static void registers(void)
{
	char text[GDB_PACKET];

	begin();
	CHECK_SAYS("p0", "3412000000000000");
	CHECK_SAYS("P0=ffeeddccbbaa9988", "OK");
	CHECK_EQ(regs[0].rax, 0x8899aabbccddeeff);
	CHECK_EQ(regs[1].rax, 0x1235);
	CHECK_SAYS("p11", "02000000");			/* eflags */
	CHECK_SAYS("P0=ff", "E22");
	CHECK_SAYS("P0=ffeeddccbbaa998877", "E22");
	CHECK_SAYS("P999=00", "E22");
	CHECK_SAYS("p999", "E22");
	/* The x87's tags: two bits each, or one. */
	CHECK_SAYS("P22=fcff0000", "OK");
	CHECK_EQ(fpu.ftwx, 1);
	fpu.ftwx = 0x81;
	CHECK_SAYS("p22", "fc3f0000");
	strcpy(text, "G");
	strcat(text, said("g"));
	CHECK(!talk.out.full);
	CHECK_SAYS(text, "OK");
	CHECK_EQ(fpu.ftwx, 0x81);
	text[strlen(text) - 1] = '\0';
	CHECK_SAYS(text, "E22");
}

static void description(void)
{
	char text[64], all[32768] = "", *at = all;
	const char *chunk;
	int registers = 0;

	begin();
	do {
		snprintf(text, sizeof(text), "qXfer:features:read:target.xml:%zx,333", at - all);
		chunk = said(text);
		at = stpcpy(at, chunk + 1);
	} while (*chunk == 'm' && at < all + 30000);
	CHECK_EQ(*chunk, 'l');
	CHECK(strstr(all, "</feature></target>"));
	for (at = all; (at = strstr(at, "<reg ")); at++)
		registers++;
	CHECK_EQ(registers, (int)GDB_REGS);
	CHECK_SAYS("qXfer:features:read:target.xml:fffff,10", "l");
	CHECK_SAYS("qXfer:features:read:target.xml:0", "E22");
	CHECK_SAYS("qXfer:features:read:other.xml:0,10", "");
}

static void memory(void)
{
	begin();
	CHECK_SAYS("m400ffe,4", "feff0001");
	CHECK_SAYS("m0,4", "E14");
	CHECK_SAYS("m40fffe,4", "feff");	/* the rest is not there */
	CHECK_SAYS("M400010,2:abcd", "OK");
	CHECK(mem[16] == 0xab && mem[17] == 0xcd && mem[18] == 18);
	CHECK_SAYS("M400010,2:abcdef", "E22");
	CHECK_SAYS("M400010,3:abcd", "E22");
	CHECK_SAYS("M410000,1:ab", "E14");
	CHECK_SAYS("X400010,0:", "OK");
	CHECK_EQ(ask_bytes("X400010,3:a\0b", 13), NEXT_ANSWER);
	CHECK(!memcmp(mem + 16, "a\0b", 3));
	CHECK_SAYS("X400010,4:ab", "E22");
	CHECK_EQ(strlen(said("m400000,ffffffff")), 4096);
}

static void breakpoints(void)
{
	struct gdb_event e;

	begin();
	said("qSupported:swbreak+;hwbreak+");
	CHECK_SAYS("Z0,400010,1", "OK");
	CHECK_EQ(mem[16], 0xcc);
	CHECK_SAYS("m400010,1", "10");
	CHECK_SAYS("Z2,400020,4", "OK");
	CHECK_SAYS("Z0,ffffffff81000000,1", "OK");	/* not mapped: a debug register */
	CHECK_SAYS("Z3,400020,4", "");
	CHECK_SAYS("Z2,400021,4", "E22");
	CHECK_EQ(ask("vCont;c"), NEXT_GO);
	CHECK(!gdb_target_event(&talk.target, &e));
	gdb_target_resume(&talk.target);
	CHECK(going[0] && going[1] && going[2]);
	CHECK_EQ(debug[1].control, MINIKVM_GUESTDBG_ENABLE | MINIKVM_GUESTDBG_USE_SW_BP |
		 MINIKVM_GUESTDBG_USE_HW_BP);
	CHECK_EQ(debug[1].arch.debugreg[1], 0xffffffff81000000);
	/* Two stop: one is told of, and the watchpoint of the other one later. */
	gdb_target_stop(&talk.target);
	vcpus[1].tells = vcpus[2].tells = true;
	vcpus[1].told = (struct minikvm_debug_exit_arch) { .exception = 3, .pc = 0x400010 };
	vcpus[2].told = (struct minikvm_debug_exit_arch) { .exception = 1, .dr6 = 0xffff0ff1 };
	CHECK(gdb_target_event(&talk.target, &e));
	gdb_command_stopped(&talk, &e);
	CHECK_SAYS("?", "T05thread:2;swbreak:;");
	CHECK(gdb_target_event(&talk.target, &e));
	gdb_command_stopped(&talk, &e);
	CHECK_SAYS("?", "T05thread:3;watch:400020;");
	CHECK(!gdb_target_event(&talk.target, &e));
	CHECK_SAYS("z0,400010,1", "OK");
	CHECK_SAYS("z0,400010,1", "E22");
	CHECK_EQ(mem[16], 16);
}

/* A watchpoint that has been met, but is taken away before it is told. */
static void a_hit_of_what_is_gone(void)
{
	struct gdb_event e;

	begin();
	CHECK_SAYS("Z2,400020,4", "OK");
	CHECK_EQ(ask("vCont;c"), NEXT_GO);
	vcpus[1].tells = vcpus[2].tells = true;
	vcpus[1].told = (struct minikvm_debug_exit_arch) { .exception = 1, .dr6 = 0xffff0ff1 };
	vcpus[2].told = vcpus[1].told;
	CHECK(gdb_target_event(&talk.target, &e));
	CHECK_SAYS("z2,400020,4", "OK");
	CHECK(!gdb_target_event(&talk.target, &e));
	gdb_target_resume(&talk.target);
	CHECK(!debug[1].control && !debug[2].control);
	vcpus[2].tells = true;			/* the next one is the guest's */
	CHECK(!gdb_target_event(&talk.target, &e));
	gdb_target_resume(&talk.target);
	CHECK(debug[2].control & MINIKVM_GUESTDBG_INJECT_DB);
}

/* An INT3 that nobody planted, and a #DB that nobody asked for. */
static void the_guests_own(void)
{
	struct gdb_event e;

	begin();
	CHECK_SAYS("Z0,400010,1", "OK");
	CHECK_EQ(ask("vCont;c"), NEXT_GO);
	vcpus[1].tells = vcpus[2].tells = true;
	vcpus[1].told = (struct minikvm_debug_exit_arch) { .exception = 3, .pc = 0x400011 };
	vcpus[2].told = (struct minikvm_debug_exit_arch) { .exception = 1, .dr6 = 0xffff4ff0 };
	CHECK(!gdb_target_event(&talk.target, &e));
	gdb_target_resume(&talk.target);
	CHECK(debug[1].control & MINIKVM_GUESTDBG_INJECT_BP);
	CHECK(debug[2].control & MINIKVM_GUESTDBG_INJECT_DB);
	CHECK(!(debug[0].control & (MINIKVM_GUESTDBG_INJECT_DB | MINIKVM_GUESTDBG_INJECT_BP)));
	gdb_target_resume(&talk.target);	/* once */
	CHECK(!(debug[1].control & MINIKVM_GUESTDBG_INJECT_BP));
}

static void steps(void)
{
	struct gdb_event e;

	begin();
	CHECK_SAYS("vCont?", "vCont;c;C;s;S");
	CHECK_EQ(ask("vCont;s:2"), NEXT_GO);
	gdb_target_resume(&talk.target);
	CHECK(!going[0] && going[1] && !going[2]);
	CHECK_EQ(debug[1].control, MINIKVM_GUESTDBG_ENABLE | MINIKVM_GUESTDBG_SINGLESTEP |
		 MINIKVM_GUESTDBG_BLOCKIRQ);
	gdb_target_stop(&talk.target);
	vcpus[1].tells = true;
	vcpus[1].told = (struct minikvm_debug_exit_arch) { .exception = 1, .dr6 = 0xffff4ff0 };
	CHECK(gdb_target_event(&talk.target, &e));
	gdb_command_stopped(&talk, &e);
	CHECK_SAYS("?", "T05thread:2;");
	CHECK_EQ(ask("vCont;s:3;c"), NEXT_GO);
	CHECK_EQ(talk.target.action[0], ACTION_GO);
	CHECK_EQ(talk.target.action[2], ACTION_STEP);
	CHECK_EQ(ask("vCont;S05:1;C0b:-1"), NEXT_GO);
	CHECK_EQ(talk.target.action[0], ACTION_STEP);
	CHECK_EQ(talk.target.action[1], ACTION_GO);
	CHECK_SAYS("vCont;s:9", "E22");
	CHECK_SAYS("vCont;", "E22");
	CHECK_SAYS("vContx", "E22");
	CHECK_EQ(ask("c"), NEXT_GO);
	CHECK_EQ(ask("s"), NEXT_GO);
	CHECK_EQ(talk.target.action[1], ACTION_STEP);
	CHECK_EQ(talk.target.action[0], ACTION_STAY);
}

static void a_crash(void)
{
	struct gdb_event e;

	begin();
	vcpus[2].tells = true;
	vcpus[2].crash = "triple fault";
	CHECK(gdb_target_event(&talk.target, &e));
	gdb_command_stopped(&talk, &e);
	CHECK_SAYS("?", "T0bthread:3;");
	CHECK_EQ(ask("vCont;c"), NEXT_GO);
	gdb_target_resume(&talk.target);
	CHECK_EQ(stopped, ST_CRASH);
	CHECK(going[0] && going[1] && going[2]);	/* to their ends */
}

static void detach(void)
{
	begin();
	CHECK_SAYS("Z0,400010,1", "OK");
	CHECK_SAYS("Z1,400020,1", "OK");
	CHECK_EQ(ask("vCont;s:1"), NEXT_GO);
	gdb_target_resume(&talk.target);
	gdb_target_detach(&talk.target);
	CHECK_EQ(mem[16], 16);
	CHECK(going[0] && going[1] && going[2]);
	CHECK_EQ(debug[0].control, 0);
	CHECK_EQ(stopped, STOP_NOT);
}

/* Whatever is asked for: an answer that fits, and no memory but the guest's. */
static void noise(void)
{
	static const char letters[] = "?gGpPmMXZzvcCsSHTqQDk,;:-=0123456789abcdef\0\xff";
	char request[64], old[8];
	long i, j, n;

	begin();
	for (i = 0; i < 300000; i++) {
		n = below(sizeof(request));
		for (j = 0; j < n; j++)
			request[j] = letters[below(sizeof(letters))];
		if (n > 20 && one_in(2)) {
			strcpy(old, "m4000");
			old[0] = "mMXZz"[below(5)];
			memcpy(request, old, 5);
		} else if (n > 20 && one_in(3)) {
			memcpy(request, commands[below(sizeof(commands) / sizeof(commands[0]))].name, 2);
		}
		if (ask_bytes(request, n) == NEXT_GO)
			gdb_target_resume(&talk.target);
		gdb_out_end(&talk.out);
		CHECK(talk.out.size <= sizeof(talk.out.data));
	}
}

int main(void)
{
	RUN(the_session);
	RUN(threads);
	RUN(registers);
	RUN(description);
	RUN(memory);
	RUN(breakpoints);
	RUN(a_hit_of_what_is_gone);
	RUN(the_guests_own);
	RUN(steps);
	RUN(a_crash);
	RUN(detach);
	RUN(noise);
	return unit_end();
}
