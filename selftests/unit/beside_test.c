// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: in KVM's VMX operation (module/vmx/beside.c) each finds the VMCS that it left current on
 * a processor, none stays in use that its owner has cleared, and no guest runs on what another one
 * has taught the branch predictors.
 *
 * The test is one processor, KVM, and the host's interrupts. VMCSs are addresses.
 */
#include <string.h>

static unsigned long long current_vmcs;
#define vmx_vmptrst		insn_vmptrst
#define vmx_vmptrld		insn_vmptrld
#define vmx_vmptrld_foreign	insn_vmptrld_foreign
#include <linux/bitops.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/printk.h>
#include "../../module/vmx/insn.h"
#undef vmx_vmptrst
#undef vmx_vmptrld
#undef vmx_vmptrld_foreign
#define vmx_vmptrst()		current_vmcs
#define vmx_vmptrld(pa)		vmptrld(*(pa))
#define vmx_vmptrld_foreign(pa)	vmptrld(*(pa))

#include "random.h"
#include "unit.h"

static int loads;

static void vmptrld(u64 pa)
{
	CHECK(pa != ~0ull);
	current_vmcs = pa;
	loads++;
}

#include "../../module/vmx/beside.c"

/* ---- the host: trace points, and CPUs that come and go */

static const char *const point_names[] = {
	"irq_work_entry", "call_function_entry", "call_function_exit", "call_function_single_entry",
	"call_function_single_exit", "reschedule_entry",
};
#define POINTS	ARRAY_SIZE(point_names)

static struct {
	struct tracepoint points[POINTS];
	void (*probes[POINTS])(void *unused, int vector);
	const char *without;			/* a kernel that has not this one */
	int probes_left;			/* before one is refused; -1: none is */
	int hold_error, cpuhp_error;
	int held, states, synced;
	int (*comes)(unsigned int cpu), (*goes)(unsigned int cpu);
} host;

void for_each_kernel_tracepoint(void (*fct)(struct tracepoint *tp, void *priv), void *priv)
{
	size_t i;

	for (i = 0; i < POINTS; i++) {
		host.points[i].name = point_names[i];
		if (!host.without || strcmp(host.without, point_names[i]))
			fct(&host.points[i], priv);
	}
}

int tracepoint_probe_register(struct tracepoint *tp, void *probe, void *data)
{
	(void)data;
	if (!host.probes_left)
		return -ENOMEM;
	host.probes_left--;
	CHECK(!host.probes[tp - host.points]);
	host.probes[tp - host.points] = probe;
	return 0;
}

int tracepoint_probe_unregister(struct tracepoint *tp, void *probe, void *data)
{
	(void)data;
	CHECK(host.probes[tp - host.points] == probe);
	host.probes[tp - host.points] = NULL;
	host.synced = 0;
	return 0;
}

void tracepoint_synchronize_unregister(void)
{
	host.synced = 1;
}

int cpuhp_setup_state(int state, const char *name, int (*comes)(unsigned int cpu),
		      int (*goes)(unsigned int cpu))
{
	(void)name;
	if (host.cpuhp_error)
		return host.cpuhp_error;
	host.states++;
	host.comes = comes;
	host.goes = goes;
	comes(0);
	return state;
}

void cpuhp_remove_state_nocalls(int state)
{
	CHECK_EQ(state, CPUHP_AP_ONLINE_DYN);
	host.states--;
}

void on_each_cpu(void (*fn)(void *info), void *info, int wait)
{
	CHECK_EQ(wait, 1);
	fn(info);
}

int kvm_vm_hold(void)
{
	if (!host.hold_error)
		host.held++;
	return host.hold_error;
}

void kvm_vm_release(void)
{
	CHECK(!vmx_beside);
	CHECK(host.synced);	/* no probe runs any more: its code may go */
	host.held--;
}

int vmx_caps_check(void)
{
	return 0;
}

