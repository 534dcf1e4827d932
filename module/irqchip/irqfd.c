// SPDX-License-Identifier: GPL-2.0
/*
 * irqfds: a write to an eventfd raises a GSI, with no ioctl. The interrupt is delivered in the
 * context of the writer, by a callback in the eventfd's wait queue.
 *
 * A plain irqfd gives a pulse. One with RESAMPLE raises the line and leaves it high; when the
 * guest ends the interrupt the line falls and the other eventfd is signalled, upon which the
 * device's owner looks whether it still wants one.
 *
 * An irqfd ends with DEASSIGN, when its eventfd is closed, or with the VM's descriptor. Called
 * by fd/vm.c and fd/vm_events.c. Left out: bypass (posted interrupts from devices).
 */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/list.h>
#include <linux/poll.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "../compat.h"
#include "internal.h"

#define MAX_RESAMPLERS	256	/* of a VM: an EOI walks over all of them */

/*
 * [k] chip->routing_lock
 * [w] the lock of the eventfd's wait queue
 */
struct irqfd {
	struct irqchip *chip;		/* [c] */
	u32 gsi;			/* [c] */
	struct eventfd_ctx *eventfd;	/* [c] */
	struct eventfd_ctx *resamplefd;	/* [c] NULL: a plain one */
	wait_queue_entry_t wait;	/* in @eventfd */
	poll_table poll;		/* only while it is put there */
	bool hooked;			/* [k] it is there */
	bool closing;			/* [w] @eventfd is being closed: @closed is queued */
	struct list_head link;		/* [k] chip->irqfds */
	struct list_head resample_link;	/* [k] to write, routing_srcu to read: chip->resamplers */
	struct work_struct closed;	/* ends it, if @closing */
};

/* Ends those whose eventfd was closed: whoever closes it holds a lock that ending one takes. */
static struct workqueue_struct *irqfd_wq;

/* Context: any but NMI. */
static void irqfd_raise(struct irqfd *irqfd)
{
	if (irqfd->resamplefd)
		irqchip_set_irq(irqfd->chip->vm, SOURCE_RESAMPLE, irqfd->gsi, true, NULL);
	else
		routing_pulse(irqfd->chip, irqfd->gsi);
}

/* The eventfd was written to, or is being closed. Its lock is held; interrupts may be off. */
static int irqfd_wakeup(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct irqfd *irqfd = container_of(wait, struct irqfd, wait);
	__poll_t events = key_to_poll(key);
	u64 count;

	if (events & EPOLLHUP) {
		irqfd->closing = true;
		queue_work(irqfd_wq, &irqfd->closed);
	}
	if (!(events & EPOLLIN))
		return 0;
	eventfd_ctx_do_read(irqfd->eventfd, &count);
	irqfd_raise(irqfd);
	return 1;
}

static void irqfd_queue(struct file *file, wait_queue_head_t *queue, poll_table *poll)
{
	struct irqfd *irqfd = container_of(poll, struct irqfd, poll);

	add_wait_queue_priority(queue, &irqfd->wait);
}

/* ---- resampling */

/**
 * irqfd_resample_pins - which pins' EOIs resampling irqfds wait for
 * @chip: the chips; @chip->routing_lock is held
 * @r: its routing
 */
u64 irqfd_resample_pins(struct irqchip *chip, const struct routing *r)
{
	struct irqfd *irqfd;
	u64 pins = 0;

	list_for_each_entry(irqfd, &chip->resamplers, resample_link)
		pins |= routing_pins(r, irqfd->gsi);
	return pins;
}

/**
 * irqfd_resample - guests have ended interrupts of resampling irqfds
 * @work: of the chips
 *
 * The pin that was ended is low already; now the others of its GSI. All lines are low before
 * the first eventfd is signalled: what that makes somebody raise stays high.
 *
 * Context: an interrupt; on PREEMPT_RT, a thread.
 */
void irqfd_resample(struct irq_work *work)
{
	struct irqchip *chip = container_of(work, struct irqchip, resample_work);
	u64 due = irqchip_take_resample_due(chip);
	int idx = srcu_read_lock(&routing_srcu);
	const struct routing *r = srcu_dereference(chip->routing, &routing_srcu);
	struct irqfd *irqfd;

	list_for_each_entry_srcu(irqfd, &chip->resamplers, resample_link,
				 srcu_read_lock_held(&routing_srcu)) {
		u64 pins = routing_pins(r, irqfd->gsi);

		if (pins & due)
			irqchip_drive_pins(chip, pins, SOURCE_RESAMPLE, false, false);
	}
	list_for_each_entry_srcu(irqfd, &chip->resamplers, resample_link,
				 srcu_read_lock_held(&routing_srcu))
		if (routing_pins(r, irqfd->gsi) & due)
			compat_eventfd_signal(irqfd->resamplefd);
	srcu_read_unlock(&routing_srcu, idx);
}

