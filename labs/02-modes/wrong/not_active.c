// SPDX-License-Identifier: GPL-2.0
/* The processor sets LMA itself when paging is switched on; a VMM has to. */
static void boot_linux(const struct linux_guest *l, const struct vcpu *vcpu)
{
	static const struct minikvm_segment code = {
		.limit = ~0u, .selector = BOOT_CS, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1,
	};
	static const struct minikvm_segment data = {
		.limit = ~0u, .selector = BOOT_DS, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1,
	};
	struct minikvm_sregs s = vcpu_get_sregs(vcpu);
	uint64_t entry = linux_load(l, &vcpu->vm->memory);

	page_tables_write(&vcpu->vm->memory);
	s.cs = code;
	s.ds = s.es = s.fs = s.gs = s.ss = data;
	s.cr3 = PAGE_TABLES;
	s.cr4 = 0x20;
	s.cr0 = 0x80050033;
	s.efer = 0x100;
	vcpu_set_registers(vcpu, &s, entry, BOOT_PARAMS);
}
