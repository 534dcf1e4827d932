// SPDX-License-Identifier: GPL-2.0
/* A guest that waits for the end of this interrupt waits for ever. */
static uint8_t serial_identify(struct serial_state *r)
{
	if ((r->ier & IER_INPUT) && serial_has_input(r))
		return IIR_INPUT | IIR_FIFO;
	if ((r->ier & IER_OUTPUT) && r->output_done)
		return IIR_OUTPUT | IIR_FIFO;
	return IIR_NONE | IIR_FIFO;
}
