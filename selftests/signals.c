// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: a signal or immediate_exit ends RUN with EINTR after the access that waited is finished,
 * a signal with exit reason INTR, immediate_exit with the last one; SET_SIGNAL_MASK holds while
 * in RUN only; SIGKILL ends a spinning guest.
 */
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "lib/vm.h"

GUEST16(spin, "sti; 1: jmp 1b");
GUEST16(in_once, "in $0x10, %al; 1: out %al, $0x11; jmp 1b");

static void on_alarm(int sig)
{
	(void)sig;
}

static void alarm_in(int ms)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval v = { .it_value.tv_usec = ms * 1000 };

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &v, NULL);
}

TEST(a_signal_ends_run)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_real(&t, spin, spin_end);
	alarm_in(20);
	ASSERT_EQ(-EINTR, vm_run(&t));
	ASSERT_EQ(MINIKVM_EXIT_INTR, t.run->exit_reason);
	vm_free(&t);
}

TEST(immediate_exit_finishes_what_waited)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_real(&t, in_once, in_once_end);
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&t));
	*(uint8_t *)vm_io_data(&t) = 0x77;
	t.run->immediate_exit = 1;
	ASSERT_EQ(-EINTR, vm_run(&t));
	ASSERT_EQ(MINIKVM_EXIT_IO, t.run->exit_reason);
	ASSERT_EQ(0x77, vm_regs(&t).rax & 0xff);
	ASSERT_EQ(G_CODE + 2, vm_regs(&t).rip);
	t.run->immediate_exit = 0;
	EXPECT_OUT(&t, 0x11, 0x77);
	vm_free(&t);
}

TEST(immediate_exit_leaves_the_reason_alone)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_real(&t, in_once, in_once_end);
	t.run->immediate_exit = 1;
	t.run->exit_reason = 0x1234;
	ASSERT_EQ(-EINTR, vm_run(&t));
	ASSERT_EQ(0x1234, t.run->exit_reason);
	ASSERT_EQ(G_CODE, vm_regs(&t).rip);
	vm_free(&t);
}

TEST(the_signal_mask_holds_while_in_run)
{
	struct { struct minikvm_signal_mask head; uint8_t set[8]; } m = { .head.len = 8 };
	sigset_t block;
	struct test_vm t;

	vm_make(&t, false);
	guest_real(&t, spin, spin_end);
	sigemptyset(&block);
	sigaddset(&block, SIGALRM);
	sigprocmask(SIG_BLOCK, &block, NULL);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_SIGNAL_MASK, &m));	/* nothing blocked */
	alarm_in(20);
	ASSERT_EQ(-EINTR, vm_run(&t));
	m.head.len = 4;
	ASSERT_EQ(-1, ioctl(t.vcpu, MINIKVM_SET_SIGNAL_MASK, &m));
	ASSERT_EQ(EINVAL, errno);
	vm_free(&t);
}

static volatile int alarms, usr1s;
static sigset_t mask_of_frame;

static void count(int sig, siginfo_t *info, void *context)
{
	(void)info;
	alarms += sig == SIGALRM;
	usr1s += sig == SIGUSR1;
	mask_of_frame = ((ucontext_t *)context)->uc_sigmask;
}

static void count_signals(void)
{
	struct sigaction sa = { .sa_sigaction = count, .sa_flags = SA_SIGINFO };

	alarms = usr1s = 0;
	sigaction(SIGALRM, &sa, NULL);
	sigaction(SIGUSR1, &sa, NULL);
}

/* From another process: SIGALRM, and SIGUSR1 some time later. */
static pid_t send_both(void)
{
	pid_t to = getpid(), child = fork();

	if (child)
		return child;
	usleep(20000);
	kill(to, SIGALRM);
	usleep(50000);
	kill(to, SIGUSR1);
	_exit(0);
}

TEST(outside_run_the_mask_is_the_threads)
{
	struct { struct minikvm_signal_mask head; uint32_t set[2]; } m = {
		.head.len = 8, .set[0] = 1 << (SIGALRM - 1) | 1 << (SIGUSR2 - 1),
	};
	struct test_vm t;
	sigset_t now;
	pid_t child;

	vm_make(&t, false);
	guest_real(&t, spin, spin_end);
	count_signals();
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_SIGNAL_MASK, &m));
	child = send_both();
	ASSERT_EQ(-EINTR, vm_run(&t));
	/* Had SIGALRM ended RUN, there would be no SIGUSR1 yet. */
	ASSERT_EQ(1, usr1s);
	ASSERT_EQ(1, alarms);
	ASSERT_EQ(0, sigismember(&mask_of_frame, SIGUSR2));
	sigprocmask(SIG_BLOCK, NULL, &now);
	ASSERT_EQ(0, sigismember(&now, SIGALRM));
	ASSERT_EQ(0, sigismember(&now, SIGUSR2));
	waitpid(child, NULL, 0);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_SIGNAL_MASK, NULL));
	count_signals();
	alarm_in(20);
	ASSERT_EQ(-EINTR, vm_run(&t));
	vm_free(&t);
}

/* A VMM's way to take a signal without a handler: blocked but in RUN, then sigtimedwait(). */
static void what_ends_run_stays_pending(struct __test_metadata *_metadata, void (*action)(int))
{
	struct { struct minikvm_signal_mask head; uint8_t set[8]; } m = { .head.len = 8 };
	struct itimerval soon = { .it_value.tv_usec = 20000 };
	struct timespec at_once = { 0 };
	sigset_t block, now;
	struct test_vm t;

	vm_make(&t, false);
	guest_real(&t, spin, spin_end);
	signal(SIGALRM, action);
	sigemptyset(&block);
	sigaddset(&block, SIGALRM);
	sigprocmask(SIG_BLOCK, &block, NULL);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_SIGNAL_MASK, &m));
	setitimer(ITIMER_REAL, &soon, NULL);
	ASSERT_EQ(-EINTR, vm_run(&t));
	sigprocmask(SIG_BLOCK, NULL, &now);
	ASSERT_EQ(1, sigismember(&now, SIGALRM));
	ASSERT_EQ(SIGALRM, sigtimedwait(&block, NULL, &at_once));
	vm_free(&t);
}

TEST(a_signal_without_a_handler_is_the_vmms_not_its_death)
{
	what_ends_run_stays_pending(_metadata, SIG_DFL);
}

TEST(a_signal_that_is_ignored_ends_run_if_the_vmm_blocks_it)
{
	what_ends_run_stays_pending(_metadata, SIG_IGN);
}

TEST(sigkill_ends_a_spinning_guest)
{
	struct test_vm t;
	int status;
	pid_t pid = fork();

	if (!pid) {
		vm_make(&t, false);
		guest_real(&t, spin, spin_end);
		vm_run(&t);
		_exit(0);
	}
	usleep(100000);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(1, WIFSIGNALED(status));
}

TEST_HARNESS_MAIN
