// SPDX-License-Identifier: GPL-2.0
/* The pieces of a vCPU's and its chips' state, by the ioctls that get and set them. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "oracle.h"

#define PART(id, text, type, get, set) [id] = { text, sizeof(struct type), 0, get, set }
#define CHIP(text, type) { text, sizeof(struct type), offsetof(struct minikvm_irqchip, chip), \
			   MINIKVM_GET_IRQCHIP, MINIKVM_SET_IRQCHIP }

const struct part_info parts[PARTS] = {
	PART(P_REGS, "regs", minikvm_regs, MINIKVM_GET_REGS, MINIKVM_SET_REGS),
	PART(P_SREGS, "sregs", minikvm_sregs, MINIKVM_GET_SREGS, MINIKVM_SET_SREGS),
	PART(P_EVENTS, "events", minikvm_vcpu_events, MINIKVM_GET_VCPU_EVENTS,
	     MINIKVM_SET_VCPU_EVENTS),
	PART(P_DEBUGREGS, "debugregs", minikvm_debugregs, MINIKVM_GET_DEBUGREGS,
	     MINIKVM_SET_DEBUGREGS),
	PART(P_XCRS, "xcrs", minikvm_xcrs, MINIKVM_GET_XCRS, MINIKVM_SET_XCRS),
	PART(P_XSAVE, "xsave", minikvm_xsave, MINIKVM_GET_XSAVE, MINIKVM_SET_XSAVE),
	PART(P_FPU, "fpu", minikvm_fpu, MINIKVM_GET_FPU, MINIKVM_SET_FPU),
	PART(P_MP_STATE, "mp_state", minikvm_mp_state, MINIKVM_GET_MP_STATE, MINIKVM_SET_MP_STATE),
	PART(P_LAPIC, "lapic", minikvm_lapic_state, MINIKVM_GET_LAPIC, MINIKVM_SET_LAPIC),
	[P_PIC_MASTER] = CHIP("pic0", minikvm_pic_state),
	[P_PIC_SLAVE] = CHIP("pic1", minikvm_pic_state),
	[P_IOAPIC] = CHIP("ioapic", minikvm_ioapic_state),
};

static int part_ioctl(struct machine *m, enum part part, unsigned long request, void *data)
{
	struct minikvm_irqchip chip = { .chip_id = part - P_PIC_MASTER };
	int ret;

	if (part < P_PIC_MASTER)
		return ioctl(m->vcpu, request, data) ? -errno : 0;
	memcpy(&chip.chip, data, parts[part].size);
	ret = ioctl(m->vm, request, &chip) ? -errno : 0;
	memcpy(data, &chip.chip, parts[part].size);
	return ret;
}

int part_get(struct machine *m, enum part part, void *data)
{
	return part_ioctl(m, part, parts[part].get, data);
}

int part_set(struct machine *m, enum part part, void *data)
{
	return part_ioctl(m, part, parts[part].set, data);
}

/* MSRs that are looked at in the end: none that goes with time. */
const u32 watched_msrs[] = {
	0x174, 0x175, 0x176, 0x1d9, 0x277, 0x1a0, 0x3a, 0x3b, 0x17a, 0x2ff, 0x200, 0x201, 0x250,
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102,
	0xc0000103, 0xc0010015, 0x48, 0xd90, 0xda0,
};

int watched_count(void)
{
	return COUNT(watched_msrs);
}

/* One by one where all at once stops at one that is not there. */
static void msrs_get(struct machine *m, u64 *values)
{
	struct { struct minikvm_msrs head; struct minikvm_msr_entry e[MAX_MSRS]; } msrs = { 0 };
	u32 i, done = 0;

	_Static_assert(COUNT(watched_msrs) <= MAX_MSRS, "room for the MSRs");
	for (i = 0; i < COUNT(watched_msrs); i++)
		msrs.e[i].index = watched_msrs[i];
	while (done < COUNT(watched_msrs)) {
		struct { struct minikvm_msrs head; struct minikvm_msr_entry e[MAX_MSRS]; } some;
		int n;

		some.head.nmsrs = COUNT(watched_msrs) - done;
		memcpy(some.e, msrs.e + done, some.head.nmsrs * sizeof(some.e[0]));
		n = ioctl(m->vcpu, MINIKVM_GET_MSRS, &some);
		for (i = 0; n > 0 && i < (u32)n; i++)
			values[done + i] = some.e[i].data;
		done += n > 0 ? n : 0;
		if (done < COUNT(watched_msrs))
			values[done++] = 0xdead;	/* there is none */
	}
}

