// SPDX-License-Identifier: GPL-2.0
/* Plays a case on a machine: brings it into the state, does the operations, notes what comes. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "oracle.h"

enum { MOST_EXITS = 8, PATIENCE = 3 };

struct player {
	struct machine *m;
	const struct scene *s;
	struct trace *t;
	u32 op;			/* in progress */
	u32 seen;		/* values given by devices */
	bool is_staged[PARTS];
};

/* What puts have made of a part that is not set yet. */
static u8 staged[PARTS][sizeof(struct minikvm_xsave)];

/* ---- records */

static struct record *record(struct player *p, int ret, bool synced)
{
	struct record *r = &p->t->records[p->t->nrecords];

	if (p->t->nrecords < MAX_RECORDS - 1)
		p->t->nrecords++;
	memset(r, 0, offsetof(struct record, regs));
	r->op = p->op;
	r->ret = ret;
	r->moved = p->t->moved;
	if (synced) {
		memcpy(&r->regs, &p->m->run->s.regs, sizeof(p->m->run->s.regs));
		return r;
	}
	part_get(p->m, P_REGS, &r->regs);
	part_get(p->m, P_SREGS, &r->sregs);
	part_get(p->m, P_EVENTS, &r->events);
	return r;
}

static u64 hash(const void *data, size_t n)
{
	const u8 *at = data;
	u64 h = 14695981039346656037ull;

	while (n--)
		h = (h ^ *at++) * 1099511628211ull;
	return h;
}

static void note_io(struct record *r, const struct minikvm_run *run)
{
	const u8 *data = (const u8 *)run + run->io.data_offset;

	r->detail[0] = run->io.direction | run->io.size << 8;
	r->detail[1] = run->io.port;
	r->detail[2] = run->io.count;
	if (run->io.direction == MINIKVM_EXIT_IO_OUT)
		r->detail[3] = hash(data, run->io.size * run->io.count);
}

static void note_internal(struct record *r, const struct minikvm_run *run)
{
	u8 bytes[16] = { 0 };

	r->detail[0] = run->internal.suberror;
	if (run->internal.suberror != MINIKVM_INTERNAL_ERROR_EMULATION || run->internal.ndata < 4)
		return;
	r->detail[1] = run->emulation_failure.flags;
	memcpy(bytes, &run->emulation_failure.insn_size, 16);
	memcpy(&r->detail[2], bytes, 16);
}

/* What the run page says of the exit. */
static void note(struct record *r, const struct minikvm_run *run)
{
	r->exit = run->exit_reason;
	r->ready = run->ready_for_interrupt_injection | run->if_flag << 8 | run->flags << 16;
	r->cr8 = run->cr8;
	r->apic_base = run->apic_base;
	switch (r->exit) {
	case MINIKVM_EXIT_IO:
		return note_io(r, run);
	case MINIKVM_EXIT_INTERNAL_ERROR:
		return note_internal(r, run);
	case MINIKVM_EXIT_MMIO:
		r->detail[0] = run->mmio.is_write | run->mmio.len << 8;
		r->detail[1] = run->mmio.phys_addr;
		if (run->mmio.is_write)
			memcpy(&r->detail[2], run->mmio.data, run->mmio.len & 15);
		return;
	case MINIKVM_EXIT_FAIL_ENTRY:
		r->detail[0] = run->fail_entry.hardware_entry_failure_reason;
		return;
	case MINIKVM_EXIT_DEBUG:
		r->detail[0] = run->debug.arch.exception;
		r->detail[1] = run->debug.arch.pc;
		/* Of #BP there is no DR6. */
		if (run->debug.arch.exception == 1) {
			r->detail[2] = run->debug.arch.dr6;
			r->detail[3] = run->debug.arch.dr7;
		}
		return;
	case MINIKVM_EXIT_EXCEPTION:
		r->detail[0] = run->ex.exception;
		r->detail[1] = run->ex.error_code;
		return;
	}
}

/* ---- RUN */

static int run_once(struct machine *m)
{
	struct minikvm_mp_state state = { 0 };
	int tries, ret;

	for (tries = 0; tries < PATIENCE; tries++) {
		ret = ioctl(m->vcpu, MINIKVM_RUN, 0) ? -errno : 0;
		if (ret != -EINTR || m->run->immediate_exit)
			return ret;
		/* It waits in the kernel, for an interrupt that nobody sends. */
		if (part_get(m, P_MP_STATE, &state) == 0 &&
		    state.mp_state != MINIKVM_MP_STATE_RUNNABLE)
			return ret;
	}
	return -ETIME;
}

static u8 device_byte(struct player *p)
{
	return p->seen++ * 37 + 0x5a;
}

