// SPDX-License-Identifier: GPL-2.0
/*
 * The machine as a debugger has it, by SET_GUEST_DEBUG: INT3 and #DB are exits to us, a
 * trap flag steps, debug registers watch. One vCPU's stop is all vCPUs' stop. What comes
 * out that we did not cause (Linux has INT3s of its own) is given back to the guest.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "die.h"
#include "gdb_target.h"
#include "hold.h"

#define PAGE		4096ull
#define DB_VECTOR	1
#define BP_VECTOR	3
#define DR6_STEP	0x4000

void gdb_target_create(struct gdb_target *t, struct vcpu *vcpus, unsigned int nr)
{
	int device = vcpus[0].vm->device, flags;
	unsigned int i;

	*t = (struct gdb_target) { .vcpus = vcpus, .nr = nr };
	if (ioctl(device, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_SET_GUEST_DEBUG) <= 0)
		die("--gdb: the device has no SET_GUEST_DEBUG");
	flags = ioctl(device, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_SET_GUEST_DEBUG2);
	t->can_block = flags > 0 && (flags & MINIKVM_GUESTDBG_BLOCKIRQ);
	for (i = 0; i < nr; i++)
		hold_begin(&vcpus[i]);
}

void gdb_target_stop(struct gdb_target *t)
{
	unsigned int i;

	for (i = 0; i < t->nr; i++)
		hold_begin(&t->vcpus[i]);
	for (i = 0; i < t->nr; i++)
		hold_wait(&t->vcpus[i]);
}

/* ---- why it stopped */

/* #DB is the guest's: it finds the reasons in DR6. */
static void target_give_db(struct gdb_target *t, const struct vcpu *vcpu)
{
	struct minikvm_debugregs dr;

	if (!ioctl(vcpu->fd, MINIKVM_GET_DEBUGREGS, &dr)) {
		dr.dr6 = vcpu->told.dr6;
		ioctl(vcpu->fd, MINIKVM_SET_DEBUGREGS, &dr);
	}
	t->inject[vcpu->id] = MINIKVM_GUESTDBG_INJECT_DB;
}

/* What a vCPU tells. False: it was the guest's own. */
static bool target_understand(struct gdb_target *t, struct vcpu *vcpu, struct gdb_event *e)
{
	*e = (struct gdb_event) { .vcpu = vcpu, .what = STOP_BREAK };
	if (vcpu->crash) {
		e->what = STOP_CRASH;
		return true;
	}
	if (vcpu->told.exception == BP_VECTOR) {
		e->of = gdb_break_of_int3(&t->breaks, vcpu->told.pc);
		if (!e->of)
			t->inject[vcpu->id] = MINIKVM_GUESTDBG_INJECT_BP;
		return e->of;
	}
	e->of = gdb_break_of_dr6(&t->breaks, vcpu->told.dr6);
	if (e->of)
		return true;
	if (t->waited[vcpu->id])	/* gdb has taken the watchpoint away meanwhile */
		return false;
	e->what = STOP_STEP;
	if ((vcpu->told.dr6 & DR6_STEP) && t->action[vcpu->id] == ACTION_STEP)
		return true;
	target_give_db(t, vcpu);
	return false;
}

/* What is told later all the same. A breakpoint is not: the instruction is still to come. */
static bool event_waits(const struct gdb_event *e)
{
	return e->what == STOP_CRASH || (e->of && e->of->type >= WATCH_WRITE);
}

/* Who stopped us last is asked last. */
bool gdb_target_event(struct gdb_target *t, struct gdb_event *event)
{
	unsigned int i, first = t->last + 1;
	bool found = false;

	for (i = 0; i < t->nr; i++) {
		struct vcpu *vcpu = &t->vcpus[(first + i) % t->nr];
		struct gdb_event e;
		bool ours;

		if (!vcpu->tells)
			continue;
		vcpu->tells = false;
		ours = target_understand(t, vcpu, &e);
		t->waited[vcpu->id] = false;
		if (!ours)
			continue;
		if (!found) {
			*event = e;
			t->last = vcpu->id;
			found = true;
		} else {
			vcpu->tells = t->waited[vcpu->id] = event_waits(&e);
		}
	}
	return found;
}

