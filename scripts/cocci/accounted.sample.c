void *sample(unsigned long size)
{
	return kzalloc(size, GFP_KERNEL);
}
