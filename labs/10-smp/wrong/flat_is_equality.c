// SPDX-License-Identifier: GPL-2.0
/* One APIC has one bit, so a destination is one APIC's. */
static bool match_logical(u32 address, u32 dest)
{
	u32 ldr = address >> ADDRESS_LDR_SHIFT & 0xff;

	if (address & ADDRESS_FLAT)
		return ldr == dest;
	if (address & ADDRESS_CLUSTER)
		return ldr >> 4 == dest >> 4 && (ldr & dest & 0xf);
	return false;
}
