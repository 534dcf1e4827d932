// SPDX-License-Identifier: GPL-2.0
/* Claim: an instruction that is no move gives the same result on a device as on memory, and the
 * device sees each byte of it once.
 */
#include "lib/vm.h"

/* One instruction each, with its operand at (%rdi). %rbx is the same, %rsi one byte behind it. */
#define KVM_TOO	1	/* KVM's emulator knows it */
#define AVX	2

#define FORMS(X)								\
	X(movups_load, "movups (%rdi), %xmm0", KVM_TOO)				\
	X(movups_store, "movups %xmm0, (%rdi)", KVM_TOO)			\
	X(movdqa_load, "movdqa (%rdi), %xmm0", KVM_TOO)				\
	X(movdqa_store, "movdqa %xmm0, (%rdi)", KVM_TOO)			\
	X(movntdq, "movntdq %xmm0, (%rdi)", KVM_TOO)				\
	X(movntps, "movntps %xmm0, (%rdi)", KVM_TOO)				\
	X(movss_load, "movss (%rdi), %xmm0", 0)					\
	X(movsd_store, "movsd %xmm0, (%rdi)", 0)				\
	X(movd_load, "movd (%rdi), %xmm0", 0)					\
	X(movd_store, "movd %xmm0, (%rdi)", 0)					\
	X(movq_load, "movq (%rdi), %xmm0", 0)					\
	X(movq_store, "movq %xmm0, (%rdi)", 0)					\
	X(movlps_store, "movlps %xmm0, (%rdi)", 0)				\
	X(movhps_load, "movhps (%rdi), %xmm0", 0)				\
	X(addps, "addps (%rdi), %xmm0", 0)					\
	X(mulsd, "mulsd (%rdi), %xmm0", 0)					\
	X(paddd, "paddd (%rdi), %xmm0", 0)					\
	X(pshufd, "pshufd $0x1b, (%rdi), %xmm0", 0)				\
	X(cvtsi2sd, "cvtsi2sdl (%rdi), %xmm0", 0)				\
	X(comiss, "comiss (%rdi), %xmm0", 0)					\
	X(ldmxcsr, "ldmxcsr 16(%rdi); stmxcsr 0x42040", 0)			\
	X(stmxcsr, "stmxcsr (%rdi)", 0)						\
	X(mmx_load, "movq (%rdi), %mm0; movq %mm0, 0x42040; emms", KVM_TOO)	\
	X(mmx_store, "movq %mm0, (%rdi); emms", KVM_TOO)			\
	X(mmx_add, "paddb (%rdi), %mm0; movq %mm0, 0x42040; emms", 0)		\
	X(push, "push (%rdi)", KVM_TOO)						\
	X(push16, "pushw (%rdi)", KVM_TOO)					\
	X(pop, "push $0x1234; pop (%rdi)", KVM_TOO)				\
	X(shl, "shll $1, (%rdi)", KVM_TOO)					\
	X(shl_imm, "shlq $9, (%rdi)", KVM_TOO)					\
	X(sar_cl, "sarw %cl, (%rdi)", KVM_TOO)					\
	X(ror, "rorb %cl, (%rdi)", KVM_TOO)					\
	X(rcl, "stc; rcll $3, (%rdi)", KVM_TOO)					\
	X(shld, "shldl $5, %edx, (%rdi)", KVM_TOO)				\
	X(shrd, "shrdq %cl, %rdx, (%rdi)", KVM_TOO)				\
	X(mul, "mull (%rdi)", KVM_TOO)						\
	X(mul8, "mulb (%rdi)", KVM_TOO)						\
	X(imul1, "imulq (%rdi)", KVM_TOO)					\
	X(imul2, "imull (%rdi), %edx", KVM_TOO)					\
	X(imul3, "imulw $0x123, (%rdi), %dx", KVM_TOO)				\
	X(divide, "xor %edx, %edx; divl (%rdi)", KVM_TOO)				\
	X(idiv, "cltd; idivl (%rdi)", KVM_TOO)					\
	X(cmov, "cmp %eax, %eax; cmovzl (%rdi), %edx", KVM_TOO)			\
	X(cmov_not, "cmp %eax, %eax; cmovnzq (%rdi), %rdx", KVM_TOO)		\
	X(setcc, "cmp %eax, %eax; setz (%rdi)", KVM_TOO)			\
	X(scas, "scasb", KVM_TOO)						\
	X(repne_scas, "mov $12, %ecx; mov $0x77, %al; repne scasb", KVM_TOO)	\
	X(cmps, "mov $0x42000, %esi; cmpsl", KVM_TOO)				\
	X(repe_cmps, "mov $4, %ecx; mov $0x41000, %esi; repe cmpsw", KVM_TOO)	\
	X(cmps_itself, "mov $2, %ecx; repe cmpsb", KVM_TOO)			\
	X(rep_lods, "mov %rdi, %rsi; mov $3, %ecx; rep lodsw", KVM_TOO)		\
	X(cmpxchg8b, "mov (%rdi), %eax; mov 4(%rdi), %edx; mov $7, %ebx; mov $9, %ecx;"	\
	  "cmpxchg8b (%rdi)", KVM_TOO)						\
	X(cmpxchg8b_not, "cmpxchg8b (%rdi)", KVM_TOO)				\
	X(cmpxchg8b_f2, ".byte 0xf2; cmpxchg8b (%rdi)", KVM_TOO)		\
	X(cmpxchg16b, "lock cmpxchg16b (%rdi)", 0)				\
	X(bsf, "bsf (%rdi), %edx", KVM_TOO)					\
	X(bsr, "bsr (%rdi), %rdx", KVM_TOO)					\
	X(popcnt, "popcnt (%rdi), %edx", 0)					\
	X(xlat, "mov $5, %al; xlat", KVM_TOO)					\
	X(mov_from_sreg, "mov %ds, (%rdi)", KVM_TOO)				\
	X(mov_to_sreg, "movw 20(%rdi), %ds; mov %ds, %edx", KVM_TOO)		\
	X(call, "lea 1f(%rip), %r8; mov %r8, 24(%rdi); call *24(%rdi); jmp 2f; 1: inc %edx; ret; 2:", \
	  KVM_TOO)								\
	X(jmp, "lea 1f(%rip), %r8; mov %r8, 24(%rdi); jmp *24(%rdi); inc %edx; 1:", KVM_TOO) \
	X(fld32, "fninit; flds (%rdi); fstpl 0x42040", 0)			\
	X(fld64, "fninit; fldl (%rdi); fstpl 0x42040", 0)			\
	X(fld80, "fninit; fldt (%rdi); fstpt 0x42040", 0)			\
	X(fstp32, "fninit; fldpi; fstps (%rdi)", 0)				\
	X(fstp64, "fninit; fldpi; fstpl (%rdi)", 0)				\
	X(fstp80, "fninit; fldpi; fstpt (%rdi)", 0)				\
	X(fild, "fninit; filds (%rdi); fstpl 0x42040", 0)			\
	X(fistp, "fninit; fldpi; fistpll (%rdi)", 0)				\
	X(fadd, "fninit; fldpi; fadds (%rdi); fstpl 0x42040", 0)		\
	X(fnstcw, "fninit; fnstcw (%rdi)", KVM_TOO)				\
	X(fnstsw, "fninit; fnstsw (%rdi)", KVM_TOO)				\
	X(sldt, "sldt (%rdi)", KVM_TOO)						\
	X(verw, "verw 20(%rdi)", 0)						\
	X(crc32, "crc32l (%rdi), %edx", 0)					\
	X(clflush, "clflush (%rdi)", KVM_TOO)					\
	X(device_stack, "mov %rsp, %rbp; lea 32(%rdi), %rsp; push %rdx; mov %rbp, %rsp", KVM_TOO) \
	X(device_stack_pop, "mov %rsp, %rbp; mov %rdi, %rsp; pop %rdx; mov %rbp, %rsp", KVM_TOO) \
	X(device_stack_modrm, "mov %rsp, %rbp; lea 32(%rdi), %rsp; .byte 0xff, 0xf2, 0x8f, 0xc1;"	\
	  "mov %rbp, %rsp", KVM_TOO)						\
	X(device_stack_call, "lea 1f(%rip), %r8; mov %rsp, %rbp; lea 32(%rdi), %rsp; call *%r8;"	\
	  "1: mov %rbp, %rsp", KVM_TOO)						\
	X(device_leave, "mov %rsp, %r8; mov %rdi, %rbp; leave; mov %r8, %rsp", KVM_TOO)	\
	X(device_enter, "mov %rsp, %r8; mov %rdx, %rbp; lea 40(%rdi), %rsp; enter $16, $0; xchg %r8, %rsp", \
	  KVM_TOO)								\
	X(far_jmp, "lea 1f(%rip), %r8; mov %r8d, 24(%rdi); mov %cs, 28(%rdi); ljmp *24(%rdi); inc %edx; 1:", \
	  KVM_TOO)								\
	X(far_jmp64, "lea 1f(%rip), %r8; mov %r8, 24(%rdi); mov %cs, 32(%rdi); rex.w; ljmp *24(%rdi);"	\
	  "inc %edx; 1:", KVM_TOO)						\
	X(both_on_devices, "mov %rsp, %rbp; lea 64(%rdi), %rsp; push (%rdi); mov %rbp, %rsp", KVM_TOO) \
	X(vmovups_load, "vmovups (%rdi), %ymm0; vextractf128 $1, %ymm0, 0x42040", AVX)	\
	X(vmovups_store, "vmovups %ymm0, (%rdi)", AVX)				\
	X(vaddps, "vaddps (%rdi), %ymm0, %ymm0; vextractf128 $1, %ymm0, 0x42040", AVX)	\
	X(vbroadcastss, "vbroadcastss (%rdi), %ymm0", AVX)