static int resampler_add(struct irqfd *irqfd)
{
	struct irqchip *chip = irqfd->chip;

	if (chip->nr_resamplers == MAX_RESAMPLERS)
		return -ENOSPC;
	chip->nr_resamplers++;
	list_add_tail_rcu(&irqfd->resample_link, &chip->resamplers);
	routing_listen(chip);
	return 0;
}

static bool gsi_is_resampled(struct irqchip *chip, u32 gsi)
{
	struct irqfd *irqfd;

	list_for_each_entry(irqfd, &chip->resamplers, resample_link)
		if (irqfd->gsi == gsi)
			return true;
	return false;
}

/* The last one of a GSI leaves its line low. */
static void resampler_remove(struct irqfd *irqfd)
{
	struct irqchip *chip = irqfd->chip;

	list_del_rcu(&irqfd->resample_link);
	chip->nr_resamplers--;
	routing_listen(chip);
	synchronize_srcu_expedited(&routing_srcu);
	if (!gsi_is_resampled(chip, irqfd->gsi))
		irqchip_set_irq(chip->vm, SOURCE_RESAMPLE, irqfd->gsi, false, NULL);
}

/* ---- from assignment to the end */

static void irqfd_free(struct irqfd *irqfd)
{
	if (irqfd->resamplefd)
		eventfd_ctx_put(irqfd->resamplefd);
	eventfd_ctx_put(irqfd->eventfd);
	kfree(irqfd);
}

/* When this returns the callback does not run, and will not: @closing is final. */
static void irqfd_unhook(struct irqfd *irqfd)
{
	u64 count;

	lockdep_assert_held(&irqfd->chip->routing_lock);
	if (irqfd->hooked)
		eventfd_ctx_remove_wait_queue(irqfd->eventfd, &irqfd->wait, &count);
	irqfd->hooked = false;
}

static void irqfd_end(struct irqfd *irqfd)
{
	irqfd_unhook(irqfd);
	list_del(&irqfd->link);
	if (irqfd->resamplefd)
		resampler_remove(irqfd);
	irqfd_free(irqfd);
}

static void irqfd_closed(struct work_struct *work)
{
	struct irqfd *irqfd = container_of(work, struct irqfd, closed);
	struct irqchip *chip = irqfd->chip;

	mutex_lock(&chip->routing_lock);
	irqfd_end(irqfd);
	mutex_unlock(&chip->routing_lock);
}

static struct irqfd *irqfd_create(struct irqchip *chip, struct file *file,
				  const struct minikvm_irqfd *args)
{
	struct irqfd *irqfd = kzalloc(sizeof(*irqfd), GFP_KERNEL_ACCOUNT);
	int err;

	if (!irqfd)
		return ERR_PTR(-ENOMEM);
	irqfd->chip = chip;
	irqfd->gsi = args->gsi;
	INIT_WORK(&irqfd->closed, irqfd_closed);
	init_waitqueue_func_entry(&irqfd->wait, irqfd_wakeup);
	init_poll_funcptr(&irqfd->poll, irqfd_queue);
	irqfd->eventfd = eventfd_ctx_fileget(file);
	err = PTR_ERR_OR_ZERO(irqfd->eventfd);
	if (err) {
		kfree(irqfd);
		return ERR_PTR(err);
	}
	if (!(args->flags & MINIKVM_IRQFD_FLAG_RESAMPLE))
		return irqfd;
	irqfd->resamplefd = eventfd_ctx_fdget(args->resamplefd);
	err = PTR_ERR_OR_ZERO(irqfd->resamplefd);
	if (err) {
		irqfd->resamplefd = NULL;
		irqfd_free(irqfd);
		return ERR_PTR(err);
	}
	return irqfd;
}

static bool eventfd_is_used(struct irqchip *chip, const struct eventfd_ctx *eventfd)
{
	struct irqfd *irqfd;

	list_for_each_entry(irqfd, &chip->irqfds, link)
		if (irqfd->eventfd == eventfd)
			return true;
	return false;
}

