/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Included into arch/x86/kernel/cpu/feat_ctl.c only, after the configuration, by
 * testbed/kernel when it builds small-nokvm: see there.
 */
#undef CONFIG_KVM_INTEL
#undef CONFIG_KVM_INTEL_MODULE
