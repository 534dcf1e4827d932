/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allocations that fail when a test says so: included before each file of a module that
 * testbed/check-faults builds, for Linux 6.12. What the kernel allocates for the module in
 * functions that can fail for lack of memory fails with them.
 */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/gfp.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/pvclock_gtod.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include <asm/fpu/api.h>

bool fail_now(const char *file, int line);
#define FAILS	fail_now(__FILE__, __LINE__)

#undef kzalloc
#undef kcalloc
#undef kvzalloc
#undef kvmalloc
#undef kvcalloc
#undef kvmalloc_array
#undef kmemdup
#undef kmem_cache_alloc
#undef kmem_cache_create
#undef vmalloc
#undef get_zeroed_page
#undef __get_free_page
#undef __get_free_pages
#undef alloc_pages
#undef alloc_pages_node
#define kzalloc(...)		(FAILS ? NULL : kzalloc_noprof(__VA_ARGS__))
#define kcalloc(n, size, flags)	(FAILS ? NULL : kmalloc_array_noprof(n, size, (flags) | __GFP_ZERO))
#define kvzalloc(size, flags)	(FAILS ? NULL : kvmalloc_node_noprof(size, (flags) | __GFP_ZERO, NUMA_NO_NODE))
#define kvmalloc(size, flags)	(FAILS ? NULL : kvmalloc_node_noprof(size, flags, NUMA_NO_NODE))
#define kvcalloc(n, size, flags) \
	(FAILS ? NULL : kvmalloc_array_node_noprof(n, size, (flags) | __GFP_ZERO, NUMA_NO_NODE))
#define kvmalloc_array(n, size, flags) \
	(FAILS ? NULL : kvmalloc_array_node_noprof(n, size, flags, NUMA_NO_NODE))
#define kmemdup(...)		(FAILS ? NULL : kmemdup_noprof(__VA_ARGS__))
#define kmem_cache_alloc(...)	(FAILS ? NULL : kmem_cache_alloc_noprof(__VA_ARGS__))
#define kmem_cache_create(...)	(FAILS ? NULL : __kmem_cache_create(__VA_ARGS__))
#define vmalloc(...)		(FAILS ? NULL : vmalloc_noprof(__VA_ARGS__))
#define get_zeroed_page(...)	(FAILS ? 0 : get_zeroed_page_noprof(__VA_ARGS__))
#define __get_free_pages(...)	(FAILS ? 0 : get_free_pages_noprof(__VA_ARGS__))
#define __get_free_page(flags)	__get_free_pages(flags, 0)
#define alloc_pages(...)	(FAILS ? NULL : alloc_pages_noprof(__VA_ARGS__))
#define alloc_pages_node(...)	(FAILS ? NULL : alloc_pages_node_noprof(__VA_ARGS__))

#define memdup_user(...)	(FAILS ? ERR_PTR(-ENOMEM) : memdup_user(__VA_ARGS__))
#define anon_inode_getfd(...)	(FAILS ? -ENOMEM : anon_inode_getfd(__VA_ARGS__))
#define anon_inode_getfile(...)	(FAILS ? ERR_PTR(-ENOMEM) : anon_inode_getfile(__VA_ARGS__))
#define get_unused_fd_flags(...) (FAILS ? -EMFILE : get_unused_fd_flags(__VA_ARGS__))
#define mmu_notifier_register(...) (FAILS ? -ENOMEM : mmu_notifier_register(__VA_ARGS__))
#define get_user_pages_unlocked(...) (FAILS ? -ENOMEM : get_user_pages_unlocked(__VA_ARGS__))
#define misc_register(...)	(FAILS ? -ENOMEM : misc_register(__VA_ARGS__))
#define fpu_alloc_guest_fpstate(...) (FAILS ? false : fpu_alloc_guest_fpstate(__VA_ARGS__))
#define pvclock_gtod_register_notifier(...) (FAILS ? -ENOMEM : pvclock_gtod_register_notifier(__VA_ARGS__))
#define alloc_workqueue(...)	(FAILS ? NULL : alloc_workqueue(__VA_ARGS__))

/* Each file says this itself, but for stats.c, which has none. */
#undef pr_fmt
#define pr_fmt(fmt) "minikvm: " fmt
