// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID: all that the device offers, and what only we can know: which processor
 * this is, that there is a hypervisor, a TSC-deadline timer, and how fast the TSC
 * counts (a guest on a slow or emulated machine cannot measure that).
 * SDM "CPUID - CPU Identification".
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/minikvm.h>

#include "cpuid.h"
#include "die.h"

#define CPUID_ROOM	128

enum { LEAF_FEATURES = 1, LEAF_TOPOLOGY = 0xb, LEAF_TSC = 0x15, LEAF_TOPOLOGY_2 = 0x1f };

#define ECX_TSC_DEADLINE	(1u << 24)
#define ECX_HYPERVISOR		(1u << 31)

struct cpuid {
	struct minikvm_cpuid2 head;
	struct minikvm_cpuid_entry2 entry[CPUID_ROOM];
};

/*
 * The TSC's frequency as CPUID leaf 15H tells it: crystal * EBX / EAX. The crystal
 * is also the clock of the APIC timer, 1 GHz here. Linux multiplies in 32 bits
 * (1000000 kHz * EBX), so EBX must be small: the best fraction with that is taken.
 */
static struct minikvm_cpuid_entry2 cpuid_tsc(uint64_t khz)
{
	struct minikvm_cpuid_entry2 leaf = { .function = LEAF_TSC, .ecx = 1000000000 };
	uint64_t best = UINT64_MAX, eax;

	for (eax = 1; eax < 100000; eax++) {
		uint64_t ebx = (khz * eax + 500000) / 1000000;
		uint64_t got = ebx * 1000000, error;

		if (!ebx || ebx > UINT32_MAX / 1000000)
			continue;
		error = (got > khz * eax ? got - khz * eax : khz * eax - got) * 1000 / eax;
		if (error < best) {
			best = error;
			leaf.eax = eax;
			leaf.ebx = ebx;
		}
	}
	return leaf;
}

/* One entry of the offer, for processor @id. */
static void cpuid_adjust(struct minikvm_cpuid_entry2 *e, uint32_t id)
{
	switch (e->function) {
	case 0:
		if (e->eax < LEAF_TSC)
			e->eax = LEAF_TSC;
		break;
	case LEAF_FEATURES:
		e->ecx |= ECX_HYPERVISOR | ECX_TSC_DEADLINE;
		e->ebx = (e->ebx & 0xffffff) | id << 24;
		break;
	case LEAF_TOPOLOGY:
	case LEAF_TOPOLOGY_2:
		e->edx = id;
		break;
	}
}

void cpuid_set(int device, int vcpu, uint32_t id)
{
	struct cpuid *cpuid = calloc(1, sizeof(*cpuid));
	int khz = ioctl(vcpu, MINIKVM_GET_TSC_KHZ, 0);
	uint32_t i, n;

	if (!cpuid)
		die("no memory");
	cpuid->head.nent = CPUID_ROOM - 1;	/* one is ours */
	if (ioctl(device, MINIKVM_GET_SUPPORTED_CPUID, cpuid))
		die("GET_SUPPORTED_CPUID: %s", strerror(errno));
	for (i = n = 0; i < cpuid->head.nent; i++) {
		struct minikvm_cpuid_entry2 *e = &cpuid->entry[i];

		cpuid_adjust(e, id);
		if (e->function != LEAF_TSC)
			cpuid->entry[n++] = *e;
	}
	if (khz > 0)
		cpuid->entry[n++] = cpuid_tsc(khz);
	cpuid->head.nent = n;
	if (ioctl(vcpu, MINIKVM_SET_CPUID2, cpuid))
		die("SET_CPUID2: %s", strerror(errno));
	free(cpuid);
}
