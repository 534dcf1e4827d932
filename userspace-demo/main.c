// SPDX-License-Identifier: GPL-2.0
/*
 * minivmm: a virtual machine monitor to read. main() is the recipe: look at what is
 * asked for, open the device, make a VM, give it memory and devices, make its vCPUs,
 * load a guest, run it.
 */
#include <stdio.h>

#include "acpi.h"
#include "board.h"
#include "boot.h"
#include "config.h"
#include "die.h"
#include "gdb.h"
#include "hold.h"
#include "loop.h"
#include "node.h"
#include "run.h"
#include "terminal.h"
#include "vcpu.h"
#include "vm.h"

static struct config config;
static struct loop loop;
static struct gdb gdb;
static struct guest guest;
static struct vm vm;
static struct board board;
static struct vcpu vcpus[MAX_CPUS];

/* Returns when the run is over: the guest is at rest, the terminal the caller's. */
static void run_all(void)
{
	unsigned int i;

	for (i = 0; i < config.cpus; i++)
		vcpu_start(&vcpus[i]);
	loop_run(&loop);
	if (config.gdb)
		gdb_end(&gdb, stop_status(&vm.stop));
	for (i = 0; i < config.cpus; i++)
		vcpu_join(&vcpus[i]);
	terminal_end();
}

/* What there is to say about it. */
static void run_report(const struct moment *start)
{
	struct run_stats all = { };
	unsigned int i;

	for (i = 0; i < config.cpus; i++) {
		vcpu_report(&vcpus[i]);
		stats_add(&all, &vcpus[i].stats);
	}
	if (stop_status(&vm.stop) == ST_TIMEOUT)
		fprintf(stderr, "minivmm: the time limit of %u s passed\n", config.timeout);
	if (stop_status(&vm.stop) == ST_RESET)
		fprintf(stderr, "minivmm: the guest asked for a reset\n");
	if (config.stats) {
		stats_print(&all, start);
		stats_print_kernel(node_is_kvm(config.device));
	}
}

int main(int argc, char **argv)
{
	struct moment start = moment_now();
	unsigned int i;

	/* What is wrong with the arguments ends the program here. */
	config_parse(&config, argc, argv);
	if (config.gdb)
		gdb_check(config.gdb);
	memory_split(&vm.memory, config.mem);
	guest_open(&guest, &config, &vm.memory);
	node_check(&config);

	vm_create(&vm, &config);
	hold_create(&vm);
	loop_create(&loop);
	stop_create(&vm.stop, &loop, config.timeout);
	board_create(&board, &vm, terminal_put);
	for (i = 0; i < config.cpus; i++)
		vcpu_create(&vcpus[i], &vm, i);
	guest_load(&guest, &vcpus[0]);
	if (guest.is_linux)
		acpi_write(&vm.memory, config.cpus);
	terminal_start(&loop, &board.serial, &vm.stop);
	if (config.gdb)
		gdb_create(&gdb, config.gdb, &loop, vcpus, config.cpus);
	run_all();

	run_report(&start);
	return stop_status(&vm.stop);
}
