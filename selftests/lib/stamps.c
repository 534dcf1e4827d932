// SPDX-License-Identifier: GPL-2.0
/* Pages with stamps; see stamps.h. */
#include <err.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#define VM_LIBRARY
#include "stamps.h"

#define PORT_STALE	0x10
#define PORT_LOST	0x11

/* In guest memory: the head, and behind it a stamp_state for each page. */
#define G_HEAD		0x100000
#define G_HIGH_TABLE	0x180000
struct head {
	uint32_t n;
	uint32_t passes[STAMPS_VCPUS];
	uint32_t pad[13];
	struct stamp_state state[STAMPS_MAX];
};

_Static_assert(sizeof(struct stamp_state) == 32 && offsetof(struct head, state) == 64 &&
	       offsetof(struct stamp_state, begun) == 8 && offsetof(struct stamp_state, flags) == 16 &&
	       offsetof(struct stamp_state, mine) == 20 && offsetof(struct stamp_state, gfn) == 28,
	       "the guest's code has these");

/* RSI: 4 * the vCPU's number. What is read before the stamp says what it may be at least. */
GUEST64(prober,
	"1: mov $0x100040, %r8d; mov 0x100000, %ecx;"
	"2: mov 28(%r8), %ebx; shl $12, %rbx; mov (%r8), %eax; mov 12(%r8), %edx; mov (%rbx), %edi;"
	"test %edi, %edi; jz 3f; cmp %eax, %edi; jb 8f; cmp 4(%r8), %edi; ja 8f; jmp 4f;"
	"3: cmp %edx, 8(%r8); je 8f;"		/* zero, and nobody takes it */
	"4: mov 4(%rbx, %rsi), %edx; mov 20(%r8, %rsi), %eax;"
	"testl $1, 16(%r8); jz 5f; cmp %eax, %edx; jne 9f;"
	"5: testl $2, 16(%r8); jnz 6f; inc %eax;"
	"6: mov %eax, 4(%rbx, %rsi); mov %eax, 20(%r8, %rsi);"
	"7: add $32, %r8; dec %ecx; jnz 2b; incl 0x100004(%rsi); pause; jmp 1b;"
	"8: out %al, $0x10; jmp 7b;"
	"9: out %al, $0x11; jmp 7b");

static struct stamps *running;		/* the library's only one */
static pthread_t threads[STAMPS_VCPUS];

static struct head *head_of(const struct stamps *s)
{
	return (struct head *)(s->vcpu[0].mem + G_HEAD);
}

bool stamps_stop(const struct stamps *s)
{
	return __atomic_load_n(&s->stop, __ATOMIC_RELAXED);
}

void stamps_fail(struct stamps *s, const char *format, ...)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	va_list args;

	pthread_mutex_lock(&lock);
	if (!s->failure[0]) {
		va_start(args, format);
		vsnprintf(s->failure, sizeof(s->failure), format, args);
		va_end(args);
	}
	pthread_mutex_unlock(&lock);
	__atomic_store_n(&s->stop, true, __ATOMIC_RELAXED);
}

