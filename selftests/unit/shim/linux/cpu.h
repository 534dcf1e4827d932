/* SPDX-License-Identifier: GPL-2.0 */
/* CPUs that come and go, which is the test's part, and what is called on all of them. */
#ifndef SHIM_LINUX_CPU_H
#define SHIM_LINUX_CPU_H

enum { CPUHP_AP_ONLINE_DYN = 200 };

int cpuhp_setup_state(int state, const char *name, int (*comes)(unsigned int cpu),
		      int (*goes)(unsigned int cpu));
void cpuhp_remove_state_nocalls(int state);
void on_each_cpu(void (*fn)(void *info), void *info, int wait);

#define local_irq_save(flags)		((flags) = 0)
#define local_irq_restore(flags)	((void)(flags))

#endif