/* XCR0 gets all that the host's processor has; then the registers that forms work on. */
#define AVX_ON "mov %cr4, %rax; or $0x40000, %rax; mov %rax, %cr4; xor %ecx, %ecx;"	\
	"xor %edx, %edx; mov $7, %eax; xsetbv;"
#define PRELUDE "mov %rdi, %rbx; lea 1(%rdi), %rsi; movups 0x42020, %xmm0; movq 0x42020, %mm0;"	\
	"mov $3, %ecx; mov $0x1234567, %eax; mov $0x89abcdef, %edx;"
#define RESULT "; pushf; pop %r15; movups %xmm0, 0x42060; hlt"

#define CODE(name, text, flags) GUEST64(name, PRELUDE text RESULT); GUEST64(name##_avx, AVX_ON PRELUDE text RESULT);
FORMS(CODE)

struct form {
	const char *name;
	const uint8_t *code, *end;
	int flags;
};

#define FORM(name, text, flags) { #name, flags & AVX ? name##_avx : name,	\
	flags & AVX ? name##_avx_end : name##_end, flags },
static const struct form forms[] = { FORMS(FORM) };

static uint8_t device[0x2000];
static int reads[sizeof(device)], writes[sizeof(device)];

static void fill(uint8_t *p)
{
	int i;

	for (i = 0; i < 64; i++)
		p[i] = i * 37 + 0x11;
	p[11] = 0x77;
	memcpy(p + 16, "\x80\x1f\0\0\x10\0", 6);	/* MXCSR; a selector */
}