static int probes(void)
{
	size_t i;
	int n = 0;

	for (i = 0; i < POINTS; i++)
		n += !!host.probes[i];
	return n;
}

/* ---- guests: who has run here since the last barrier */

#define NONE	NO_POINTER

static u64 ran;

void native_wrmsrl(u32 msr, u64 value)
{
	CHECK_EQ(msr, MSR_IA32_PRED_CMD);
	CHECK_EQ(value, PRED_CMD_IBPB);
	ran = 0;
}

static void guest_runs(u64 vmcs)
{
	CHECK_EQ(current_vmcs, vmcs);
	CHECK(!ran || ran == vmcs);
	ran = vmcs;
}

/* ---- ours */

static struct vcpu ours[2] = { { .vmcs_pa = 0x1000 }, { .vmcs_pa = 0x2000 } };
static struct vcpu *attached;
struct vcpu *vmcs_current;

static void attach(int i)
{
	attached = &ours[i];
	beside_attach(attached);
}

static void detach(void)
{
	beside_detach(attached);
	attached = NULL;
}

static bool active[2];		/* in this processor: not cleared since it was current */

/* vmcs.c: VMCLEAR */
void vmcs_clear_local(struct vcpu *vcpu)
{
	active[vcpu - ours] = false;
	if (current_vmcs == vcpu->vmcs_pa)
		current_vmcs = NONE;
	if (vmcs_current == vcpu)
		vmcs_current = NULL;
}

void vmcs_clear_all_local(void)
{
	vmcs_clear_local(&ours[0]);
	vmcs_clear_local(&ours[1]);
}

static void our_guest_runs(void)
{
	active[attached - ours] = true;
	guest_runs(attached->vmcs_pa);
}

/* ---- KVM's, as its vmx.c does it */

#define KVMS	0x8000ull		/* the first of its VMCSs */

static u64 kvm_current = NONE;		/* what KVM takes for current */
static bool elsewhere[2];		/* another CPU may have it, or has freed it */

static void kvm_guest_runs(int i)
{
	u64 vmcs = KVMS + i;

	if (kvm_current != vmcs) {
		current_vmcs = vmcs;
		kvm_current = vmcs;
		ran = 0;
	}
	elsewhere[i] = false;
	guest_runs(vmcs);
}

static void trace(const char *name)
{
	size_t i;

	for (i = 0; i < POINTS; i++) {
		if (!strcmp(point_names[i], name) && host.probes[i])
			host.probes[i](NULL, 0xfb);
	}
}

/* By an interrupt, as loaded_vmcs_clear(); one of two kinds. -1: it is about something else. */
static void kvm_clears(int i, bool single)
{
	trace(single ? "call_function_single_entry" : "call_function_entry");
	if (i >= 0) {
		if (kvm_current == KVMS + i)
			kvm_current = NONE;
		if (current_vmcs == KVMS + i)
			current_vmcs = NONE;
		elsewhere[i] = true;
	}
	trace(single ? "call_function_single_exit" : "call_function_exit");
	if (attached)
		CHECK_EQ(current_vmcs, attached->vmcs_pa);
}

static void begin(void)
{
	memset(&host, 0, sizeof(host));
	host.probes_left = -1;
	kvm_current = current_vmcs = NONE;
	ran = 0;
	memset(elsewhere, 0, sizeof(elsewhere));
	CHECK_EQ(beside_on(), 0);
}

static void end(void)
{
	beside_off();
	CHECK_EQ(host.held | host.states | probes() | vmx_beside, 0);
	CHECK(!active[0] && !active[1]);
}

/* ---- */

static void what_KVM_left_is_current_when_it_comes_again(void)
{
	begin();
	kvm_guest_runs(0);
	attach(0);
	our_guest_runs();
	detach();
	CHECK_EQ(current_vmcs, KVMS);
	kvm_guest_runs(0);
	end();
}

