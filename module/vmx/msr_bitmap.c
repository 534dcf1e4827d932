// SPDX-License-Identifier: GPL-2.0
/*
 * Which MSRs a guest accesses without an exit: two bitmaps that all vCPUs share, and one of a
 * vCPU's own once its VMM filters. SDM "MSR-Bitmap Address".
 */
#include <linux/gfp.h>
#include <linux/string.h>
#include <asm/msr.h>

#include "internal.h"
#include "vmx.h"

/* MSRs that the guest accesses itself; all others exit. The last one: if it uses it. */
static const struct { u32 msr; bool write; } msr_direct[] = {
	{ MSR_IA32_SYSENTER_CS, true },
	{ MSR_IA32_SYSENTER_ESP, true },
	{ MSR_IA32_SYSENTER_EIP, true },
	{ MSR_FS_BASE, true },
	{ MSR_GS_BASE, true },
	{ MSR_KERNEL_GS_BASE, true },
	{ MSR_IA32_TSC, false },	/* RDMSR adds the TSC offset */
	{ MSR_IA32_SPEC_CTRL, true },
};

static u8 *msr_bitmap;			/* of a vCPU at first */
static u8 *msr_bitmap_spec_ctrl;	/* and once it uses SPEC_CTRL, which it then has to itself */

/* SDM "MSR-Bitmap Address": reads low, reads high, writes low, writes high. */
static void msr_bitmap_put(u8 *map, u32 msr, bool write, bool exits)
{
	u8 *byte = map + (write ? 2048 : 0) + (msr >= 0xc0000000 ? 1024 : 0) + (msr & 0x1fff) / 8;

	if (exits)
		*byte |= 1 << (msr % 8);
	else
		*byte &= ~(1 << (msr % 8));
}

static void msr_bitmap_fill(u8 *map, int n)
{
	int i;

	memset(map, 0xff, PAGE_SIZE);
	for (i = 0; i < n; i++) {
		msr_bitmap_put(map, msr_direct[i].msr, false, false);
		if (msr_direct[i].write)
			msr_bitmap_put(map, msr_direct[i].msr, true, false);
	}
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
	vmcs_write_msr_bitmap(__pa(msr_bitmap_spec_ctrl));
}

/**
 * vmx_filter_msrs - of the MSRs that the guest accesses itself, some exit from the next entry on
 * @vcpu: loaded; with @allowed it has an msr_bitmap, which no other vCPU uses
 * @allowed: may it access @msr? NULL: all of them
 */
void vmx_filter_msrs(struct vcpu *vcpu, bool (*allowed)(struct vcpu *vcpu, u32 msr, bool write))
{
	u8 *map = vcpu->spec_ctrl_direct ? msr_bitmap_spec_ctrl : msr_bitmap;
	int i;

	if (allowed) {
		map = memcpy(vcpu->msr_bitmap, map, PAGE_SIZE);
		for (i = 0; i < 2 * ARRAY_SIZE(msr_direct); i++)
			if (!allowed(vcpu, msr_direct[i / 2].msr, i & 1))
				msr_bitmap_put(map, msr_direct[i / 2].msr, i & 1, true);
	}
	vmcs_write_msr_bitmap(__pa(map));
}

/** msr_bitmap_exit - undo msr_bitmap_init() */
void msr_bitmap_exit(void)
{
	free_page((unsigned long)msr_bitmap_spec_ctrl);
	free_page((unsigned long)msr_bitmap);
}

/** msr_bitmap_init - what all vCPUs share; at module load. Return: 0 or -ENOMEM. */
int __init msr_bitmap_init(void)
{
	msr_bitmap = (u8 *)__get_free_page(GFP_KERNEL);
	msr_bitmap_spec_ctrl = (u8 *)__get_free_page(GFP_KERNEL);
	if (!msr_bitmap || !msr_bitmap_spec_ctrl) {
		msr_bitmap_exit();
		return -ENOMEM;
	}
	msr_bitmap_fill(msr_bitmap, ARRAY_SIZE(msr_direct) - 1);
	msr_bitmap_fill(msr_bitmap_spec_ctrl, ARRAY_SIZE(msr_direct));
	return 0;
}