/* Runs to the HLT; whatever the VMM is asked for is an access to @device. */
static int serve(struct test_vm *t)
{
	int reason, i, at;

	while ((reason = vm_run(t)) == MINIKVM_EXIT_MMIO) {
		at = t->run->mmio.phys_addr - G_HOLE;
		if (at < 0 || at + t->run->mmio.len > (int)sizeof(device) || t->run->mmio.len > 8)
			return -1;
		for (i = 0; i < (int)t->run->mmio.len; i++)
			t->run->mmio.is_write ? writes[at + i]++ : reads[at + i]++;
		if (t->run->mmio.is_write)
			memcpy(device + at, t->run->mmio.data, t->run->mmio.len);
		else
			memcpy(t->run->mmio.data, device + at, t->run->mmio.len);
	}
	return reason;
}

struct result {
	struct minikvm_regs regs;
	uint8_t ram[0x80], operand[128];
	int reason;
};

static uint64_t relative(uint64_t reg, uint64_t base)
{
	return reg - base < 0x1000 ? reg - base : reg;
}

static void take_result(struct test_vm *t, uint64_t base, const uint8_t *operand,
			struct result *res)
{
	__u64 *reg;

	memset(res, 0, sizeof(*res));
	res->reason = serve(t);
	res->regs = vm_regs(t);
	for (reg = &res->regs.rax; reg <= &res->regs.r15; reg++)
		*reg = relative(*reg, base);
	memcpy(res->ram, t->mem + 0x42000, sizeof(res->ram));
	memcpy(res->operand, operand, sizeof(res->operand));
}