/* The caller's reference to the file keeps the eventfd open until the irqfd is complete. */
static int irqfd_publish(struct irqfd *irqfd, struct file *file)
{
	struct irqchip *chip = irqfd->chip;

	lockdep_assert_held(&chip->routing_lock);
	if (eventfd_is_used(chip, irqfd->eventfd))
		return -EBUSY;
	if (irqfd->resamplefd && resampler_add(irqfd))
		return -ENOSPC;
	list_add_tail(&irqfd->link, &chip->irqfds);
	irqfd->hooked = true;
	/* One that was written to before is not missed. */
	if (vfs_poll(file, &irqfd->poll) & EPOLLIN)
		irqfd_raise(irqfd);
	return 0;
}

static int irqfd_assign_file(struct irqchip *chip, struct file *file,
			     const struct minikvm_irqfd *args)
{
	struct irqfd *irqfd = irqfd_create(chip, file, args);
	int err = -EINTR;

	if (IS_ERR(irqfd))
		return PTR_ERR(irqfd);
	if (!mutex_lock_killable(&chip->routing_lock)) {
		err = irqfd_publish(irqfd, file);
		mutex_unlock(&chip->routing_lock);
	}
	if (err)
		irqfd_free(irqfd);
	return err;
}

/**
 * irqfd_assign - IRQFD
 * @vm: the VM; the caller holds its descriptor
 * @args: flags are checked already
 *
 * Context: sleeps. Return: 0; -EINVAL: no chips, or none with pins to resample, or not an eventfd;
 * -EBADF; -EBUSY: the eventfd
 * raises a GSI already; -ENOSPC: too many that resample; -ENOMEM; -EINTR.
 */
int irqfd_assign(struct vm *vm, const struct minikvm_irqfd *args)
{
	struct irqchip *chip = vm_irqchip(vm);
	struct file *file;
	int err;

	if (!chip)
		return -EINVAL;
	/* The VMM's IOAPIC hears of EOIs itself. */
	if ((args->flags & MINIKVM_IRQFD_FLAG_RESAMPLE) && vm->irqchip_split)
		return -EINVAL;
	file = fget(args->fd);
	if (!file)
		return -EBADF;
	err = irqfd_assign_file(chip, file, args);
	fput(file);
	return err;
}

/* End those that @eventfd leads to @gsi; NULL: all. Those being closed end in the work queue. */
static void irqfds_end(struct irqchip *chip, const struct eventfd_ctx *eventfd, u32 gsi)
{
	struct irqfd *irqfd, *next;

	list_for_each_entry_safe(irqfd, next, &chip->irqfds, link) {
		if (eventfd && (irqfd->eventfd != eventfd || irqfd->gsi != gsi))
			continue;
		irqfd_unhook(irqfd);
		if (!irqfd->closing)
			irqfd_end(irqfd);
	}
}

static int irqfds_deassign(struct irqchip *chip, const struct eventfd_ctx *eventfd, u32 gsi)
{
	if (mutex_lock_killable(&chip->routing_lock))
		return -EINTR;
	irqfds_end(chip, eventfd, gsi);
	mutex_unlock(&chip->routing_lock);
	flush_workqueue(irqfd_wq);
	return 0;
}

/**
 * irqfd_deassign - IRQFD with DEASSIGN
 * @vm: the VM
 * @args: which; that there is none is no error, as with KVM
 *
 * When it returns the eventfd raises nothing any more.
 *
 * Context: sleeps. Return: 0; -EBADF, -EINVAL: not an eventfd; -EINTR.
 */
int irqfd_deassign(struct vm *vm, const struct minikvm_irqfd *args)
{
	struct eventfd_ctx *eventfd = eventfd_ctx_fdget(args->fd);
	struct irqchip *chip = vm_irqchip(vm);
	int err = 0;

	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	if (chip)
		err = irqfds_deassign(chip, eventfd, args->gsi);
	eventfd_ctx_put(eventfd);
	return err;
}

/**
 * irqfd_release - the VM's descriptor is closed: all its irqfds end
 * @vm: the VM; its vCPUs may still run
 *
 * Nothing that leads to the VM is left in another's wait queue, or in the work queue.
 *
 * Context: sleeps.
 */
void irqfd_release(struct vm *vm)
{
	struct irqchip *chip = vm_irqchip(vm);

	if (!chip)
		return;
	mutex_lock(&chip->routing_lock);
	irqfds_end(chip, NULL, 0);
	mutex_unlock(&chip->routing_lock);
	flush_workqueue(irqfd_wq);
}

/** irqfd_init - at module load. Return: 0 or -ENOMEM. */
int __init irqfd_init(void)
{
	irqfd_wq = alloc_workqueue("minikvm-irqfd", WQ_UNBOUND, 0);
	return irqfd_wq ? 0 : -ENOMEM;
}

/** irqfd_exit - undo irqfd_init(); there is no VM */
void irqfd_exit(void)
{
	destroy_workqueue(irqfd_wq);
}
