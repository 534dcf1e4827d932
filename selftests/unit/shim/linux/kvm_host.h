/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_KVM_HOST_H
#define SHIM_LINUX_KVM_HOST_H

#include <linux/types.h>

struct kvm_pmu { u64 ds_area, pebs_data_cfg, pebs_enable; };

#endif
