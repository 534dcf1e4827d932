// SPDX-License-Identifier: GPL-2.0
/*
 * Whose VMX operation the guests are in. It is chosen with the first VM and stays so until the
 * last one is gone:
 *
 *	KVM's	beside.c: if kvm-intel is loaded. The only way from Linux 6.19 on.
 *	ours	vmxon.c: if it is not, and the kernel lets us.
 *
 * Suspend and an orderly shutdown come here first, as both ways must hear of them.
 */
#define pr_fmt(fmt) "minikvm: " fmt

#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/reboot.h>
#include <linux/stop_machine.h>
#include <asm/tsc.h>

#include "../compat.h"
#include "beside.h"
#include "internal.h"
#include "vmx.h"

DEFINE_PER_CPU(unsigned int, vmx_insn_failures);
bool vmx_going_down;			/* a reboot or crash took VMX away under the guests */

static int beside_kvm = -1;
module_param(beside_kvm, int, 0444);
MODULE_PARM_DESC(beside_kvm,
		 "whose VMX operation guests are in: 1 KVM's, 0 minikvm's own, -1 (default) KVM's if kvm-intel is loaded");

static DEFINE_MUTEX(users_lock);	/* what follows; VMX goes on and off under it */
static unsigned int vmx_users;
static bool said, said_beside;		/* what the log says */

static int nothing(void *unused)
{
	return 0;
}

/*
 * Where user processes may still be in RUN. KVM then puts the host's MSRs back, which must not
 * happen under a guest of ours: each CPU changes to another thread once, and who comes back
 * enters no guest (load_beside()).
 */
static void go_down(void)
{
	WRITE_ONCE(vmx_going_down, true);
	if (vmx_is_beside()) {
		stop_machine(nothing, NULL, NULL);
		check_all_out();
	} else {
		own_shutdown();
	}
}

static int syscore_suspend_vmx(void)
{
	host_tsc_suspend();
	/* Only this CPU is left. */
	if (vmx_is_beside())
		vmcs_clear_all_local();	/* before KVM leaves VMX operation */
	else
		own_suspend();
	return 0;
}

static void syscore_resume_vmx(void)
{
	host_tsc_resume();
	if (!vmx_is_beside())
		own_resume();
}

/* Higher than KVM's own. */
static int reboot_announced(struct notifier_block *nb, unsigned long action, void *unused)
{
	if (vmx_is_beside())
		go_down();
	return NOTIFY_DONE;
}

static struct notifier_block vmx_reboot = { .notifier_call = reboot_announced, .priority = 1 };

static COMPAT_SYSCORE(vmx_syscore, syscore_suspend_vmx, syscore_resume_vmx, go_down);

static void say_which(void)
{
	bool beside = vmx_is_beside();

	if (said && said_beside == beside)
		return;
	said = true;
	said_beside = beside;
	if (beside)
		pr_info("guests run in KVM's VMX operation, as kvm-intel is loaded: its VMs and ours may run at once\n");
	else
		pr_info("guests run in VMX operation of minikvm's own, as kvm-intel is not used\n");
}

/* One sentence for who can do something about it. */
static void say_why_not(int err)
{
	if (READ_ONCE(vmx_going_down))
		return;
	if (err == -ENODEV && COMPAT_FOR_KVM_ONLY)
		pr_err_ratelimited("this kernel (6.19 or later) lets only KVM switch VT-x on: load kvm-intel, minikvm runs beside it\n");
	else if (err == -ENODEV)
		pr_err_ratelimited("beside_kvm=1, and kvm-intel is not loaded\n");
	else if (err == -EBUSY)
		pr_info_ratelimited("VT-x is in use by another hypervisor: unload it\n");
}

static int choose(void)
{
	int err = beside_kvm ? beside_on() : -ENODEV;

	/* The callbacks are called in reverse: before KVM's; and no VMX of ours goes unheard. */
	compat_register_syscore(&vmx_syscore);
	if (err == -ENODEV && beside_kvm <= 0)
		err = own_on();
	if (err)
		compat_unregister_syscore(&vmx_syscore);
	return err;
}

/**
 * vmx_get - count one more VM; the first chooses the way and has VMX on everywhere
 *
 * Context: may sleep.
 * Return: 0; -EBUSY if another hypervisor holds VT-x; -ENODEV if there is no kvm-intel and must
 * be; -EOPNOTSUPP if a processor came later and differs. One sentence is logged.
 */
int vmx_get(void)
{
	int err = 0;

	mutex_lock(&users_lock);
	if (READ_ONCE(vmx_going_down))
		err = -EBUSY;
	else if (!vmx_users)
		err = choose();
	if (!err && !vmx_users++)
		say_which();
	mutex_unlock(&users_lock);
	if (err)
		say_why_not(err);
	return err;
}

/** vmx_put - count one VM less; the last gives VMX up. May sleep. */
void vmx_put(void)
{
	mutex_lock(&users_lock);
	if (!--vmx_users) {
		compat_unregister_syscore(&vmx_syscore);
		if (vmx_is_beside())
			beside_off();
		else
			own_off();
	}
	mutex_unlock(&users_lock);
}

/**
 * vmx_init - what both ways need, and a look whether one of them is open
 *
 * Context: module load, after vmcs_init(). Return: 0; -ENOMEM; -ENODEV where only KVM's is and
 * kvm-intel is not loaded.
 */
int __init vmx_init(void)
{
	int err = own_init();

	if (err)
		return err;
	if (COMPAT_KVM_LEAVES_EARLY)
		register_reboot_notifier(&vmx_reboot);
	if (num_online_cpus() > 1 && check_tsc_unstable())
		pr_notice("the processors' time stamp counters differ: a guest's may go back when its thread moves\n");
	/* Another hypervisor may be gone before the first VM comes. */
	err = vmx_get();
	if (!err)
		vmx_put();
	if (err != -ENODEV)
		return 0;
	vmx_exit();
	return err;
}

/** vmx_exit - undo vmx_init(); no VM is left */
void vmx_exit(void)
{
	if (COMPAT_KVM_LEAVES_EARLY)
		unregister_reboot_notifier(&vmx_reboot);
	own_exit();
}

#if COMPAT_FOR_KVM_ONLY
MODULE_SOFTDEP("pre: kvm-intel");
#endif
