void sample(struct vcpu *vcpu)
{
	if (vcpu->run->immediate_exit)
		stop();
}
