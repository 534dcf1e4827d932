int sample(struct vm *vm)
{
	int idx;

	idx = slots_read_lock(vm);
	if (look(vm))
		return -1;
	slots_read_unlock(vm, idx);
	return 0;
}