static void msrs_undo(struct machine *m, const u64 *now, const u64 *then)
{
	struct { struct minikvm_msrs head; struct minikvm_msr_entry e; } one = { { 1, 0 }, { 0 } };
	u32 i;

	for (i = 0; i < COUNT(watched_msrs); i++) {
		if (now[i] == then[i])
			continue;
		one.e.index = watched_msrs[i];
		one.e.data = then[i];
		ioctl(m->vcpu, MINIKVM_SET_MSRS, &one);
	}
}

static void chips_take(struct machine *m, struct ending *e)
{
	struct minikvm_mp_state state = { 0 };

	part_get(m, P_MP_STATE, &state);
	e->mp_state = state.mp_state;
	if (!(m->kind & WITH_IRQCHIP))
		return;
	part_get(m, P_LAPIC, e->lapic);
	memset(e->lapic + 0x390, 0, 4);		/* the timer's count goes with time */
	part_get(m, P_PIC_MASTER, &e->pic[0]);
	part_get(m, P_PIC_SLAVE, &e->pic[1]);
	part_get(m, P_IOAPIC, &e->ioapic);
}

void ending_take(struct machine *m, struct ending *e)
{
	struct minikvm_xsave xsave;
	struct minikvm_xcrs xcrs = { 0 };

	memset(e, 0, sizeof(*e));
	part_get(m, P_DEBUGREGS, &e->debugregs);
	part_get(m, P_XCRS, &xcrs);
	e->xcr0 = xcrs.xcrs[0].value;
	part_get(m, P_XSAVE, &xsave);
	memcpy(e->xsave, xsave.region, XSAVE_BYTES);
	msrs_get(m, e->msrs);
	chips_take(m, e);
}

static void chips_undo(struct machine *m, const struct ending *now, const struct ending *then)
{
	struct minikvm_mp_state state = { then->mp_state };
	struct ending copy = *then;

	if (now->mp_state != then->mp_state)
		part_set(m, P_MP_STATE, &state);
	if (!(m->kind & WITH_IRQCHIP))
		return;
	if (memcmp(now->lapic, then->lapic, sizeof(then->lapic)))
		part_set(m, P_LAPIC, copy.lapic);
	if (memcmp(now->pic, then->pic, sizeof(then->pic))) {
		part_set(m, P_PIC_MASTER, &copy.pic[0]);
		part_set(m, P_PIC_SLAVE, &copy.pic[1]);
	}
	if (memcmp(&now->ioapic, &then->ioapic, sizeof(then->ioapic)))
		part_set(m, P_IOAPIC, &copy.ioapic);
}

/* Back from @now to what the machine was born with. */
void ending_undo(struct machine *m, const struct ending *now)
{
	struct ending then = m->birth;
	struct minikvm_xsave xsave = { 0 };
	struct minikvm_xcrs xcrs = { .nr_xcrs = 1, .xcrs[0].value = then.xcr0 };

	if (memcmp(&now->debugregs, &then.debugregs, sizeof(then.debugregs)))
		part_set(m, P_DEBUGREGS, &then.debugregs);
	if (now->xcr0 != then.xcr0)
		part_set(m, P_XCRS, &xcrs);
	if (memcmp(now->xsave, then.xsave, XSAVE_BYTES)) {
		memcpy(xsave.region, then.xsave, XSAVE_BYTES);
		part_set(m, P_XSAVE, &xsave);
	}
	msrs_undo(m, now->msrs, then.msrs);
	chips_undo(m, now, &then);
}
