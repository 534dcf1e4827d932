/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints: /sys/kernel/tracing/events/minikvm/. They cost nothing while off. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM minikvm

#if !defined(MINIKVM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define MINIKVM_TRACE_H

#include <linux/tracepoint.h>

#include "../uapi/linux/minikvm_exits.h"

/* A vCPU enters the guest. */
TRACE_EVENT(minikvm_entry,
	TP_PROTO(u32 id, unsigned long rip),
	TP_ARGS(id, rip),
	TP_STRUCT__entry(__field(u32, id) __field(unsigned long, rip)),
	TP_fast_assign(__entry->id = id; __entry->rip = rip;),
	TP_printk("vcpu %u rip 0x%lx", __entry->id, __entry->rip)
);

/*
 * The guest exited; reason is the hardware's, see SDM "VMX Basic Exit Reasons". Bit 31: there
 * was no guest, the entry failed; all bits: the processor refused the instruction itself.
 */
#define MINIKVM_PAIR(number, name)	{ number, #name },
TRACE_EVENT(minikvm_exit,
	TP_PROTO(u32 id, u32 reason, unsigned long rip, u64 qualification),
	TP_ARGS(id, reason, rip, qualification),
	TP_STRUCT__entry(__field(u32, id) __field(u32, reason)
			 __field(unsigned long, rip) __field(u64, qualification)),
	TP_fast_assign(__entry->id = id; __entry->reason = reason;
		       __entry->rip = rip; __entry->qualification = qualification;),
	TP_printk("vcpu %u reason %s%s rip 0x%lx qualification 0x%llx", __entry->id,
		  __print_symbolic(__entry->reason & 0xffff,
				   MINIKVM_HARDWARE_EXITS(MINIKVM_PAIR) { 0xffff, "VMFAIL" }),
		  __entry->reason >> 31 ? " (entry failed)" : "",
		  __entry->rip, __entry->qualification)
);

/* An EPT violation was resolved (result 0), is MMIO (1) or failed (-errno). */
TRACE_EVENT(minikvm_ept_fault,
	TP_PROTO(u64 gpa, unsigned int access, int result),
	TP_ARGS(gpa, access, result),
	TP_STRUCT__entry(__field(u64, gpa) __field(unsigned int, access) __field(int, result)),
	TP_fast_assign(__entry->gpa = gpa; __entry->access = access; __entry->result = result;),
	TP_printk("gpa 0x%llx access 0x%x result %d", __entry->gpa, __entry->access,
		  __entry->result)
);

/* A memory access that a device answers, in the kernel or in the VMM. */
TRACE_EVENT(minikvm_mmio,
	TP_PROTO(bool write, u64 gpa, int len, u64 value),
	TP_ARGS(write, gpa, len, value),
	TP_STRUCT__entry(__field(bool, write) __field(u64, gpa) __field(int, len)
			 __field(u64, value)),
	TP_fast_assign(__entry->write = write; __entry->gpa = gpa; __entry->len = len;
		       __entry->value = value;),
	TP_printk("%s gpa 0x%llx len %d value 0x%llx", __entry->write ? "write" : "read",
		  __entry->gpa, __entry->len, __entry->value)
);

/* A port access; count is more than 1 for string input. */
TRACE_EVENT(minikvm_pio,
	TP_PROTO(bool in, u16 port, int size, u32 count),
	TP_ARGS(in, port, size, count),
	TP_STRUCT__entry(__field(bool, in) __field(u16, port) __field(int, size)
			 __field(u32, count)),
	TP_fast_assign(__entry->in = in; __entry->port = port; __entry->size = size;
		       __entry->count = count;),
	TP_printk("%s port 0x%x size %d count %u", __entry->in ? "in" : "out",
		  __entry->port, __entry->size, __entry->count)
);

/* An event was put into the next entry; info as SDM "VM-Entry Interruption Information". */
TRACE_EVENT(minikvm_inject,
	TP_PROTO(u32 info, u32 error),
	TP_ARGS(info, error),
	TP_STRUCT__entry(__field(u32, info) __field(u32, error)),
	TP_fast_assign(__entry->info = info; __entry->error = error;),
	TP_printk("vector %u type %u error 0x%x", __entry->info & 0xff,
		  __entry->info >> 8 & 7, __entry->error)
);

#endif

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
