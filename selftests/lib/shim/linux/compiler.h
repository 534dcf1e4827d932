/* SPDX-License-Identifier: GPL-2.0 */
/* The uapi headers of a header package still carry kernel annotations. */
#define __user