/* A second vCPU, where there can be one. */
static bool second_vcpu(struct stamps *s)
{
	struct { struct minikvm_cpuid2 head; struct minikvm_cpuid_entry2 e[100]; } *c;
	struct test_vm *t = &s->vcpu[1];

	*t = s->vcpu[0];
	t->vcpu = ioctl(t->vm, MINIKVM_CREATE_VCPU, 1);
	if (t->vcpu < 0)
		return false;
	t->run = mmap(NULL, ioctl(t->dev, MINIKVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE,
		      MAP_SHARED, t->vcpu, 0);
	c = calloc(1, sizeof(*c));
	c->head.nent = 100;
	if (t->run == MAP_FAILED || ioctl(t->dev, MINIKVM_GET_SUPPORTED_CPUID, c) ||
	    ioctl(t->vcpu, MINIKVM_SET_CPUID2, c))
		err(1, "the second vCPU");
	free(c);
	return true;
}

void stamps_make(struct stamps *s)
{
	memset(s, 0, sizeof(*s));
	vm_make(&s->vcpu[0], false);
	s->nr_vcpus = second_vcpu(s) ? 2 : 1;
	s->state = head_of(s)->state;
	running = s;
}

int stamps_add(struct stamps *s, uint64_t gpa, void *hva, int n, size_t step, int flags)
{
	int first = s->n, i;

	if (first + n > STAMPS_MAX)
		errx(1, "too many pages");
	for (i = 0; i < n; i++, s->n++) {
		s->page[s->n] = hva + i * step;
		s->state[s->n].gfn = (gpa + i * step) >> 12;
		s->state[s->n].flags = flags;
		stamps_publish(s, s->n);
	}
	return first;
}

void stamps_take(struct stamps *s, int i)
{
	__atomic_add_fetch(&s->state[i].begun, 1, __ATOMIC_SEQ_CST);
}

void stamps_given(struct stamps *s, int i)
{
	__atomic_add_fetch(&s->state[i].done, 1, __ATOMIC_SEQ_CST);
}

void stamps_publish(struct stamps *s, int i)
{
	static pthread_mutex_t lock[STAMPS_MAX] = { [0 ... STAMPS_MAX - 1] = PTHREAD_MUTEX_INITIALIZER };
	struct stamp_state *state = &s->state[i];
	uint32_t stamp;

	pthread_mutex_lock(&lock[i]);
	stamp = state->newest + 1;
	__atomic_store_n(&state->newest, stamp, __ATOMIC_SEQ_CST);
	__atomic_store_n(&s->page[i]->stamp, stamp, __ATOMIC_SEQ_CST);
	__atomic_store_n(&state->floor, stamp, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&lock[i]);
}

void stamps_quiet(struct stamps *s, const struct stamped *page, const char *when)
{
	const volatile uint32_t *word = page->word;
	uint32_t before[STAMPS_VCPUS] = { word[0], word[1] };

	sched_yield();
	if (word[0] != before[0] || word[1] != before[1])
		stamps_fail(s, "the guest wrote a page %s", when);
}

/* What a vCPU found. */
static void found(struct stamps *s, int v)
{
	struct minikvm_regs r = vm_regs(&s->vcpu[v]);
	int i = (r.r8 - G_HEAD - offsetof(struct head, state)) / sizeof(struct stamp_state);

	if (s->vcpu[v].run->io.port == PORT_LOST)
		stamps_fail(s, "vCPU %d, page %d at %#llx: wrote %llu, finds %llu", v, i,
			    r.rbx, r.rax, r.rdx);
	else
		stamps_fail(s, "vCPU %d, page %d at %#llx: stamp %#llx, at least %#llx is right", v, i,
			    r.rbx, r.rdi, r.rax);
}

/* Memory that is not there is retried; a device reads as zero, and forgets what is written. */
static void *run_thread(void *arg)
{
	struct test_vm *t = arg;
	struct stamps *s = running;
	int exit;

	while (!stamps_stop(s)) {
		exit = vm_run(t);
		switch (exit) {
		case MINIKVM_EXIT_IO:
			found(s, t - s->vcpu);
			break;
		case MINIKVM_EXIT_MMIO:
			memset(t->run->mmio.data, 0, sizeof(t->run->mmio.data));
			break;
		case -EFAULT:
			sched_yield();
		case -EINTR:
		case MINIKVM_EXIT_INTR:
			break;
		default:
			stamps_fail(s, "vCPU %d: exit %d", (int)(t - s->vcpu), exit);
		}
	}
	return NULL;
}

/* The guest's fifth GiB; the library maps four. */
static void map_high(struct stamps *s)
{
	uint64_t *pdpt = (uint64_t *)(s->vcpu[0].mem + G_TABLES + 0x1000);
	uint64_t *pd = (uint64_t *)(s->vcpu[0].mem + G_HIGH_TABLE), i;

	for (i = 0; i < 512; i++)
		pd[i] = (STAMPS_HIGH + (i << 21)) | 0x87;
	pdpt[STAMPS_HIGH >> 30] = G_HIGH_TABLE | 7;
}

static void nothing(int sig)
{
}

void stamps_run(struct stamps *s)
{
	struct minikvm_regs r;
	int v;

	signal(SIGUSR1, nothing);
	head_of(s)->n = s->n;
	for (v = 0; v < s->nr_vcpus; v++) {
		guest_long(&s->vcpu[v], prober, prober_end);
		r = vm_regs(&s->vcpu[v]);
		r.rsi = 4 * v;
		r.rflags |= 1 << 9;	/* some emulated processors hold the host's back, too */
		vm_set_regs(&s->vcpu[v], r);
	}
	map_high(s);
	for (v = 0; v < s->nr_vcpus; v++)
		pthread_create(&threads[v], NULL, run_thread, &s->vcpu[v]);
}

uint32_t stamps_passes(const struct stamps *s, int vcpu)
{
	return __atomic_load_n(&head_of(s)->passes[vcpu], __ATOMIC_RELAXED);
}

static void check_words(struct stamps *s, int i)
{
	int v;

	for (v = 0; v < s->nr_vcpus; v++) {
		uint32_t last = s->state[i].mine[v], word = s->page[i]->word[v];

		/* A vCPU may have been stopped between the two writes. */
		if (word != last && word != last + 1)
			stamps_fail(s, "page %d: vCPU %d wrote %u, the host finds %u", i, v, last, word);
	}
}

void stamps_end(struct stamps *s)
{
	int v, i;

	__atomic_store_n(&s->stop, true, __ATOMIC_RELAXED);
	for (v = 0; v < s->nr_vcpus; v++) {
		__atomic_store_n(&s->vcpu[v].run->immediate_exit, 1, __ATOMIC_SEQ_CST);
		pthread_kill(threads[v], SIGUSR1);
		pthread_join(threads[v], NULL);
	}
	for (i = 0; i < s->n; i++)
		if (s->state[i].flags == STAMPS_KEPT)
			check_words(s, i);
}
