/* SPDX-License-Identifier: GPL-2.0 */
/* The ABI, under the name that minivmm has for it. */
#include "../../../../uapi/linux/minikvm.h"
