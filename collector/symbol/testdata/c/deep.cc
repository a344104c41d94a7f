// Waits for the end of its input while exceptions are on their way.
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <sys/syscall.h>
#include <unistd.h>

#define APART __attribute__((noinline, noipa))

APART int wait_here(int n)
{
	char c;
	std::printf("%ld\n", syscall(SYS_gettid));
	std::fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	return n + 1;
}

namespace shop {
struct cart {
	int n;
	APART ~cart()
	{
		if (n)
			wait_here(n);
	}
};

APART int throws(int n)
{
	if (n)
		throw std::runtime_error("empty");
	return n;
}

APART int cleans(int n, bool wait)
{
	cart c{wait};
	return throws(n) + 1;
}

APART int catches(int n, bool inside)
{
	try {
		return cleans(n, inside);
	} catch (const std::exception &e) {
		return inside ? 0 : wait_here(n) + e.what()[0];
	}
}
}

int main(int argc, char **argv)
{
	return shop::catches(argc, argc > 1 && !std::strcmp(argv[1], "cleanup")) == 12345;
}