/* With the operand at @gpa, which is 64 bytes at @operand. */
static void run_at(const struct form *f, uint64_t gpa, uint8_t *operand, struct result *res)
{
	struct minikvm_regs r;
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, f->code, f->end);
	memset(reads, 0, sizeof(reads));
	memset(writes, 0, sizeof(writes));
	if (!operand)
		operand = t.mem + gpa;
	fill(operand);
	fill(t.mem + 0x41000);
	memcpy(t.mem + 0x42000, "\x11\x36\x5b\x80", 4);
	memcpy(t.mem + 0x42020, "\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40", 16);
	r = vm_regs(&t);
	r.rdi = gpa;
	vm_set_regs(&t, r);
	take_result(&t, gpa, operand, res);
	vm_free(&t);
}

static bool can_run(const struct form *f)
{
	if (f->flags & AVX && !__builtin_cpu_supports("avx"))
		return false;
	return !test_on_kvm() || f->flags & KVM_TOO;
}

static bool seen_once(const struct form *f)
{
	bool twice = !strncmp(f->name, "cmps_itself", 11) || !strncmp(f->name, "cmpxchg8b", 9);
	int i;

	for (i = 0; i < (int)sizeof(device); i++)
		if (reads[i] > 1 + twice || writes[i] > 1)
			return false;
	return true;
}

TEST(the_same_as_on_memory)
{
	struct result memory, dev;
	unsigned int i;

	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const struct form *f = &forms[i];

		if (!can_run(f))
			continue;
		run_at(f, G_DATA, NULL, &memory);
		run_at(f, G_HOLE, device, &dev);
		EXPECT_EQ(MINIKVM_EXIT_HLT, memory.reason) TH_LOG("%s on memory", f->name);
		EXPECT_EQ(MINIKVM_EXIT_HLT, dev.reason) TH_LOG("%s", f->name);
		EXPECT_EQ(0, memcmp(&memory.regs, &dev.regs, sizeof(dev.regs)))
			TH_LOG("%s: registers", f->name);
		EXPECT_EQ(0, memcmp(memory.ram, dev.ram, sizeof(dev.ram)))
			TH_LOG("%s: result", f->name);
		EXPECT_EQ(0, memcmp(memory.operand, dev.operand, sizeof(dev.operand)))
			TH_LOG("%s: operand", f->name);
		EXPECT_TRUE(seen_once(f)) TH_LOG("%s: accesses", f->name);
	}
}

TEST_HARNESS_MAIN
