// SPDX-License-Identifier: GPL-2.0
/*
 * Guest segment registers: between the VMCS's layout and the ABI's.
 * Called with the VMCS loaded. SDM "Guest Register State", "Segment Registers".
 */
#include "vmx.h"

/* The four fields of segment i are at these encodings + 2 * i. */
#define ENC_SELECTOR	0x0800
#define ENC_LIMIT	0x4800
#define ENC_ACCESS	0x4814
#define ENC_BASE	0x6806

#define AR_UNUSABLE	BIT(16)

/**
 * vmx_segment_base - linear base address of a segment
 * @seg: SEG_*
 */
u64 vmx_segment_base(int seg)
{
	return vmx_vmread(ENC_BASE + 2 * seg);
}

/** vmx_segment_limit - its last byte's offset, or for an expand-down one the last that is not */
u32 vmx_segment_limit(int seg)
{
	return vmx_vmread(ENC_LIMIT + 2 * seg);
}

/** vmx_segment_access - access rights in the VMCS's layout: SDM "Guest Register State" */
u32 vmx_segment_access(int seg)
{
	return vmx_vmread(ENC_ACCESS + 2 * seg);
}

/**
 * vmx_get_segment - read a segment register from the VMCS
 * @seg: SEG_*
 * @s: filled, padding included
 */
void vmx_get_segment(int seg, struct minikvm_segment *s)
{
	u32 ar = vmx_vmread(ENC_ACCESS + 2 * seg);

	*s = (struct minikvm_segment) {
		.base = vmx_vmread(ENC_BASE + 2 * seg),
		.limit = vmx_vmread(ENC_LIMIT + 2 * seg),
		.selector = vmx_vmread(ENC_SELECTOR + 2 * seg),
		.unusable = !!(ar & AR_UNUSABLE),
		.present = !(ar & AR_UNUSABLE),
		.type = ar & 0xf,
		.s = ar >> 4 & 1,
		.dpl = ar >> 5 & 3,
		.avl = ar >> 12 & 1,
		.l = ar >> 13 & 1,
		.db = ar >> 14 & 1,
		.g = ar >> 15 & 1,
	};
	/* A usable segment's own P bit; entry demands it of all but a null selector. */
	if (!s->unusable)
		s->present = ar >> 7 & 1;
}

static u32 access_rights(const struct minikvm_segment *s)
{
	/* A VMM gets back what it set, of an unusable segment, too. */
	u32 unusable = s->unusable || !s->present ? AR_UNUSABLE : 0;

	return unusable | (s->type & 0xf) | (s->s & 1) << 4 |
	       (s->dpl & 3) << 5 | (s->present & 1) << 7 | (s->avl & 1) << 12 |
	       (s->l & 1) << 13 | (s->db & 1) << 14 | (s->g & 1) << 15;
}

/**
 * vmx_set_segment - write a segment register to the VMCS
 * @seg: SEG_*
 * @s: what the VMM or an emulated INIT/SIPI wants; entry checks the rest
 */
void vmx_set_segment(int seg, const struct minikvm_segment *s)
{
	u32 ar = access_rights(s);

	/*
	 * With unrestricted guest, entry wants the accessed bit set in a usable
	 * code or data segment; VMMs often leave it out. As KVM in unusable ones and in
	 * TR, too, whose types are odd. LDTR has no such bit.
	 */
	if (seg != SEG_LDTR)
		ar |= 1;
	vmx_vmwrite(ENC_BASE + 2 * seg, s->base);
	vmx_vmwrite(ENC_LIMIT + 2 * seg, s->limit);
	vmx_vmwrite(ENC_SELECTOR + 2 * seg, s->selector);
	vmx_vmwrite(ENC_ACCESS + 2 * seg, ar);
}

/** vmx_cpl - current privilege level: SS.DPL, see SDM "Guest Register State" */
int vmx_cpl(void)
{
	return vmcs_read_guest_ss_access() >> 5 & 3;
}
