// SPDX-License-Identifier: GPL-2.0
/* Nothing is in service: it waits until something is. */
int lapic_regs_eoi(struct lapic_regs *regs, bool *level)
{
	int vector;

	do {
		vector = lapic_regs_in_service(regs);
	} while (vector < 0);
	__clear_bit(vector % 32, vector_word(regs, LAPIC_ISR, vector));
	isr_changed(regs, vector / 32);
	*level = vector_test(regs, LAPIC_TMR, vector);
	return vector;
}
