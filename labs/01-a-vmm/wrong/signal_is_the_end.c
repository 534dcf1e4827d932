// SPDX-License-Identifier: GPL-2.0
/* EINTR is taken for an error. */
static int run_guest(int vcpu, struct minikvm_run *run)
{
	for (;;) {
		must(ioctl(vcpu, MINIKVM_RUN, 0), "RUN");
		switch (run->exit_reason) {
		case MINIKVM_EXIT_IO:	port_io(run, (char *)run + run->io.data_offset); break;
		case MINIKVM_EXIT_MMIO:
			memset(run->mmio.data, run->mmio.phys_addr == DEVICE_BYTE ? '!' : 0xff, 8);
			break;
		case MINIKVM_EXIT_HLT:	return 0;
		default:		errx(1, "the guest ended with exit reason %u", run->exit_reason);
		}
	}
}
