// Yields so many times by the system call of 32-bit programs, whose numbers are their
// own. Two of them on one core hand it to each other.
#include <stdlib.h>

int main(int argc, char **argv)
{
	int left = argc > 1 ? atoi(argv[1]) : 20000;

	while (left-- > 0) {
		long result;

		__asm__ volatile("int $0x80" : "=a"(result) : "a"(158) : "memory"); /* sched_yield */
		if (result)
			return 1;
	}
	return 0;
}
