/*
 * As waits.c, but a program of 32 bits without a C library: it sleeps only.
 */

enum { SYS_exit = 1, SYS_write = 4, SYS_nanosleep = 162, SYS_clock_gettime = 265 };
enum { CLOCK_MONOTONIC = 1, CLOCK_THREAD_CPUTIME_ID = 3 };

struct time {
	long sec, nsec;
};

__attribute__((always_inline)) static inline long call(long number, long a, const void *b, long c)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "0"(number), "b"(a), "c"(b), "d"(c) : "memory");
	return result;
}

__attribute__((noinline)) static void sleep_here(void)
{
	struct time two_ms = { 0, 2000000 };

	call(SYS_nanosleep, (long)&two_ms, 0, 0);
	__asm__ volatile("");
}

/* The time, less that in which this thread had a core. */
static long without_core(void)
{
	struct time all, on_core;

	call(SYS_clock_gettime, CLOCK_MONOTONIC, &all, 0);
	call(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &on_core, 0);
	return (all.sec - on_core.sec) * 1000000000L + all.nsec - on_core.nsec; /* it wraps, and differences do not */
}

static void say(const char *name, long n)
{
	char text[16];
	char *begin = text + sizeof(text);
	long length = 0;

	*--begin = '\n';
	for (; n > 0; n /= 10)
		*--begin = (char)('0' + n % 10);
	while (name[length])
		length++;
	call(SYS_write, 1, name, length);
	call(SYS_write, 1, begin, text + sizeof(text) - begin);
}

__attribute__((noinline)) static long all_of_it(void)
{
	long begin = without_core(), slept = 0, from;
	int i;

	for (i = 0; i < 100; i++) {
		from = without_core();
		sleep_here();
		slept += without_core() - from;
	}
	say("sleep_here ", slept);
	return without_core() - begin;
}

void _start(void)
{
	say("all_of_it ", all_of_it());
	call(SYS_exit, 0, 0, 0);
}
