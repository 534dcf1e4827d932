// SPDX-License-Identifier: GPL-2.0
/*
 * What a VMCS says at first: module/vmx/vmcs_setup.c, on a VMCS that is an array; and the rules of
 * an entry, as a DEBUG build asks for them (module/vmx/check_entry.c).
 */
#include <string.h>

#define MINIKVM_DEBUG

/* The instructions stay where they are: nobody executes one. */
#define vmx_vmread		insn_vmread
#define vmx_vmread_unchecked	insn_vmread_unchecked
#define vmx_vmwrite		insn_vmwrite
#include <linux/bitops.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/printk.h>
#include "../../module/vmx/insn.h"
#undef vmx_vmread
#undef vmx_vmread_unchecked
#undef vmx_vmwrite

static u64 field[0x8000];	/* by their encoding */
static bool written[0x8000];

static unsigned long vmx_vmread(unsigned long enc)
{
	return field[enc];
}

static unsigned long vmx_vmread_unchecked(unsigned long enc)
{
	return field[enc];
}

static void vmx_vmwrite(unsigned long enc, unsigned long value)
{
	field[enc] = value;
	written[enc] = true;
}

#define __pa(p)		((u64)(unsigned long)(p))

#include "unit.h"
#include "../../module/vmx/vmcs_setup.c"
#include "../../module/vmx/check_entry.c"
#include "../../module/vmx/entry_rules.c"
#include "../../module/vmx/entry_rules_guest.c"

struct vmx_caps vmx_caps;

/* ---- the host */

#define HOST_CR0	0x80050033ul
#define HOST_IDT	0xfffffe0000000000ul
#define HOST_ENTRY	0xffffffff81000080ul
#define HOST_PAT	0x0407050600070106ull
#define HOST_EFER	0xd01

unsigned long read_cr0(void)
{
	return HOST_CR0 | X86_CR0_TS;	/* as it may be just now */
}

void store_idt(struct desc_ptr *idt)
{
	*idt = (struct desc_ptr) { .size = 0xfff, .address = HOST_IDT };
}

/* A Haswell's. The TRUE capabilities are there, and allow more than the others. */
u64 shim_rdmsr(u32 msr)
{
	switch (msr) {
	case MSR_IA32_SYSENTER_CS: return 0x10;
	case MSR_IA32_SYSENTER_EIP: return HOST_ENTRY;
	case MSR_IA32_CR_PAT: return HOST_PAT;
	case MSR_EFER: return HOST_EFER;
	case MSR_IA32_VMX_BASIC: return 0x01d8100000000001 | BIT_ULL(55);
	case MSR_IA32_VMX_MISC: return 0x400e5;
	case MSR_IA32_VMX_EPT_VPID_CAP: return 0x00000f0106334141;
	case MSR_IA32_VMX_CR0_FIXED0: return 0x80000021;
	case MSR_IA32_VMX_CR0_FIXED1: return 0xffffffff;
	case MSR_IA32_VMX_CR4_FIXED0: return 0x2000;
	case MSR_IA32_VMX_CR4_FIXED1: return 0x1767ff;
	case MSR_IA32_VMX_TRUE_PINBASED_CTLS: return 0x0000007f00000016;
	case MSR_IA32_VMX_TRUE_PROCBASED_CTLS: return 0xfff9fffe04006172;
	case MSR_IA32_VMX_PROCBASED_CTLS2: return 0x0283ffff00000000;
	case MSR_IA32_VMX_TRUE_EXIT_CTLS: return 0x007fffff00036dfb;
	case MSR_IA32_VMX_TRUE_ENTRY_CTLS: return 0x0000ffff000011fb;
	default: return 0;
	}
}

u64 caps_read_msr(u32 msr)
{
	return shim_rdmsr(msr);
}

void vmx_exit_point(void)
{
}

/* ---- what other files of vmx/ write */

static const void *filtered;

void vmx_filter_msrs(struct vcpu *vcpu, bool (*allowed)(struct vcpu *vcpu, u32 msr, bool write))
{
	filtered = allowed ? NULL : vcpu;
	vmcs_write_msr_bitmap(0x7000);
}

void vmx_apicv_setup(struct vcpu *vcpu)
{
	(void)vcpu;
}

void vmx_set_hv_timer(struct vcpu *vcpu, u64 ticks)
{
	(void)vcpu;
	vmcs_write_preemption_timer(ticks >> 32);
}

void vmx_set_exceptions(struct vcpu *vcpu)
{
	(void)vcpu;
	vmcs_write_exception_bitmap(BIT(1) | BIT(17) | BIT(18));
}

static bool failed;

void check_failed(const struct vm *vm, const struct vcpu *vcpu, const char *fmt, ...)
{
	(void)vm;
	(void)vcpu;
	(void)fmt;
	failed = true;
}

