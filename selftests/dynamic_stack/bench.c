// SPDX-License-Identifier: GPL-2.0
/*
 * Prices kernel operations in ticks of the TSC. Under QEMU's -icount a tick
 * is an instruction; tick_ratio shows whether it is. Run it with one CPU:
 * the instructions of every CPU advance the TSC.
 *
 * A sample is a short batch. Most of them end before the next timer tick, so
 * the minimum and the median do without it, and without what RCU and
 * workqueues do later. The mean has all of that.
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#include "cpus.h"
#include "fail.h"
#include "files.h"
#include "kselftest.h"

#define WARM_UP		20
#define SAMPLES		401
#define LOOP_TURNS	5000
#define LOOP_LENGTH	2	/* instructions */
#define NEW_PAGES	16
#define FILE_BYTES	4096
/* Far more than a loop that waits for an interrupt takes, and less than that. */
#define INTERRUPT_TICKS	200
/* So many can keep all while no page can be allocated: a third one may have to wait. */
#define DEEP_THREADS	2
#define SETTLE_US	20000
#define STRESS		"/sys/kernel/debug/stack_stress/"

struct operation {
	const char *name;
	/* Not measured; may be absent. */
	void (*prepare)(void);
	void (*batch)(void);
	/* How often the operation has happened; read before and after a batch. */
	unsigned long (*count)(void);
	/* What the batch took, if not all of it is to be measured. */
	unsigned long long (*ticks)(void);
};

struct sample {
	unsigned long long ticks;
	unsigned long count;
};

struct thread {
	char stack[16384];
	int id;
};

static unsigned long done;
static struct thread threads[DEEP_THREADS];
static bool stop;
static char *new_pages;
static long page_size;
static int zeros;
static int own_file;
/* To the process that answers, and back. */
static int question[2], answer[2];
static unsigned long long interrupt_ticks;
/* When a thread that was deep gave up the CPU, and what that took. */
static unsigned long long deep_end, deep_switch_ticks;
/* The same of the one that gives it up when pages can be had again. */
static unsigned long long refill_start, refill_ticks;

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static unsigned long count_done(void)
{
	return done;
}

static unsigned long count_switches(void)
{
	return read_number("/proc/stat", "ctxt");
}

static void batch_loop(void)
{
	unsigned int turns = LOOP_TURNS;

	asm volatile("1: dec %0\n\tjnz 1b" : "+r" (turns) : : "cc");
	done += LOOP_TURNS * LOOP_LENGTH;
}

static void batch_null_syscall(void)
{
	int i;

	for (i = 0; i < 1000; i++)
		syscall(SYS_getppid);
	done += 1000;
}

static void batch_yield(void)
{
	int i;

	for (i = 0; i < 100; i++)
		sched_yield();
}

static void start_thread(struct thread *thread, int (*function)(void *))
{
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			  CLONE_THREAD | CLONE_SYSVSEM | CLONE_PARENT_SETTID |
			  CLONE_CHILD_CLEARTID;

	if (clone(function, thread->stack + sizeof(thread->stack), flags, NULL,
		  &thread->id, NULL, &thread->id) < 0)
		die("clone");
}

static void join_thread(struct thread *thread)
{
	int id;

	while ((id = __atomic_load_n(&thread->id, __ATOMIC_ACQUIRE)))
		syscall(SYS_futex, &thread->id, FUTEX_WAIT, id, NULL);
}

static int thread_exits(void *unused __maybe_unused)
{
	return 0;
}

static int thread_yields(void *unused __maybe_unused)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		sched_yield();
	return 0;
}

static void batch_clone_exit(void)
{
	int i;

	for (i = 0; i < 5; i++) {
		start_thread(threads, thread_exits);
		join_thread(threads);
	}
	done += 5;
}

static void batch_vfork_exit(void)
{
	pid_t pid;
	int i;

	for (i = 0; i < 5; i++) {
		pid = vfork();
		if (!pid)
			_exit(0);
		if (waitpid(pid, NULL, 0) != pid)
			die("vfork");
	}
	done += 5;
}

static void forget_pages(void)
{
	if (madvise(new_pages, NEW_PAGES * page_size, MADV_DONTNEED))
		die("madvise");
}

static void batch_user_fault(void)
{
	int i;

	for (i = 0; i < NEW_PAGES; i++)
		__atomic_store_n(new_pages + i * page_size, 1, __ATOMIC_RELAXED);
	done += NEW_PAGES;
}

static void batch_kernel_fault(void)
{
	int i;

	for (i = 0; i < NEW_PAGES; i++)
		if (read(zeros, new_pages + i * page_size, 1) != 1)
			die("/dev/zero");
	done += NEW_PAGES;
}

