//go:build linux && cgo

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

// The same as type seen in inherited.go.
struct seen {
	uint64_t ignored, blocked, closed, files[2];
	char **environ;
	uint64_t known, hidden, pending;
	char infos[32][128];
};

static struct seen seen;

struct seen *slicetrace_seen(void) { return &seen; }

extern char **environ;

// Whether the first argument is "run". Not every C library passes the arguments to a
// constructor, but the kernel puts them in front of the environment, and their number in
// front of them.
static int runs(void) {
	char here;
	// A library that was loaded before may have replaced the environment by another.
	if ((char *)environ < &here)
		return 0;
	char **end = environ - 1; // the null after the last argument
	for (intptr_t n = 1; n < 1 << 20; n++)
		if ((intptr_t)end[-n - 1] == n)
			return n > 1 && strcmp(end[-n + 1], "run") == 0;
	return 0;
}

__attribute__((constructor)) static void look(void) {
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			seen.closed |= 1 << fd;
	for (int sig = 1; sig <= 64; sig++) {
		// The C library's sigaction rejects the signals that the library uses itself.
		void *action[4];
		if (syscall(SYS_rt_sigaction, sig, 0, action, 8) == 0 && action[0] == (void *)SIG_IGN)
			seen.ignored |= (uint64_t)1 << (sig - 1);
	}
	syscall(SYS_rt_sigprocmask, 0, 0, &seen.blocked, 8);
	long zero[2] = {0};
	while (seen.pending < 32 && syscall(SYS_rt_sigtimedwait, &seen.blocked, seen.infos[seen.pending], zero, 8) > 0)
		seen.pending++;
	syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, seen.files);
	seen.environ = environ;
	seen.known = 1;
	if (!environ || !runs())
		return;
	for (char **p = environ; *p; p++)
		if (strncmp(*p, "GO", 2) == 0)
			**p = 1;
	seen.hidden = 1;
}
