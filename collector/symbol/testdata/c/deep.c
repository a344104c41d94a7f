// Waits for the end of its input deep in functions, in a way that its argument names.
#include <alloca.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// Nothing is known of these functions where they are called, so that each keeps its frame.
#define APART __attribute__((noinline, noipa))

int library_calls(int (*f)(int), int n);

APART int wait_here(int n)
{
	char line[32], c;
	int length = snprintf(line, sizeof line, "%ld\n", syscall(SYS_gettid));
	if (write(1, line, length) != length)
		abort();
	while (read(0, &c, 1) > 0)
		;
	return n + 1;
}

APART int recursive(int n) { return n == 0 ? wait_here(n) * 3 : recursive(n - 1) + n; }

APART int with_alloca(int n)
{
	char *room = alloca(n * 100 + 16);
	memset(room, n, n * 100 + 16);
	return wait_here(n) + room[n];
}

APART int with_arguments(int a, int b, int c, int d, int e, int f, int g, int h, int i)
{
	return wait_here(a + b + c + d + e + f + g + h + i) + 1;
}

APART int with_large_frame(int n)
{
	volatile char room[20000];
	room[n] = n;
	return with_arguments(n, 2, 3, 4, 5, 6, 7, 8, room[n]) + room[n];
}

// The frame is aligned, so that its place is kept in a register of its own.
APART int with_aligned(int n)
{
	__attribute__((aligned(128))) volatile char room[256];
	char *more = alloca(n + 16);
	room[n] = more[n] = n;
	return wait_here(n) + room[n] + more[n];
}

APART int compare(const void *a, const void *b)
{
	static int waited;
	if (!waited++)
		wait_here(1);
	return *(const int *)a - *(const int *)b;
}

APART int sorts(int n)
{
	int list[] = {n + 5, 3, 1};
	qsort(list, 3, sizeof *list, compare);
	return list[0];
}

APART void handler(int signal) { wait_here(signal); }

APART int raises(int n)
{
	raise(SIGUSR1);
	return n + 1;
}

// The processor itself interrupts this function.
APART int faults(int n)
{
	volatile int *nowhere = (volatile int *)(long)n;
	return *nowhere + n;
}

APART void on_fault(int signal)
{
	wait_here(signal);
	_exit(0);
}

APART void *in_thread(void *n) { return (void *)(long)recursive((long)n); }

APART int starts_thread(int n)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, in_thread, (void *)(long)n) != 0)
		abort();
	return pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "";
	int sum = 0;
	signal(SIGUSR1, handler);
	signal(SIGSEGV, on_fault);
	if (!strcmp(way, "recursion"))
		sum += recursive(4);
	if (!strcmp(way, "deep recursion"))
		sum += recursive(1000);
	if (!strcmp(way, "alloca"))
		sum += with_alloca(5);
	if (!strcmp(way, "large frame"))
		sum += with_large_frame(5);
	if (!strcmp(way, "aligned"))
		sum += with_aligned(5);
	if (!strcmp(way, "qsort"))
		sum += sorts(5);
	if (!strcmp(way, "signal"))
		sum += raises(5);
	if (!strcmp(way, "fault"))
		sum += faults(5);
	if (!strcmp(way, "thread"))
		sum += starts_thread(3);
#ifdef LIBRARY
	if (!strcmp(way, "library"))
		sum += library_calls(wait_here, 5);
#endif
	return sum == 12345;
}
