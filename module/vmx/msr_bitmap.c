// SPDX-License-Identifier: GPL-2.0
/*
 * Which MSRs a guest accesses without an exit: bitmaps that all vCPUs share, and one of a
 * vCPU's own once its VMM filters. SDM "MSR-Bitmap Address".
 */
#include <linux/gfp.h>
#include <linux/string.h>
#include <asm/msr.h>

#include "internal.h"
#include "vmx.h"

/* What not every vCPU has to itself: SPEC_CTRL once it uses it, the x2APIC with APICV_X2APIC. */
enum {
	DIRECT_SPEC_CTRL = BIT(0), DIRECT_X2APIC = BIT(1), DIRECT_CSTATE = BIT(2), MSR_BITMAPS = 8,
};
static u8 *msr_bitmaps[MSR_BITMAPS];

/* MSRs that the guest accesses itself, all vCPUs or those that have @which; all others exit. */
static const struct { u32 msr; bool write; u8 which; } msr_direct[] = {
	{ MSR_IA32_SYSENTER_CS, true },
	{ MSR_IA32_SYSENTER_ESP, true },
	{ MSR_IA32_SYSENTER_EIP, true },
	{ MSR_FS_BASE, true },
	{ MSR_GS_BASE, true },
	{ MSR_KERNEL_GS_BASE, true },
	{ MSR_IA32_TSC, false },	/* RDMSR adds the TSC offset */
	{ MSR_IA32_SPEC_CTRL, true, DIRECT_SPEC_CTRL },
	{ MSR_CORE_C1_RES, false, DIRECT_CSTATE },
	{ MSR_CORE_C3_RESIDENCY, false, DIRECT_CSTATE },
	{ MSR_CORE_C6_RESIDENCY, false, DIRECT_CSTATE },
	{ MSR_CORE_C7_RESIDENCY, false, DIRECT_CSTATE },
};

#define X2APIC_FIRST	0x800
#define X2APIC_COUNT	64

/*
 * Registers that the processor reads from the virtual-APIC page: all that there are but ICR,
 * of which the page has its two halves apart, and the current count, which is made up.
 */
#define X2APIC_READS	(BIT_ULL(0x02) | BIT_ULL(0x03) | BIT_ULL(0x08) | BIT_ULL(0x0a) |	\
			 BIT_ULL(0x0d) | BIT_ULL(0x0f) | GENMASK_ULL(0x28, 0x10) |		\
			 GENMASK_ULL(0x38, 0x32) | BIT_ULL(0x3e))
/* TPR, EOI and self IPI: SDM "Virtualizing MSR-Based APIC Accesses" */
#define X2APIC_WRITES	(BIT_ULL(0x08) | BIT_ULL(0x0b) | BIT_ULL(0x3f))

/* SDM "MSR-Bitmap Address": reads low, reads high, writes low, writes high. */
static void msr_bitmap_put(u8 *map, u32 msr, bool write, bool exits)
{
	u8 *byte = map + (write ? 2048 : 0) + (msr >= 0xc0000000 ? 1024 : 0) + (msr & 0x1fff) / 8;

	if (exits)
		*byte |= 1 << (msr % 8);
	else
		*byte &= ~(1 << (msr % 8));
}

static void msr_bitmap_fill(u8 *map, int which)
{
	int i;

	memset(map, 0xff, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(msr_direct); i++) {
		if (msr_direct[i].which & ~which)
			continue;
		msr_bitmap_put(map, msr_direct[i].msr, false, false);
		if (msr_direct[i].write)
			msr_bitmap_put(map, msr_direct[i].msr, true, false);
	}
	for (i = 0; i < X2APIC_COUNT && (which & DIRECT_X2APIC); i++) {
		msr_bitmap_put(map, X2APIC_FIRST + i, false, !(X2APIC_READS >> i & 1));
		msr_bitmap_put(map, X2APIC_FIRST + i, true, !(X2APIC_WRITES >> i & 1));
	}
}

static u8 *shared_bitmap(const struct vcpu *vcpu)
{
	return msr_bitmaps[(vcpu->spec_ctrl_direct ? DIRECT_SPEC_CTRL : 0) |
			   (vcpu->apicv == APICV_X2APIC ? DIRECT_X2APIC : 0) |
			   (vcpu->exits_off & MINIKVM_X86_DISABLE_EXITS_CSTATE ? DIRECT_CSTATE : 0)];
}

/**
 * vmx_update_x2apic_msrs - vcpu->apicv is another one
 * @vcpu: loaded
 *
 * No filter has a say in these MSRs.
 */
void vmx_update_x2apic_msrs(struct vcpu *vcpu)
{
	u8 *map = shared_bitmap(vcpu);
	int reads = X2APIC_FIRST / 8, writes = 2048 + reads;

	if (vcpu->msr_filtered) {
		memcpy(vcpu->msr_bitmap + reads, map + reads, X2APIC_COUNT / 8);
		memcpy(vcpu->msr_bitmap + writes, map + writes, X2APIC_COUNT / 8);
		return;
	}
	vmcs_write_msr_bitmap(__pa(map));
}

/**
 * vmx_spec_ctrl_direct - from the next entry on the guest reads and writes SPEC_CTRL itself
 * @vcpu: loaded; its CPUID has the MSR, and is final
 *
 * A guest with legacy IBRS writes it twice in each system call; one that never writes
 * more than 0 does not pay the RDMSR of each exit that this brings, see entry.S.
 *
 * Context: interrupts off or on.
 */
void vmx_spec_ctrl_direct(struct vcpu *vcpu)
{
	if (vcpu->spec_ctrl_direct || vcpu->msr_filtered)
		return;
	vcpu->spec_ctrl_direct = true;
	vmcs_write_msr_bitmap(__pa(shared_bitmap(vcpu)));
}

/**
 * vmx_filter_msrs - of the MSRs that the guest accesses itself, some exit from the next entry on
 * @vcpu: loaded; with @allowed it has an msr_bitmap, which no other vCPU uses
 * @allowed: may it access @msr? NULL: all of them
 */
void vmx_filter_msrs(struct vcpu *vcpu, bool (*allowed)(struct vcpu *vcpu, u32 msr, bool write))
{
	u8 *map = shared_bitmap(vcpu);
	int i;

	if (allowed) {
		map = memcpy(vcpu->msr_bitmap, map, PAGE_SIZE);
		for (i = 0; i < 2 * ARRAY_SIZE(msr_direct); i++)
			if (!allowed(vcpu, msr_direct[i / 2].msr, i & 1))
				msr_bitmap_put(map, msr_direct[i / 2].msr, i & 1, true);
	}
	vmcs_write_msr_bitmap(__pa(map));
}

/** msr_bitmap_exit - undo msr_bitmap_init(), or what it has done so far */
void msr_bitmap_exit(void)
{
	int i;

	for (i = 0; i < MSR_BITMAPS; i++)
		free_page((unsigned long)msr_bitmaps[i]);
}

/** msr_bitmap_init - what all vCPUs share; at module load. Return: 0 or -ENOMEM. */
int __init msr_bitmap_init(void)
{
	int i;

	for (i = 0; i < MSR_BITMAPS; i++) {
		msr_bitmaps[i] = (u8 *)__get_free_page(GFP_KERNEL);
		if (!msr_bitmaps[i]) {
			msr_bitmap_exit();
			return -ENOMEM;
		}
		msr_bitmap_fill(msr_bitmaps[i], i);
	}
	return 0;
}
