// SPDX-License-Identifier: GPL-2.0
/* A fault that began before it and looks only after it sees nothing, and maps a page that is gone. */
static void range_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct vm *vm = vm_of(mn);

	ept_lock(vm);
	vm->invalidate_active--;
	ept_unlock(vm);
}