/* ---- going on */

static void target_set_debug(struct gdb_target *t, struct vcpu *vcpu)
{
	struct minikvm_guest_debug d = { .control = t->inject[vcpu->id] };

	d.arch.debugreg[7] = gdb_breaks_registers(&t->breaks, d.arch.debugreg);
	if (d.arch.debugreg[7])
		d.control |= MINIKVM_GUESTDBG_ENABLE | MINIKVM_GUESTDBG_USE_HW_BP;
	if (gdb_breaks_planted(&t->breaks))
		d.control |= MINIKVM_GUESTDBG_ENABLE | MINIKVM_GUESTDBG_USE_SW_BP;
	if (t->action[vcpu->id] == ACTION_STEP)
		d.control |= MINIKVM_GUESTDBG_ENABLE | MINIKVM_GUESTDBG_SINGLESTEP |
			     (t->can_block ? MINIKVM_GUESTDBG_BLOCKIRQ : 0);
	if (ioctl(vcpu->fd, MINIKVM_SET_GUEST_DEBUG, &d))
		die("SET_GUEST_DEBUG: %s", strerror(errno));
	t->inject[vcpu->id] = 0;
}

void gdb_target_resume(struct gdb_target *t)
{
	unsigned int i;

	for (i = 0; i < t->nr; i++) {
		struct vcpu *vcpu = &t->vcpus[i];

		if (t->action[i] == ACTION_STAY)
			continue;
		if (vcpu->crash)	/* asked for before anybody leaves his rest */
			stop_ask(&vcpu->vm->stop, ST_CRASH);
		else
			target_set_debug(t, vcpu);
	}
	for (i = 0; i < t->nr; i++)
		if (t->action[i] != ACTION_STAY)
			hold_end(&t->vcpus[i]);
}

void gdb_target_detach(struct gdb_target *t)
{
	struct gdb_event lost;
	unsigned int i;

	while (gdb_target_event(t, &lost))
		;
	gdb_breaks_clear_all(&t->breaks);
	for (i = 0; i < t->nr; i++)
		t->action[i] = ACTION_GO;
	gdb_target_resume(t);
}

/* ---- memory */

/* Where a linear address is in our memory, and up to the page's end; or NULL. */
static uint8_t *target_at(const struct vcpu *vcpu, uint64_t address)
{
	struct minikvm_translation tr = { .linear_address = address };

	if (ioctl(vcpu->fd, MINIKVM_TRANSLATE, &tr) || !tr.valid)
		return NULL;
	return memory_at(&vcpu->vm->memory, tr.physical_address, 1);
}

static size_t page_rest(uint64_t address, size_t n)
{
	size_t rest = PAGE - address % PAGE;

	return n < rest ? n : rest;
}

bool gdb_target_read(const struct gdb_target *t, const struct vcpu *vcpu, uint64_t address,
		     uint8_t *data, size_t n)
{
	while (n) {
		size_t now = page_rest(address, n);
		const uint8_t *where = target_at(vcpu, address);

		if (!where)
			return false;
		gdb_breaks_read(&t->breaks, where, data, now);
		address += now;
		data += now;
		n -= now;
	}
	return true;
}

bool gdb_target_write(struct gdb_target *t, const struct vcpu *vcpu, uint64_t address,
		      const uint8_t *data, size_t n)
{
	while (n) {
		size_t now = page_rest(address, n);
		uint8_t *where = target_at(vcpu, address);

		if (!where)
			return false;
		gdb_breaks_write(&t->breaks, where, data, now);
		address += now;
		data += now;
		n -= now;
	}
	return true;
}

bool gdb_target_break(struct gdb_target *t, const struct vcpu *vcpu, enum gdb_break_type type,
		      uint64_t address, uint64_t length)
{
	uint8_t *where = type == BREAK_SOFTWARE ? target_at(vcpu, address) : NULL;

	return gdb_break_set(&t->breaks, type, address, length, where);
}