/* What a device answers. Returns whether this was a device's exit. */
static bool answer(struct player *p)
{
	struct minikvm_run *run = p->m->run;
	u8 *data = run->mmio.data;
	u32 i, n = 8;

	if (run->exit_reason == MINIKVM_EXIT_IO) {
		data = (u8 *)run + run->io.data_offset;
		n = run->io.size * run->io.count;
	} else if (run->exit_reason != MINIKVM_EXIT_MMIO) {
		return false;
	}
	if (run->exit_reason == MINIKVM_EXIT_IO ? run->io.direction == MINIKVM_EXIT_IO_OUT :
	    run->mmio.is_write)
		return true;
	for (i = 0; i < n; i++)
		data[i] = device_byte(p);
	return true;
}

static bool is_end(const struct minikvm_run *run)
{
	return run->exit_reason == MINIKVM_EXIT_IO && run->io.port == PORT_END &&
	       run->io.direction == MINIKVM_EXIT_IO_OUT && run->io.size == 1;
}

/* The last access is finished, all of it, and the guest goes no further. */
static void finish(struct player *p)
{
	struct minikvm_run *run = p->m->run;
	int i, ret = 0;

	run->immediate_exit = 1;
	for (i = 0; i < MOST_EXITS && ret == 0; i++) {
		ret = run_once(p->m);
		if (ret == 0 && !answer(p))
			break;
	}
	run->immediate_exit = 0;
	p->m->spoiled |= ret != -EINTR;
	record(p, ret, true);
}

static void do_run(struct player *p, const struct op *op)
{
	struct minikvm_run *run = p->m->run;
	int i, ret;

	run->request_interrupt_window = op->a & 1;
	for (i = 0; i < (op->more ? 1 : MOST_EXITS); i++) {
		ret = run_once(p->m);
		if (ret == -ETIME) {
			p->t->endless = true;
			p->m->spoiled = true;
			return;
		}
		note(record(p, ret, true), run);
		/* A refused event stays in KVM's VMCS, and would be the next case's. */
		p->m->spoiled |= run->exit_reason == MINIKVM_EXIT_FAIL_ENTRY;
		if (ret || !answer(p))
			return;
		if (is_end(run))
			break;
	}
	finish(p);
}

/* ---- operations */

static int put(struct player *p, const struct op *op)
{
	u8 *data = staged[op->a];

	if (!p->is_staged[op->a])
		part_get(p->m, op->a, data);
	p->is_staged[op->a] = true;
	memcpy(data + op->at, &op->value, op->size);
	if (op->more)
		return 0;
	p->is_staged[op->a] = false;
	return part_set(p->m, op->a, data);
}

static int msr(struct player *p, const struct op *op, u64 *value)
{
	struct { struct minikvm_msrs head; struct minikvm_msr_entry e; } one = {
		{ 1, 0 }, { .index = op->at, .data = op->value } };
	int ret = 0;

	if (op->kind == OP_SET_MSR)
		ret = ioctl(p->m->vcpu, MINIKVM_SET_MSRS, &one);
	one.e.data = 0;
	ret = ret << 8 | (ioctl(p->m->vcpu, MINIKVM_GET_MSRS, &one) & 0xff);
	*value = one.e.data;
	return ret;
}

/* The guest's access to a chip: canned code, the registers say what. */
static void do_access(struct player *p, const struct op *op)
{
	struct minikvm_regs r;

	part_get(p->m, P_REGS, &r);
	r.rip = world_access(op->kind, op->size);
	r.rflags = 0x202;
	r.rsp = G_STACK - 0x100;
	r.rax = op->value;
	r.rdx = r.rbx = op->at;
	part_set(p->m, P_REGS, &r);
	do_run(p, op);
}

static int do_cpuid(struct player *p, const struct op *op)
{
	static struct { struct minikvm_cpuid2 head; struct minikvm_cpuid_entry2 e[100]; } c;
	u32 i;

	memcpy(&c, machine_cpuid(), sizeof(c.head) + machine_cpuid()->nent * sizeof(c.e[0]));
	for (i = 0; i < c.head.nent; i++)
		if (c.e[i].function == op->at && c.e[i].index == (u32)op->value)
			(&c.e[i].eax)[op->a & 3] ^= op->value >> 32;
	return ioctl(p->m->vcpu, MINIKVM_SET_CPUID2, &c) ? -errno : 0;
}

/* Would a VMM inject an interrupt now? Not while another event is on its way. */
static bool takes_interrupt(struct player *p)
{
	struct minikvm_regs r;
	struct minikvm_vcpu_events e;

	part_get(p->m, P_REGS, &r);
	part_get(p->m, P_EVENTS, &e);
	return r.rflags & 0x200 && !e.interrupt.shadow && !e.exception.injected &&
	       !e.interrupt.injected && !e.nmi.injected;
}

