// SPDX-License-Identifier: GPL-2.0
/* CR0 as it is at this moment. */
static void setup_host(void)
{
	struct desc_ptr idt;
	u64 value;

	vmcs_write_host_cr0(read_cr0());
	vmcs_write_host_cs(__KERNEL_CS);
	vmcs_write_host_ss(__KERNEL_DS);
	vmcs_write_host_tr(GDT_ENTRY_TSS * 8);
	store_idt(&idt);
	vmcs_write_host_idtr_base(idt.address);
	vmcs_write_host_rip((unsigned long)vmx_exit_point);
	rdmsrl(MSR_IA32_SYSENTER_CS, value);
	vmcs_write_host_sysenter_cs(value);
	rdmsrl(MSR_IA32_SYSENTER_EIP, value);
	vmcs_write_host_sysenter_eip(value);
	rdmsrl(MSR_IA32_CR_PAT, value);
	vmcs_write_host_pat(value);
	rdmsrl(MSR_EFER, value);
	vmcs_write_host_efer(value);
}
