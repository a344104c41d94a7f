/*
 * Waits at known places, and says for how long it had no core at each: the name of its function, and nanoseconds.
 * With "delete" it deletes its file first, with "upgrade FILE" it puts another there, and with "memory" it executes a
 * copy of itself that is in no file system.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <time.h>
#include <unistd.h>

static int requests[2], answers[2], file;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void must(int ok, const char *what)
{
	if (!ok) {
		perror(what);
		exit(1);
	}
}

static void nap(long ms)
{
	struct timespec ts = { 0, ms * 1000000 };

	must(!nanosleep(&ts, NULL), "nanosleep");
}

/* Answers 'r' after a while, and 'l' at once, but keeps the lock for a while. */
static void *serve(void *unused)
{
	char c;

	pthread_setname_np(pthread_self(), "server");
	while (read(requests[0], &c, 1) == 1) {
		if (c == 'l')
			pthread_mutex_lock(&lock);
		else
			nap(3);
		must(write(answers[1], &c, 1) == 1, "write");
		if (c == 'l') {
			nap(4);
			pthread_mutex_unlock(&lock);
		}
	}
	return unused;
}

static void ask(char c)
{
	must(write(requests[1], &c, 1) == 1, "write");
}

__attribute__((noinline)) static void sleep_here(void)
{
	nap(2);
	__asm__ volatile("");
}

__attribute__((noinline)) static void read_here(void)
{
	char c;

	must(read(answers[0], &c, 1) == 1, "read");
	__asm__ volatile("");
}

__attribute__((noinline)) static void lock_here(void)
{
	pthread_mutex_lock(&lock);
	__asm__ volatile("");
}

__attribute__((noinline)) static void sync_here(void)
{
	must(!fsync(file), "fsync");
	__asm__ volatile("");
}

/* The time, less that in which this thread had a core. */
static long without_core(void)
{
	struct timespec all, on_core;

	clock_gettime(CLOCK_MONOTONIC, &all);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &on_core);
	return (all.tv_sec - on_core.tv_sec) * 1000000000L + all.tv_nsec - on_core.tv_nsec;
}

static long took(void (*f)(void))
{
	long begin = without_core();

	f();
	return without_core() - begin;
}

__attribute__((noinline)) static long all_of_it(void)
{
	long slept = 0, read_for = 0, locked = 0, synced = 0;
	long begin = without_core();
	pthread_t server;
	int i;

	file = open("written", O_CREAT | O_RDWR, 0600);
	must(file >= 0 && !pipe(requests) && !pipe(answers), "open");
	must(!pthread_create(&server, NULL, serve, NULL), "pthread_create");
	for (i = 0; i < 50; i++) {
		slept += took(sleep_here);
		ask('r');
		read_for += took(read_here);
		ask('l');
		read_for += took(read_here);
		locked += took(lock_here);
		pthread_mutex_unlock(&lock);
		must(pwrite(file, &i, sizeof(i), 4096 * i) == sizeof(i), "pwrite");
		synced += took(sync_here);
	}
	printf("sleep_here %ld\nread_here %ld\nlock_here %ld\nsync_here %ld\n", slept, read_for, locked, synced);
	return without_core() - begin;
}

static void execute_copy(char *name)
{
	int from = open("/proc/self/exe", O_RDONLY), to = memfd_create("waits", MFD_CLOEXEC);
	char *argv[] = { name, NULL };

	must(from >= 0 && to >= 0, "open");
	while (sendfile(to, from, NULL, 1 << 20) > 0)
		;
	fexecve(to, argv, environ);
	must(0, "fexecve");
}

int main(int argc, char **argv)
{
	const char *first = argc > 1 ? argv[1] : "";

	if (!strcmp(first, "delete"))
		must(!unlink(argv[0]), "unlink");
	if (!strcmp(first, "upgrade"))
		must(!rename(argv[2], argv[0]), "rename");
	if (!strcmp(first, "memory"))
		execute_copy(argv[0]);
	printf("all_of_it %ld\n", all_of_it());
	return 0;
}