/* vmcs.c: the host's, of one processor. */
static void come_to_a_processor(void)
{
	vmcs_write_host_cr3(0x3000);
	vmcs_write_host_cr4(0x2020);
	vmcs_write_host_tr_base(0xfffffe0000003000);
	vmcs_write_host_gdtr_base(0xfffffe0000001000);
	vmcs_write_host_gs_base(0xffff888000000000);
	vmcs_write_host_sysenter_esp(0xfffffe0000002000);
	vmcs_write_tsc_multiplier(TSC_RATIO_ONE);
}

/* The guest's, as a reset leaves it, and no event. */
static void reset(void)
{
	int i;

	for (i = 0; i < RULES_SEGS; i++) {
		vmx_vmwrite(0x0800 + 2 * i, 0);
		vmx_vmwrite(0x4800 + 2 * i, 0xffff);
		vmx_vmwrite(0x4814 + 2 * i, i < RULES_LDTR ? 0x93 : i == RULES_LDTR ? 0x82 : 0x8b);
		vmx_vmwrite(0x6806 + 2 * i, 0);
	}
	vmx_vmwrite(0x0802, 0xf000);
	vmcs_write_guest_cs_base(0xffff0000);
	vmcs_write_guest_cs_access(0x9b);
	vmcs_write_guest_cr0(0x60000030);
	vmcs_write_guest_cr3(0);
	vmcs_write_guest_cr4(0x2000);
	vmcs_write_guest_efer(0);
	vmcs_write_guest_dr7(0x400);
	vmcs_write_guest_debugctl(0);
	vmcs_write_guest_pat(0x0007040600070406);
	vmcs_write_guest_gdtr_base(0);
	vmcs_write_guest_gdtr_limit(0xffff);
	vmcs_write_guest_idtr_base(0);
	vmcs_write_guest_idtr_limit(0xffff);
	vmcs_write_guest_rip(0xfff0);
	vmcs_write_guest_rflags(2);
	vmcs_write_guest_activity(ACTIVITY_ACTIVE);
	vmcs_write_guest_interruptibility(0);
	vmcs_write_guest_pending_dbg(0);
	vmcs_write_entry_intr_info(0);
}

/* ---- */

static struct vm vm;
static struct vcpu vcpu;
static u64 pml[VMX_PML_ENTRIES];

static void begin(void)
{
	memset(field, 0x5a, sizeof(field));	/* fields that nobody writes are anything */
	memset(written, 0, sizeof(written));
	memset(&vcpu, 0, sizeof(vcpu));
	failed = false;
	filtered = NULL;
	vm.eptp = 0x505e;
	vcpu.vm = &vm;
	vcpu.vpid = 7;
	vmx_caps = (struct vmx_caps) {
		.phys_bits = 48,
		.pin = 0x7f, .proc = 0xb5986dfa, .proc2 = 0x020094ea, .proc2_guest = 0x11808,
		.exit = 0x002f6fff, .entry = 0x0000d1ff, .preemption_timer = true,
	};
}

static void controls_are_as_the_processor_has_them(void)
{
	begin();
	vmcs_setup(&vcpu);
	CHECK_EQ(vmcs_read_pin_controls(), 0x7f);
	CHECK_EQ(vmcs_read_proc_controls(), 0xb5986dfa);
	CHECK_EQ(vcpu.proc_controls, 0xb5986dfa);
	CHECK_EQ(vmcs_read_proc2_controls(), 0x020094ea);
	CHECK_EQ(vmcs_read_exit_controls(), 0x002f6fff);
	CHECK_EQ(vmcs_read_entry_controls(), 0x0000d1ff);
	CHECK_EQ(vmcs_read_vpid(), 7);
	CHECK_EQ(vmcs_read_eptp(), 0x505e);
	CHECK_EQ(vmcs_read_entry_msr_load_address(), __pa(vcpu.perf.entry));
	CHECK_EQ(vmcs_read_exit_msr_load_address(), __pa(vcpu.perf.exit));
	CHECK_EQ(vmcs_read_encls_bitmap(), ~0ull);
	CHECK_EQ(vmcs_read_ple_window(), SPIN_WINDOW);
	CHECK(filtered == &vcpu);
	CHECK(!written[VMCS_ENC_pml_address] && !written[VMCS_ENC_pml_index]);
	CHECK_EQ(vmcs_read_preemption_timer(), ~0u);
}

/* A processor, or a VM, that has less. */
static void what_is_not_there_is_off(void)
{
	begin();
	vcpu.vpid = 0;
	vmx_caps.proc2 &= ~(PROC2_ENCLS | PROC2_PAUSE_LOOP);
	vmcs_setup(&vcpu);
	CHECK_EQ(vmcs_read_proc2_controls(), 0x020010ca);
	CHECK(!written[VMCS_ENC_vpid]);
	CHECK(!written[VMCS_ENC_encls_bitmap]);
	CHECK(!written[VMCS_ENC_ple_window]);
	begin();
	vcpu.pml = pml;
	vmx_caps.proc2 |= PROC2_PML;
	vmcs_setup(&vcpu);
	CHECK_EQ(vmcs_read_pml_address(), __pa(pml));
	CHECK_EQ(vmcs_read_pml_index(), VMX_PML_ENTRIES - 1);
}

