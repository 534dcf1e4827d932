# SPDX-License-Identifier: GPL-2.0
# Kbuild includes this: the kernels that minikvm cannot be built for, and why.
#
# KVM_INTEL (y or m) is asked for even where minikvm does not use it: it brings what only a
# hypervisor needs (preempt notifiers, entry points for NMIs, emergency callbacks), and
# without it the kernel locks VMX off when it boots.
minikvm-cpufeatures := $(srctree)/arch/x86/include/asm/cpufeatures.h
minikvm-knows = $(shell grep -qsw $(1) $(minikvm-cpufeatures) && echo y)
minikvm-version := $(shell echo $$(($(VERSION) * 1000 + $(PATCHLEVEL))))
# Before 6.19 minikvm can have VMX operation of its own; since then only KVM can, and minikvm in it.
minikvm-own := $(shell test $(minikvm-version) -lt 6019 && echo y)
# What kernels export for hypervisors only. A tree has a list of all exports once it was built;
# an export for modules of certain names has a word in the fifth column.
minikvm-symvers := $(objtree)/Module.symvers
minikvm-exports := preempt_notifier_inc preempt_notifier_register x86_spec_ctrl_current
minikvm-exports += xfer_to_guest_mode_handle_work
ifeq ($(minikvm-own),y)
minikvm-exports += clear_bhb_loop cpu_emergency_register_virt_callback
minikvm-exports += cr4_update_irqsoff fpu_alloc_guest_fpstate fpu_free_guest_fpstate
minikvm-exports += handle_guest_split_lock intel_pt_handle_vmx l1tf_mitigation
minikvm-exports += perf_guest_get_msrs switch_fpu_return
else
minikvm-exports += kernel_fpu_begin_mask kernel_fpu_end
endif
minikvm-missing := $(shell [ ! -s $(minikvm-symvers) ] || awk -F '\t' -v names="$(minikvm-exports)" \
	'BEGIN { split(names, a, " "); for (i in a) want[a[i]] } $$5 == "" { delete want[$$2] } \
	 END { for (name in want) { print name; exit } }' $(minikvm-symvers))

ifndef CONFIG_X86_64
$(error minikvm: this kernel is not for x86-64)
endif
ifeq ($(CONFIG_KVM_INTEL),)
$(error minikvm: this kernel is built without KVM_INTEL, which minikvm needs in its configuration)
endif
ifneq ($(CONFIG_MMU_NOTIFIER)$(CONFIG_PREEMPT_NOTIFIERS),yy)
$(error minikvm: this kernel is built without PREEMPT_NOTIFIERS or MMU_NOTIFIER)
endif
ifeq ($(shell test $(minikvm-version) -lt 6001 && echo y),y)
$(error minikvm: this kernel is older than 6.1)
endif
ifneq ($(call minikvm-knows,X86_FEATURE_IBPB_EXIT_TO_USER)$(call minikvm-knows,X86_BUG_ITS),yy)
$(error minikvm: this kernel is older than the fixes for ITS and VMSCAPE (2025), which minikvm relies on: update it)
endif
ifneq ($(minikvm-missing),)
$(error minikvm: this kernel does not export $(minikvm-missing), which only a hypervisor needs, or not to minikvm)
endif