/* Where KVM has none, ours stays: nothing to do the next time. */
static void ours_stays_where_nobody_misses_another(void)
{
	begin();
	attach(0);
	our_guest_runs();
	detach();
	CHECK_EQ(current_vmcs, ours[0].vmcs_pa);
	attach(1);
	our_guest_runs();
	detach();
	CHECK_EQ(current_vmcs, ours[1].vmcs_pa);
	loads = 0;
	attach(1);
	our_guest_runs();
	detach();
	CHECK_EQ(loads, 0);
	kvm_guest_runs(1);
	end();
}

static void what_KVM_clears_meanwhile_does_not_come_back(void)
{
	int single;

	for (single = 0; single < 2; single++) {
		begin();
		kvm_guest_runs(0);
		attach(0);
		kvm_clears(0, single);
		our_guest_runs();
		detach();
		CHECK(current_vmcs != KVMS);
		end();
	}
}

static void an_interrupt_about_something_else_changes_nothing(void)
{
	int single, i;

	for (single = 0; single < 2; single++) {
		for (i = -1; i < 2; i += 2) {
			begin();
			kvm_guest_runs(0);
			attach(0);
			kvm_clears(i, single);
			our_guest_runs();
			detach();
			kvm_guest_runs(0);
			end();
		}
	}
}

/* KVM executes VMXOFF a little after our callback: what is active then would be lost. */
static void nothing_of_ours_is_active_where_the_CPU_leaves(void)
{
	begin();
	attach(0);
	our_guest_runs();
	detach();
	CHECK(active[0]);
	host.goes(0);
	CHECK(!active[0]);
	attach(1);
	our_guest_runs();
	detach();
	CHECK(!active[1]);
	kvm_guest_runs(0);
	attach(0);
	our_guest_runs();
	detach();
	CHECK(!active[0]);
	CHECK_EQ(current_vmcs, KVMS);
	host.comes(0);
	attach(1);
	our_guest_runs();
	detach();
	CHECK(active[1]);
	end();
}

static void any_order(void)
{
	int i, what;

	begin();
	for (i = 0; i < 1000000 && !unit_bad; i++) {
		what = below(8);
		if (what < 2)
			kvm_clears((int)below(3) - 1, one_in(2));
		else if (attached && what < 4)
			detach();
		else if (attached)
			our_guest_runs();
		else if (what < 4)
			attach(below(2));
		else if (what == 4)
			vmcs_clear_local(&ours[below(2)]);
		else
			kvm_guest_runs(below(2));
		CHECK(current_vmcs != KVMS || !elsewhere[0]);
		CHECK(current_vmcs != KVMS + 1 || !elsewhere[1]);
	}
	if (attached)
		detach();
	end();
}

/* What cannot be had is refused, and nothing of it stays. */
static void refused(int err)
{
	CHECK_EQ(beside_on(), err);
	CHECK_EQ(host.held | host.states | probes() | vmx_beside, 0);
}

static void a_host_that_lacks_something_is_refused(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ipis); i++) {
		begin();
		end();
		host.without = ipis[i].name;
		ipis[i].point = NULL;		/* as in a module that has just been loaded */
		refused(-EOPNOTSUPP);
		host.without = NULL;
		host.probes_left = i;
		refused(-ENOMEM);
	}
	host.probes_left = -1;
	host.cpuhp_error = -EOPNOTSUPP;
	refused(-EOPNOTSUPP);
	host.hold_error = -ENODEV;
	refused(-ENODEV);
}

int main(void)
{
	RUN(what_KVM_left_is_current_when_it_comes_again);
	RUN(ours_stays_where_nobody_misses_another);
	RUN(what_KVM_clears_meanwhile_does_not_come_back);
	RUN(an_interrupt_about_something_else_changes_nothing);
	RUN(nothing_of_ours_is_active_where_the_CPU_leaves);
	RUN(any_order);
	RUN(a_host_that_lacks_something_is_refused);
	return unit_end();
}