static void exits_that_a_vmm_switches_off(void)
{
	static const struct { u32 off, proc, proc2; } rows[] = {
		{ MINIKVM_X86_DISABLE_EXITS_HLT, PROC_HLT, 0 },
		{ MINIKVM_X86_DISABLE_EXITS_MWAIT, PROC_MWAIT | PROC_MONITOR, 0 },
		{ MINIKVM_X86_DISABLE_EXITS_PAUSE, 0, PROC2_PAUSE_LOOP },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		begin();
		vcpu.exits_off = rows[i].off;
		vmcs_setup(&vcpu);
		CHECK_EQ(vmcs_read_proc_controls(), vmx_caps.proc & ~rows[i].proc);
		CHECK_EQ(vcpu.proc_controls, vmx_caps.proc & ~rows[i].proc);
		CHECK_EQ(vmcs_read_proc2_controls(), vmx_caps.proc2 & ~rows[i].proc2);
		CHECK_EQ(written[VMCS_ENC_ple_gap], !rows[i].proc2);
	}
}

static u32 with_features(u32 features)
{
	begin();
	vmcs_setup(&vcpu);
	vmcs_set_features(&vcpu, features);
	return vmcs_read_proc2_controls() ^ vmx_caps.proc2;
}

static void a_guest_has_the_instructions_of_its_cpuid(void)
{
	const u32 gives = PROC2_RDTSCP | PROC2_INVPCID, takes = PROC2_RDRAND | PROC2_RDSEED;

	CHECK_EQ(with_features(VMX_HAS_RDTSCP | VMX_HAS_INVPCID | VMX_HAS_RDRAND |
			       VMX_HAS_RDSEED), 0);
	CHECK_EQ(with_features(0), gives | takes);
	CHECK_EQ(with_features(VMX_HAS_RDTSCP | VMX_HAS_RDRAND), PROC2_INVPCID | PROC2_RDSEED);
	/* Another CPUID: what was taken comes back. */
	vmcs_set_features(&vcpu, VMX_HAS_INVPCID | VMX_HAS_RDSEED);
	CHECK_EQ(vmcs_read_proc2_controls() ^ vmx_caps.proc2, PROC2_RDTSCP | PROC2_RDRAND);
	/* On a processor without the control there is nothing to switch. */
	begin();
	vmx_caps.proc2 &= ~PROC2_RDTSCP;
	vmx_caps.proc2_guest = PROC2_INVPCID;
	vmcs_setup(&vcpu);
	vmcs_set_features(&vcpu, VMX_HAS_RDTSCP | VMX_HAS_INVPCID);
	CHECK_EQ(vmcs_read_proc2_controls(), vmx_caps.proc2);
}

static void an_exit_finds_the_host(void)
{
	begin();
	vmcs_setup(&vcpu);
	CHECK_EQ(vmcs_read_host_cr0(), HOST_CR0);	/* the FPU is usable after an exit */
	CHECK_EQ(vmcs_read_host_cs(), __KERNEL_CS);
	CHECK_EQ(vmcs_read_host_ss(), __KERNEL_DS);
	CHECK_EQ(vmcs_read_host_tr(), GDT_ENTRY_TSS * 8);
	CHECK_EQ(vmcs_read_host_idtr_base(), HOST_IDT);
	CHECK_EQ(vmcs_read_host_rip(), (unsigned long)vmx_exit_point);
	CHECK_EQ(vmcs_read_host_sysenter_cs(), 0x10);
	CHECK_EQ(vmcs_read_host_sysenter_eip(), HOST_ENTRY);
	CHECK_EQ(vmcs_read_host_pat(), HOST_PAT);
	CHECK_EQ(vmcs_read_host_efer(), HOST_EFER);
	CHECK_EQ(vmcs_read_host_ds() | vmcs_read_host_fs(), 0);
}

static void check_entry(void)
{
	check_entry_rules(&vcpu);
	if (vcpu.check.verdict.part)
		printf("# %s: %s\n", vcpu.check.verdict.what, vcpu.check.verdict.rule);
	CHECK_EQ(vcpu.check.verdict.part, RULES_FINE);
	CHECK(!failed);
}

static void a_processor_enters(void)
{
	begin();
	vmcs_setup(&vcpu);
	come_to_a_processor();
	reset();
	check_entry();
	vmcs_set_features(&vcpu, VMX_HAS_RDRAND);
	check_entry();
}

int main(void)
{
	RUN(controls_are_as_the_processor_has_them);
	RUN(what_is_not_there_is_off);
	RUN(exits_that_a_vmm_switches_off);
	RUN(a_guest_has_the_instructions_of_its_cpuid);
	RUN(an_exit_finds_the_host);
	RUN(a_processor_enters);
	return unit_end();
}
