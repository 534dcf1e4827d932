static u64 read_dr(struct vcpu *vcpu, int n)
{
	if (n < 4)
		return vcpu->dr[n];
	return n == 4 || n == 6 ? vcpu->dr6 : vcpu->dr7;
}
