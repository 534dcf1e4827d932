// SPDX-License-Identifier: GPL-2.0
/* Claim: the statistics of a VM and of its vCPUs are in files that describe themselves, which
 * live by themselves.
 */
#include "lib/vm.h"

GUEST64(hypercalls, "vmcall; vmcall; vmcall; out %al, $0x10; hlt");

#define ROOM	(64 * 1024)

struct image {
	int fd;
	ssize_t size;
	union {
		char bytes[ROOM];
		struct minikvm_stats_header head;
	};
};

static const struct minikvm_stats_desc *desc(const struct image *s, uint32_t i)
{
	return (void *)(s->bytes + s->head.desc_offset +
			i * (sizeof(struct minikvm_stats_desc) + s->head.name_size));
}

static uint64_t *value(struct image *s, const char *name)
{
	uint32_t i;

	for (i = 0; i < s->head.num_desc; i++)
		if (!strcmp(desc(s, i)->name, name))
			return (uint64_t *)(s->bytes + s->head.data_offset + desc(s, i)->offset);
	return NULL;
}

static void look(struct image *s, int object)
{
	memset(s->bytes, 0x5a, sizeof(s->bytes));
	s->fd = ioctl(object, MINIKVM_GET_STATS_FD, 0);
	s->size = pread(s->fd, s->bytes, ROOM, 0);
}

/* What must be so whatever there is. */
static bool consistent(const struct image *s)
{
	const struct minikvm_stats_header *h = &s->head;
	uint32_t i;

	if (s->size < (ssize_t)sizeof(*h) || h->flags || !h->num_desc || h->name_size != 48 ||
	    strncmp(s->bytes + h->id_offset, "kvm-", 4) ||
	    h->desc_offset < h->id_offset + h->name_size)
		return false;
	for (i = 0; i < h->num_desc; i++)
		if (!desc(s, i)->size || !*desc(s, i)->name || strnlen(desc(s, i)->name, 48) == 48 ||
		    h->data_offset + desc(s, i)->offset + 8 * desc(s, i)->size > s->size)
			return false;
	return true;
}

TEST(files_that_describe_themselves)
{
	static struct image vm, vcpu;
	struct test_vm t;

	vm_make(&t, false);
	ASSERT_EQ(1, ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_BINARY_STATS_FD));
	look(&vm, t.vm);
	look(&vcpu, t.vcpu);
	ASSERT_TRUE(consistent(&vm));
	ASSERT_TRUE(consistent(&vcpu));
	close(vm.fd);
	close(vcpu.fd);
	vm_free(&t);
}

TEST(what_a_vcpu_does_is_counted)
{
	static struct image s;
	struct test_vm t;
	uint64_t calls;

	vm_make(&t, false);
	guest_long(&t, hypercalls, hypercalls_end);
	look(&s, t.vcpu);
	ASSERT_EQ(0, *value(&s, "hypercalls"));
	EXPECT_OUT(&t, 0x10, 0x18);
	/* The same descriptor, and only the value. */
	ASSERT_EQ(8, pread(s.fd, &calls, 8, (char *)value(&s, "hypercalls") - s.bytes));
	ASSERT_EQ(3, calls);
	ASSERT_EQ(s.size, pread(s.fd, s.bytes, ROOM, 0));
	ASSERT_EQ(1, *value(&s, "io_exits"));
	ASSERT_EQ(0, *value(&s, "mmio_exits"));
	close(s.fd);
	vm_free(&t);
}

TEST(reads_anywhere)
{
	static struct image s;
	struct test_vm t;
	char *volatile nowhere = (char *)8;	/* the compiler need not know */
	char whole[ROOM];
	ssize_t at;

	vm_make(&t, false);
	look(&s, t.vm);
	for (at = 0; at < s.size; at += 7) {
		ssize_t n = s.size - at < 7 ? s.size - at : 7;

		ASSERT_EQ(n, pread(s.fd, whole + at, 7, at));
	}
	ASSERT_EQ(0, memcmp(whole, s.bytes, s.head.data_offset));
	ASSERT_EQ(0, pread(s.fd, whole, 8, s.size));
	ASSERT_EQ(0, pread(s.fd, whole, 8, 1ull << 40));
	ASSERT_EQ(-1, pread(s.fd, nowhere, 8, 0));
	ASSERT_EQ(EFAULT, errno);
	ASSERT_EQ(-1, write(s.fd, whole, 8));
	ASSERT_EQ(EBADF, errno);
	close(s.fd);
	vm_free(&t);
}

TEST(they_keep_their_vm)
{
	static struct image vm, vcpu;
	struct test_vm t;

	vm_make(&t, false);
	look(&vm, t.vm);
	look(&vcpu, t.vcpu);
	vm_free(&t);
	ASSERT_EQ(vm.size, pread(vm.fd, vm.bytes, ROOM, 0));
	close(vm.fd);
	ASSERT_EQ(vcpu.size, pread(vcpu.fd, vcpu.bytes, ROOM, 0));
	ASSERT_TRUE(consistent(&vcpu));
	close(vcpu.fd);
}

TEST_HARNESS_MAIN