/* From the page cache: the program runs, so the file is there. */
static void batch_file_read(void)
{
	static char bytes[FILE_BYTES];
	int i;

	for (i = 0; i < 100; i++)
		if (pread(own_file, bytes, FILE_BYTES, 0) != FILE_BYTES)
			die("/proc/self/exe");
	done += 100;
}

static void batch_pipe(void)
{
	char byte = 0;
	int i;

	for (i = 0; i < 20; i++)
		if (write(question[1], &byte, 1) != 1 ||
		    read(answer[0], &byte, 1) != 1)
			die("pipe");
	done += 20;
}

/* Waits for the next interrupt, of the timer; what it took is a gap in time. */
static void batch_user_interrupt(void)
{
	unsigned long long last, now = __rdtsc();

	do {
		last = now;
		now = __rdtsc();
	} while (now - last < INTERRUPT_TICKS);
	interrupt_ticks = now - last;
	done++;
}

static unsigned long long ticks_of_interrupt(void)
{
	return interrupt_ticks;
}

/* A new thread has its stack to grow. */
static void batch_stress(void)
{
	if (!write_text(STRESS "run", "TICKS"))
		die(STRESS "run");
	done++;
}

static void go_deep(void)
{
	if (!write_text(STRESS "deep", " "))
		die(STRESS "deep");
}

static int thread_was_deep(void *unused __maybe_unused)
{
	go_deep();
	__atomic_store_n(&deep_end, __rdtsc(), __ATOMIC_RELAXED);
	sched_yield();
	return 0;
}

/* The thread says in deep_end when it was deep. */
static void run_until_deep(struct thread *thread, int (*function)(void *))
{
	deep_end = 0;
	start_thread(thread, function);
	while (!__atomic_load_n(&deep_end, __ATOMIC_RELAXED))
		sched_yield();
}

/* After a grace period a kworker frees the stack of the thread before. */
static void settle(void)
{
	usleep(SETTLE_US);
}

/* From a thread that leaves as much behind as one can. */
static void batch_deep_switch(void)
{
	run_until_deep(threads, thread_was_deep);
	deep_switch_ticks = __rdtsc() - deep_end;
	join_thread(threads);
	done++;
}

static unsigned long long ticks_of_deep_switch(void)
{
	return deep_switch_ticks;
}

static int thread_awaits_refill(void *unused __maybe_unused)
{
	unsigned long long now, start;

	go_deep();
	__atomic_store_n(&deep_end, __rdtsc(), __ATOMIC_RELAXED);
	while (!__atomic_load_n(&refill_ticks, __ATOMIC_RELAXED)) {
		sched_yield();
		now = __rdtsc();
		start = __atomic_load_n(&refill_start, __ATOMIC_RELAXED);
		if (start && !refill_ticks)
			__atomic_store_n(&refill_ticks, now - start, __ATOMIC_RELAXED);
	}
	return 0;
}

static void empty_stock(void)
{
	int i;

	settle();
	/* It needs no page of the stock to run then. */
	go_deep();
	if (!arm(REFILL_RESERVE, "1", ALWAYS, "0"))
		die(FAIL_DIR);
	refill_start = 0;
	refill_ticks = 0;
	for (i = 0; i < DEEP_THREADS; i++)
		run_until_deep(&threads[i], thread_awaits_refill);
	disarm();
}

/* To a thread that first makes up for the refills that failed. */
static void batch_refill_switch(void)
{
	int i;

	while (!__atomic_load_n(&refill_ticks, __ATOMIC_RELAXED)) {
		__atomic_store_n(&refill_start, __rdtsc(), __ATOMIC_RELAXED);
		sched_yield();
	}
	for (i = 0; i < DEEP_THREADS; i++)
		join_thread(&threads[i]);
	done++;
}

static unsigned long long ticks_of_refill_switch(void)
{
	return refill_ticks;
}

static unsigned long long ticks_of_first_slot(void)
{
	return read_number(STRESS "result", "first_slot_ticks");
}

static unsigned long long ticks_of_deepest(void)
{
	return read_number(STRESS "result", "deepest_ticks");
}

static unsigned long long ticks_of_kernel_interrupt(void)
{
	return read_number(STRESS "result", "interrupt_ticks");
}

static struct sample sample(const struct operation *op)
{
	struct sample sample;

