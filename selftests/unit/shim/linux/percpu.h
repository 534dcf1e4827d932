/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_PERCPU_H
#define SHIM_LINUX_PERCPU_H

#define DECLARE_PER_CPU(type, name)	extern type name
#define DEFINE_PER_CPU(type, name)	type name
#define __this_cpu_read(name)		(name)
#define __this_cpu_write(name, value)	((name) = (value))
#define this_cpu_ptr(p)			(p)

#endif
