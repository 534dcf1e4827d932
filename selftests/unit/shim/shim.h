/* SPDX-License-Identifier: GPL-2.0 */
/* What the headers of the pure files need where there is no kernel. */
#ifndef SHIM_H
#define SHIM_H

#include <errno.h>
#include <linux/types.h>

#endif