static int do_ioctl(struct player *p, const struct op *op, u64 *detail)
{
	struct minikvm_interrupt interrupt = { op->at };
	struct minikvm_irq_level line = { .irq = op->at, .level = op->value };
	struct minikvm_msi msi = { .address_lo = op->at, .data = op->value };
	struct minikvm_translation tr = { .linear_address = op->value };
	struct minikvm_guest_debug debug = { .control = op->value };
	int ret;

	switch (op->kind) {
	case OP_PUT:
		return put(p, op);
	case OP_SET_MSR:
	case OP_GET_MSR:
		return msr(p, op, detail);
	case OP_INTERRUPT:
		if (op->a && !takes_interrupt(p))
			return -EAGAIN;
		return ioctl(p->m->vcpu, MINIKVM_INTERRUPT, &interrupt) ? -errno : 0;
	case OP_NMI:
		return ioctl(p->m->vcpu, MINIKVM_NMI, 0) ? -errno : 0;
	case OP_LINE:
		ret = ioctl(p->m->vm, MINIKVM_IRQ_LINE_STATUS, &line);
		detail[0] = line.status;
		return ret < 0 ? -errno : ret;
	case OP_MSI:
		ret = ioctl(p->m->vm, MINIKVM_SIGNAL_MSI, &msi);
		return ret < 0 ? -errno : ret;
	case OP_TRANSLATE:
		ret = ioctl(p->m->vcpu, MINIKVM_TRANSLATE, &tr) ? -errno : 0;
		detail[0] = tr.physical_address;
		detail[1] = tr.valid;
		return ret;
	case OP_CPUID:
		return do_cpuid(p, op);
	case OP_DEBUG:
		return ioctl(p->m->vcpu, MINIKVM_SET_GUEST_DEBUG, &debug) ? -errno : 0;
	}
	return -ENOTTY;
}

/* A move of a machine that is spoiled would lose what waits in it. */
static void do_move(struct player *p)
{
	u64 refused[5] = { 0 };

	if (p->m->spoiled || p->t->moved)
		return;
	move(p->m, refused);
	p->m = p->m->other;
	p->t->moved = true;
	memcpy(record(p, 0, false)->detail, refused, sizeof(refused));
}

static void do_op(struct player *p, const struct op *op)
{
	u64 detail[5] = { 0 };
	int ret;

	if (op->kind == OP_RUN)
		return do_run(p, op);
	if (op->kind == OP_MOVE)
		return do_move(p);
	if (op->kind >= OP_OUT && op->kind <= OP_LOAD)
		return do_access(p, op);
	ret = do_ioctl(p, op, detail);
	memcpy(record(p, ret, false)->detail, detail, sizeof(detail));
}

/* ---- a whole case */

static int begin(struct player *p)
{
	struct minikvm_sregs sregs = p->s->sregs;
	struct minikvm_regs regs = p->s->regs;
	struct minikvm_vcpu_events events = p->s->events;
	struct machine *m = p->m;
	int ret;

	memory_prepare(m, p->s);
	ret = part_set(m, P_SREGS, &sregs);
	if (ret)
		return ret;
	part_set(m, P_REGS, &regs);
	m->run->cr8 = sregs.cr8;
	m->run->kvm_valid_regs = MINIKVM_SYNC_X86_VALID_FIELDS;
	/* KVM leaves there what an earlier case took. */
	memset(m->run->s.regs.sregs.interrupt_bitmap, 0, sizeof(sregs.interrupt_bitmap));
	return part_set(m, P_EVENTS, &events);
}

/*
 * Back to the state before. A trap that waits where no ioctl sees it, in the VMCS, would be the
 * next case's: it comes now, in a run of nobody's.
 */
static void undo(struct player *p)
{
	static struct trace nobodys;	/* its ending: what is to be undone */
	static const struct op run = { .kind = OP_RUN };
	struct minikvm_regs regs = { .rip = G_CODE + 0x700, .rsp = G_STACK, .rflags = 2 };
	struct minikvm_vcpu_events none = { .flags = p->s->events.flags };
	struct minikvm_sregs sregs;
	int i;

	for (i = 0; i < p->t->nrecords; i++)
		if ((p->t->records[i].regs.rflags | p->s->regs.rflags) & 0x100)
			break;
	if (i == p->t->nrecords)
		return ending_undo(p->m, &p->t->ending);
	world_sregs(REAL, 0, &sregs);
	part_set(p->m, P_SREGS, &sregs);
	part_set(p->m, P_REGS, &regs);
	part_set(p->m, P_EVENTS, &none);
	p->t = &nobodys;
	nobodys.nrecords = 0;
	do_run(p, &run);
	memcpy(p->m->mem + G_STUBS, p->m->base + G_STUBS, 0x2000);	/* with the stack */
	ending_take(p->m, &nobodys.ending);
	ending_undo(p->m, &nobodys.ending);
}

void play(struct machine *m, const struct scene *s, struct trace *t)
{
	struct player p = { .m = m, .s = s, .t = t };
	int i, ret;

	t->nrecords = 0;
	t->endless = t->moved = false;
	ret = begin(&p);
	if (ret)		/* refused: the rest is of an earlier case */
		memset(&record(&p, ret, false)->regs, 0, sizeof(struct minikvm_sync_regs));
	for (i = 0; i < s->nops && !ret && !t->endless; i++) {
		p.op = i;
		do_op(&p, &s->ops[i]);
	}
	ending_take(p.m, &t->ending);
	memory_take(p.m, s, &t->ending);
	if (t->moved)
		return machine_rest(p.m);
	undo(&p);
}
