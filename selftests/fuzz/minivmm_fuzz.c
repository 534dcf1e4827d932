// SPDX-License-Identifier: GPL-2.0
/*
 * What minivmm reads first: its command line (userspace-demo/config.c), and the header of a
 * bzImage with its place in memory (linux.c, layout.c). It is refused in one sentence or it is
 * good: then all of it is in the guest's memory, which ends where the sanitizer looks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "fuzz.h"
#include "../../userspace-demo/die.h"
#include "../../userspace-demo/memory.c"
#include "../../userspace-demo/layout.c"
#include "../../userspace-demo/linux.c"

static jmp_buf refused;

/* config.c ends the program by itself for --help. */
static void help(int status)
{
	CHECK_EQ(status, 0);
	longjmp(refused, 1);
}

#define exit	help
#define fputs(text, file)	((void)(text))
#include "../../userspace-demo/config.c"
#undef exit
#undef fputs

static void sentence(const char *format, va_list args)
{
	char text[8192];
	int n = vsnprintf(text, sizeof(text), format, args);

	CHECK(n > 0 && n < (int)sizeof(text));
	longjmp(refused, 1);
}

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	sentence(format, args);
	abort();
}

void refuse(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	sentence(format, args);
	abort();
}

/* ---- the command line */

static void command_line(void)
{
	static const char *const words[] = {
		"--kernel", "--initrd", "--cmdline", "--flat", "--load", "--irqchip", "--cpus", "--mem",
		"--device", "--timeout", "--populate", "--stats", "--gdb", "--help", "-h", "--", "-",
		"1", "0x10", "64", "4294967296", "0xffffffffffffffff", "", "--mem=2", "--cpus=", "--ke",
	};
	static char text[12][24];
	char *argv[14] = { "minivmm" };
	struct config c;
	int argc = 1, n;

	for (n = below(12); n > 0; n--, argc++) {
		fuzz_bytes(text[argc], sizeof(text[argc]) - 1);
		argv[argc] = below(4) ? (char *)words[below(sizeof(words) / sizeof(words[0]))] : text[argc];
	}
	optind = 0;
	config_parse(&c, argc, argv);
	CHECK(!c.kernel != !c.flat && c.cpus && c.cpus <= MAX_CPUS && c.mem >= 2 << 20);
	CHECK(c.cmdline && c.load);
}

/* ---- a kernel */

static uint8_t *file[2];
static size_t file_size[2];

/* Memory that ends before a page that is not there. */
static uint8_t *memory_of(size_t size)
{
	const size_t most = 24 << 20;
	static uint8_t *all;

	if (!all) {
		all = mmap(NULL, most + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		mprotect(all + most, 4096, PROT_NONE);
	}
	return all + most - size;
}

/* Of exactly its size: a look behind its end is seen. */
void image_open(struct image *image, const char *path)
{
	int i = path[0] - '0';

	if (!file_size[i])
		refuse("%s is empty", path);
	*image = (struct image) { path, file[i], file_size[i] };
}

static void make_file(int i, size_t size)
{
	free(file[i]);
	file[i] = calloc(1, size);
	file_size[i] = size;
}

static void kernel(void)
{
	const struct config c = { .kernel = "0", .initrd = below(2) ? "1" : NULL, .cmdline = "a" };
	uint64_t size = below(2) ? 17ull << 20 : (2 + below(20)) << 20;
	struct memory m = { .nr = 1, .range = { { 0, size, NULL } } };
	struct linux_guest l = { };
	struct setup_header *h;
	uint64_t entry;

	make_file(0, below(2) ? 4096 + below(1 << 16) : below(5000));
	make_file(1, below(1 << 16));
	if (file_size[0] >= HEADER + sizeof(*h)) {
		h = (struct setup_header *)(file[0] + HEADER);
		fuzz_bytes(h, sizeof(*h));
		h->boot_flag = 0xaa55;
		memcpy(&h->header, "HdrS", 4);
		h->version |= LEAST_VERSION;
		h->xloadflags |= XLF_KERNEL_64;
		h->cmdline_size |= 1;
		if (below(4)) {
			h->pref_address = below(4) ? below(32) << 20 : h->pref_address & 0x1fff000;
			h->init_size &= 0x1fffff;
			h->setup_sects &= 15;
		}
	}
	linux_open(&l, &c, &m);
	m.range[0].host = memory_of(size);
	entry = linux_load(&l, &m);
	CHECK(entry < size && entry == l.layout.kernel + ENTRY_64);
	if (l.initrd.data)
		CHECK(l.layout.initrd + l.initrd.size <= size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_begin(data, size);
	if (!setjmp(refused)) {
		if (below(2))
			command_line();
		else
			kernel();
	}
	return 0;
}
