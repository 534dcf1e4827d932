// SPDX-License-Identifier: GPL-2.0
/* A vector of the class that is in service interrupts it. */
int lapic_regs_pending(const struct lapic_regs *regs)
{
	int irr;

	if (regs->mode < LAPIC_XAPIC)
		return -1;
	irr = lapic_regs_requested(regs);
	if (irr < 0 || irr <= (int)processor_priority(regs))
		return -1;
	return irr;
}