	if (op->prepare)
		op->prepare();
	sample.count = op->count();
	sample.ticks = __rdtsc();
	op->batch();
	sample.ticks = __rdtsc() - sample.ticks;
	if (op->ticks)
		sample.ticks = op->ticks();
	sample.count = op->count() - sample.count;
	if (!sample.count) {
		fprintf(stderr, "bench: no %s happened\n", op->name);
		exit(EXIT_FAILURE);
	}
	return sample;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void measure(const struct operation *op)
{
	struct sample one, all = {};
	double prices[SAMPLES];
	int i;

	for (i = 0; i < WARM_UP; i++)
		sample(op);
	for (i = 0; i < SAMPLES; i++) {
		one = sample(op);
		prices[i] = (double)one.ticks / one.count;
		all.ticks += one.ticks;
		all.count += one.count;
	}
	qsort(prices, SAMPLES, sizeof(*prices), compare);
	printf("%s_min %.2f\n%s_median %.2f\n%s_mean %.2f\n",
	       op->name, prices[0], op->name, prices[SAMPLES / 2],
	       op->name, (double)all.ticks / all.count);
}

static void measure_switch(void)
{
	const struct operation op = {
		"switch", .batch = batch_yield, .count = count_switches
	};
	long switches, lends;

	start_thread(threads, thread_yields);
	switches = count_switches();
	lends = read_number("/proc/vmstat", "dynamic_stack_lend");
	measure(&op);
	switches = count_switches() - switches;
	lends = read_number("/proc/vmstat", "dynamic_stack_lend") - lends;
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	join_thread(threads);
	printf("switches %ld\nlends_per_switch %.2f\n", switches,
	       (double)lends / switches);
}

static void answer_pipe(void)
{
	char byte;

	/* Or the end of the questions is never seen. */
	close(question[1]);
	while (read(question[0], &byte, 1) == 1)
		if (write(answer[1], &byte, 1) != 1)
			_exit(EXIT_FAILURE);
	_exit(EXIT_SUCCESS);
}

static void measure_pipe(void)
{
	const struct operation op = {
		"pipe_round_trip", .batch = batch_pipe, .count = count_done
	};
	int status;
	pid_t pid;

	if (pipe(question) || pipe(answer))
		die("pipe");
	pid = fork();
	if (!pid)
		answer_pipe();
	if (pid < 0)
		die("fork");
	/* If the other process ends, a read finds that. */
	close(question[0]);
	close(answer[1]);
	measure(&op);
	close(question[1]);
	close(answer[0]);
	if (waitpid(pid, &status, 0) != pid || status)
		die("the process that answers");
}

static const struct operation operations[] = {
	{ "tick_ratio", NULL, batch_loop, count_done, NULL },
	{ "null_syscall", NULL, batch_null_syscall, count_done, NULL },
	{ "file_read", NULL, batch_file_read, count_done, NULL },
	{ "clone_exit", NULL, batch_clone_exit, count_done, NULL },
	{ "vfork_exit", NULL, batch_vfork_exit, count_done, NULL },
	{ "user_fault", forget_pages, batch_user_fault, count_done, NULL },
	{ "kernel_fault", forget_pages, batch_kernel_fault, count_done, NULL },
	{ "user_interrupt", NULL, batch_user_interrupt, count_done, ticks_of_interrupt },
};

/* With the module stack_stress. */
static const struct operation stress_operations[] = {
	{ "kernel_interrupt", NULL, batch_stress, count_done, ticks_of_kernel_interrupt },
	{ "deep_switch", settle, batch_deep_switch, count_done, ticks_of_deep_switch },
	{ "stack_fault", NULL, batch_stress, count_done, ticks_of_first_slot },
	{ "stack_fault_deep", NULL, batch_stress, count_done, ticks_of_deepest },
};

/* With CONFIG_FAIL_DYNAMIC_STACK as well. */
static const struct operation refill_switch = {
	"refill_switch", empty_stock, batch_refill_switch, count_done, ticks_of_refill_switch
};

static void map_new_pages(void)
{
	page_size = sysconf(_SC_PAGESIZE);
	new_pages = mmap(NULL, NEW_PAGES * page_size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (new_pages == MAP_FAILED)
		die("mmap");
	/* One page a fault. Fails without huge pages, which is as well. */
	madvise(new_pages, NEW_PAGES * page_size, MADV_NOHUGEPAGE);
	zeros = open("/dev/zero", O_RDONLY);
	if (zeros < 0)
		die("/dev/zero");
}

static void open_own_file(void)
{
	own_file = open("/proc/self/exe", O_RDONLY);
	if (own_file < 0)
		die("/proc/self/exe");
}

int main(void)
{
	size_t i;

	if (!run_only_on(0))
		die("sched_setaffinity");
	map_new_pages();
	open_own_file();
	for (i = 0; i < ARRAY_SIZE(operations); i++)
		measure(&operations[i]);
	if (!access(STRESS "run", W_OK))
		for (i = 0; i < ARRAY_SIZE(stress_operations); i++)
			measure(&stress_operations[i]);
	measure_pipe();
	measure_switch();
	/* The last: this thread is lent nothing any more. */
	if (!access(STRESS "deep", W_OK) && !access(FAIL_DIR "sites", W_OK))
		measure(&refill_switch);
	return EXIT_SUCCESS;
}
