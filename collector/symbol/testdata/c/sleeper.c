// Prints the addresses of its functions, then waits until its input ends.
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int in_library(int n);

__attribute__((noinline)) static int local_one(int n) { return n * 3 + (n >> 2); }
__attribute__((noinline)) int global_one(int n) { return local_one(n) + 7; }

#ifdef FAR
__attribute__((noinline, section(".far"))) int far_one(int n) { return n * 5; }
#endif

// A function from assembly, without a size and a type.
__asm__(".text\n.globl bare_one\nbare_one:\n nop\n nop\n ret\n");
int bare_one(void);

int main(int argc, char **argv)
{
	char c;
	void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	printf("local_one %p\nglobal_one %p\nbare_one %p\nmain %p\n[anon] %p\n", (void *)local_one,
	       (void *)global_one, (void *)bare_one, (void *)main, code);
#ifdef FAR
	printf("far_one %p\n", (void *)far_one);
#endif
#ifdef LIBRARY
	printf("in_library %p\n", (void *)in_library);
#endif
	printf("sum %d\n", global_one(argc));
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	return 0;
}
