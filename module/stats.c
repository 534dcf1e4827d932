// SPDX-License-Identifier: GPL-2.0
/* Counters of every vCPU, in one debugfs file, /sys/kernel/debug/minikvm/vcpus; a place for others. */
#define CREATE_TRACE_POINTS
#include "trace.h"

#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "minikvm.h"

static struct dentry *dir;
static DEFINE_MUTEX(list_lock);
static LIST_HEAD(vcpus);	/* list_lock */

static void show_vcpu(struct seq_file *m, const struct vcpu *vcpu)
{
	const struct vcpu_stats *s = &vcpu->stats;
	int i;

	seq_printf(m, "vm %d vcpu %u entries %llu user_exits %llu irq %llu nmi %llu exception %llu halt_wait %llu ept_fault %llu mmio %llu pio %llu tlb_flush %llu unknown %llu",
		   vcpu->vm->pid, vcpu->id, s->entries, s->user_exits, s->irq_injected,
		   s->nmi_injected, s->exception_injected, s->halt_wait, s->ept_faults, s->mmio,
		   s->pio, s->tlb_flush, s->unknown_exits);
	for (i = 0; i < ARRAY_SIZE(s->exits); i++)
		if (s->exits[i])
			seq_printf(m, " exit_%d %llu", i, s->exits[i]);
	seq_putc(m, '\n');
}

static int vcpus_show(struct seq_file *m, void *unused)
{
	struct vcpu *vcpu;

	mutex_lock(&list_lock);
	list_for_each_entry(vcpu, &vcpus, stats_link)
		show_vcpu(m, vcpu);
	mutex_unlock(&list_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vcpus);

/** stats_add - show a vCPU's counters from now on; may sleep */
void stats_add(struct vcpu *vcpu)
{
	mutex_lock(&list_lock);
	list_add_tail(&vcpu->stats_link, &vcpus);
	mutex_unlock(&list_lock);
}

/** stats_remove - undo stats_add() */
void stats_remove(struct vcpu *vcpu)
{
	mutex_lock(&list_lock);
	list_del(&vcpu->stats_link);
	mutex_unlock(&list_lock);
	if (vcpu->stats.guest_ticks)
		pr_info("vcpu %u: %llu guest ticks, %llu entries\n", vcpu->id,
			vcpu->stats.guest_ticks, vcpu->stats.entries);
}

/** stats_init - make the file; without debugfs there is none, which is no error */
void __init stats_init(void)
{
	dir = debugfs_create_dir("minikvm", NULL);
	debugfs_create_file("vcpus", 0400, dir, NULL, &vcpus_fops);
}

/** stats_file - one more file in the directory; at module load, after stats_init() */
void __init stats_file(const char *name, const struct file_operations *fops)
{
	debugfs_create_file(name, 0400, dir, NULL, fops);
}

/** stats_exit - remove the files */
void stats_exit(void)
{
	debugfs_remove_recursive(dir);
}
