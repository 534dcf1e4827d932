// SPDX-License-Identifier: GPL-2.0
/*
 * Counters in debugfs, /sys/kernel/debug/minikvm: vcpus has a line for each vCPU there is, exits
 * has the exits of all there have been since the module was loaded. A place for other files, too.
 */
#define CREATE_TRACE_POINTS
#include "trace.h"

#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "minikvm.h"

static struct dentry *dir;
static DEFINE_MUTEX(list_lock);
static LIST_HEAD(vcpus);		/* list_lock */
static struct vcpu_stats gone;	/* list_lock: sums of exits of vCPUs that are no more */

#define EXIT_NAME(number, name)	\
	[number] = #name,
static const char *const exit_names[ARRAY_SIZE(gone.exits)] = {
	MINIKVM_HARDWARE_EXITS(EXIT_NAME)
};
#undef EXIT_NAME

/* "CPUID 12"; of a reason that has no name, the number. */
static void show_exit(struct seq_file *m, int reason, u64 count)
{
	if (exit_names[reason])
		seq_puts(m, exit_names[reason]);
	else
		seq_printf(m, "%d", reason);
	seq_printf(m, " %llu", count);
}

static void show_vcpu(struct seq_file *m, const struct vcpu *vcpu)
{
	const struct vcpu_stats *s = &vcpu->stats;
	int i;

	seq_printf(m, "vm %d vcpu %u entries %llu user_exits %llu irq %llu nmi %llu exception %llu halt_wait %llu ept_fault %llu mmio %llu pio %llu tlb_flush %llu unknown %llu",
		   vcpu->vm->pid, vcpu->id, s->entries, s->user_exits, s->irq_injected,
		   s->nmi_injected, s->exception_injected, s->halt_wait, s->ept_faults, s->mmio,
		   s->pio, s->tlb_flush, s->unknown_exits);
	for (i = 0; i < ARRAY_SIZE(s->exits); i++) {
		if (!s->exits[i])
			continue;
		seq_puts(m, " exit_");
		show_exit(m, i, s->exits[i]);
	}
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

static u64 exits_of_all(int reason)
{
	const struct vcpu *vcpu;
	u64 sum = gone.exits[reason];

	list_for_each_entry(vcpu, &vcpus, stats_link)
		sum += vcpu->stats.exits[reason];
	return sum;
}

static int exits_show(struct seq_file *m, void *unused)
{
	u64 sum;
	int i;

	mutex_lock(&list_lock);
	for (i = 0; i < ARRAY_SIZE(gone.exits); i++) {
		sum = exits_of_all(i);
		if (!sum)
			continue;
		show_exit(m, i, sum);
		seq_putc(m, '\n');
	}
	mutex_unlock(&list_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(exits);

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
	int i;

	mutex_lock(&list_lock);
	list_del(&vcpu->stats_link);
	for (i = 0; i < ARRAY_SIZE(gone.exits); i++)
		gone.exits[i] += vcpu->stats.exits[i];
	mutex_unlock(&list_lock);
	if (vcpu->stats.guest_ticks)
		pr_info("vcpu %u: %llu guest ticks, %llu entries\n", vcpu->id,
			vcpu->stats.guest_ticks, vcpu->stats.entries);
}

/** stats_init - make the files; without debugfs there is none, which is no error */
void __init stats_init(void)
{
	dir = debugfs_create_dir("minikvm", NULL);
	debugfs_create_file("vcpus", 0400, dir, NULL, &vcpus_fops);
	debugfs_create_file("exits", 0400, dir, NULL, &exits_fops);
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
