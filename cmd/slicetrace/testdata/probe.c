// A program that shows what it inherited and which signals it gets, or that executes another
// program with something unusual to inherit. Its output goes to descriptor 4.
//
//   probe count             writes the number of each signal as a byte, first 0 when it is
//                           ready, until descriptor 3 is closed
//   probe wait              handles no signal, and waits until descriptor 3 is closed
//   probe show              writes what it inherited through execve
//   probe with WORD... -- PROGRAM...  executes PROGRAM with what the words ask for
//   probe setpgid|setsid PROGRAM...   executes it in a group or a session of its own
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

extern char **environ;

#define SAYS 4
#define ENDS 3

static void got(int sig) {
	char c = sig;
	write(SAYS, &c, 1);
}

__attribute__((naked)) static void back(void) {
#ifdef __x86_64__
	__asm__("mov $15, %eax\n\tsyscall");
#else
	__asm__("mov x8, #139\n\tsvc #0");
#endif
}

static int count(void) {
	for (int sig = 1; sig <= 64; sig++) {
		// Not sigaction, since glibc reserves signals 32 and 33.
		const unsigned long restart_restorer = 0x14000000; // SA_RESTART, SA_RESTORER
		struct {
			void *handler;
			unsigned long flags;
			void *restorer;
			uint64_t mask;
		} a = {got, restart_restorer, back, ~0ull};
		syscall(SYS_rt_sigaction, sig, &a, 0, 8);
	}
	uint64_t none = 0;
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, 0, 8);
	got(0);
	char c;
	read(ENDS, &c, 1);
	return 7;
}

static int waits(void) {
	got(0);
	char c;
	read(ENDS, &c, 1);
	return 7;
}

static void file(FILE *out, const char *name) {
	char path[64], text[4096];
	snprintf(path, sizeof path, "/proc/self/%s", name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	close(fd);
	text[n < 0 ? 0 : n] = 0;
	for (char *line = strtok(text, "\n"); line; line = strtok(0, "\n"))
		fprintf(out, "%s: %s\n", name, line);
}

static void target(FILE *out, const char *name) {
	char path[64], text[512];
	snprintf(path, sizeof path, "/proc/self/%s", name);
	ssize_t n = readlink(path, text, sizeof text - 1);
	if (n >= 0)
		text[n] = 0;
	fprintf(out, "%s -> %s\n", name, n < 0 ? strerror(errno) : text);
}

// status shows what the kernel says in /proc/self/status.
static void status(FILE *out) {
	static const char *const lines[] = {
		"Umask", "Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs",
		"Seccomp", "SigBlk", "SigIgn", "SigCgt", "Cpus_allowed", "Mems_allowed", "THP_enabled",
		"Speculation_Store_Bypass", "untag_mask", 0,
	};
	FILE *all = fopen("/proc/self/status", "re");
	for (char line[4096]; fgets(line, sizeof line, all);)
		for (int i = 0; lines[i]; i++)
			if (strncmp(line, lines[i], strlen(lines[i])) == 0 && line[strlen(lines[i])] == ':')
				fputs(line, out);
	fclose(all);
}

static int show(int argc, char **argv) {
	// Descriptors come first, since opening a file would change them.
	struct { int fd, flags, mode; off_t at; struct stat s; } all[256];
	int n = 0;
	for (int fd = 0; fd < 256; fd++) {
		int flags = fcntl(fd, F_GETFD);
		if (flags < 0)
			continue;
		all[n].fd = fd, all[n].flags = flags, all[n].mode = fcntl(fd, F_GETFL), all[n].at = lseek(fd, 0, SEEK_CUR);
		fstat(fd, &all[n++].s);
	}
	FILE *out = fdopen(dup3(SAYS, 200, O_CLOEXEC), "w");
	for (int i = 0; i < n; i++)
		fprintf(out, "descriptor %d: flags %d, mode %#x, at %ld, file %lx:%lu %#x\n",
			all[i].fd, all[i].flags, all[i].mode,
			(long)all[i].at, (long)all[i].s.st_dev, (long)all[i].s.st_ino, all[i].s.st_mode);
	for (int i = 0; i < argc; i++)
		fprintf(out, "argument %d: %s\n", i, argv[i]);
	for (char **p = environ; *p; p++)
		fprintf(out, "variable: %s\n", *p);
	for (int i = 0; i < 16; i++) {
		struct rlimit64 l;
		getrlimit64(i, &l);
		fprintf(out, "limit %d: %lu %lu\n", i, (long)l.rlim_cur, (long)l.rlim_max);
	}
	status(out);
	for (int sig = 1; sig <= 64; sig++) { // pending signals, with their values
		uint64_t set = 1ull << (sig - 1);
		struct timespec zero = {0};
		siginfo_t info;
		while (syscall(SYS_rt_sigtimedwait, &set, &info, &zero, 8) == sig)
			fprintf(out, "pending %d: value %d\n", sig, info.si_code == SI_QUEUE ? info.si_int : 0);
	}
	for (int which = 0; which < 3; which++) {
		struct itimerval t;
		getitimer(which, &t);
		// Rounded, since some of the time has passed.
		fprintf(out, "timer %d: %ld, every %ld\n", which, (t.it_value.tv_sec + 50) / 100, t.it_interval.tv_sec);
	}
	int death = 0, reaper = 0;
	prctl(PR_GET_PDEATHSIG, &death);
	prctl(PR_GET_CHILD_SUBREAPER, &reaper);
	fprintf(out, "parent-death signal %d, reaper %d, slack %d, ", death, reaper, prctl(PR_GET_TIMERSLACK));
	fprintf(out, "dumpable %d, keepcaps %d, securebits %#x, thp %d, personality %#x\n",
		prctl(PR_GET_DUMPABLE), prctl(PR_GET_KEEPCAPS), prctl(PR_GET_SECUREBITS),
		prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), personality(0xffffffff));
	struct sched_param p;
	sched_getparam(0, &p);
	fprintf(out, "policy %d, priority %d, nice %d, io priority %ld\n",
		sched_getscheduler(0), p.sched_priority, getpriority(PRIO_PROCESS, 0),
		syscall(SYS_ioprio_get, 1, 0));
	int tty = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	fprintf(out, "group %d, session %d, of the terminal %d\n", getpgrp(), getsid(0), tty < 0 ? -1 : tcgetpgrp(tty));
	close(tty);
	fprintf(out, "secure %ld, flags %ld, executed as %s\n",
		getauxval(AT_SECURE), getauxval(AT_FLAGS), (char *)getauxval(AT_EXECFN));
	static const char *const files[] = {
		"oom_score_adj", "coredump_filter", "cgroup", "comm", "cmdline", "loginuid", "sessionid",
		"timens_offsets", "uid_map", 0,
	};
	for (int i = 0; files[i]; i++)
		file(out, files[i]);
	static const char *const links[] = {
		"cwd", "root", "exe", "ns/cgroup", "ns/ipc", "ns/mnt", "ns/net", "ns/pid", "ns/time", "ns/user",
		"ns/uts", 0,
	};
	for (int i = 0; links[i]; i++)
		target(out, links[i]);
	fclose(out);
	return 0;
}

static void put(const char *name, const char *text) {
	int fd = open(name, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		exit(101);
	close(fd);
}

static void ignore(int sig) {
	uint64_t a[4] = {1};
	syscall(SYS_rt_sigaction, sig, a, 0, 8);
}

static void block(int sig) {
	uint64_t set = 1ull << (sig - 1);
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, 0, 8);
}

// give_files opens descriptors at an offset, with flags and closed on execution.
static void give_files(void) {
	int fd = open("/proc/self/maps", O_RDONLY);
	lseek(fd, 17, SEEK_SET);
	dup3(fd, 77, O_CLOEXEC), dup2(fd, 78), close(fd);
	fd = open("/dev/null", O_WRONLY | O_APPEND | O_NONBLOCK);
	dup2(fd, 55), close(fd);
}

// give_variable adds to the environment as it is, even if it has no name or one that is there already.
static void give_variable(char *variable) {
	int n = 0;
	while (environ[n])
		n++;
	char **more = calloc(n + 2, sizeof *more);
	memcpy(more, environ, n * sizeof *more);
	more[n] = variable;
	environ = more;
}

static void give(const char *word) {
	int number = 0;
	if (sscanf(word, "ignore=%d", &number) == 1) {
		ignore(number);
	} else if (sscanf(word, "block=%d", &number) == 1) {
		block(number);
	} else if (sscanf(word, "pend=%d", &number) == 1) {
		union sigval v = {.sival_int = number + 1000};
		block(number);
		if (number < 34)
			kill(getpid(), number);
		else
			sigqueue(getpid(), number, v), v.sival_int++, sigqueue(getpid(), number, v);
	} else if (sscanf(word, "pendthread=%d", &number) == 1) {
		block(number);
		syscall(SYS_tgkill, getpid(), getpid(), number);
	} else if (sscanf(word, "close=%d", &number) == 1) {
		close(number);
	} else if (sscanf(word, "nonblock=%d", &number) == 1) {
		fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK);
	} else if (strcmp(word, "files") == 0) {
		give_files();
	} else if (strncmp(word, "limit=", 6) == 0) {
		long which, soft, hard;
		sscanf(word, "limit=%ld,%ld,%ld", &which, &soft, &hard);
		struct rlimit64 l = {soft, hard};
		if (prlimit64(0, which, &l, 0))
			exit(102);
	} else if (sscanf(word, "umask=%d", &number) == 1) {
		umask(number);
	} else if (sscanf(word, "nice=%d", &number) == 1) {
		setpriority(PRIO_PROCESS, 0, number);
	} else if (sscanf(word, "policy=%d", &number) == 1) {
		struct sched_param p = {0};
		sched_setscheduler(0, number, &p);
	} else if (sscanf(word, "io=%d", &number) == 1) {
		syscall(SYS_ioprio_set, 1, 0, 2 << 13 | number);
	} else if (sscanf(word, "core=%d", &number) == 1) {
		cpu_set_t set;
		CPU_ZERO(&set);
		CPU_SET(number, &set);
		sched_setaffinity(0, sizeof set, &set);
	} else if (sscanf(word, "timer=%d", &number) == 1) {
		struct itimerval t = {{60, 0}, {10000, 0}};
		setitimer(number, &t, 0);
	} else if (sscanf(word, "death=%d", &number) == 1) {
		prctl(PR_SET_PDEATHSIG, number);
	} else if (strcmp(word, "reaper") == 0) {
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	} else if (sscanf(word, "slack=%d", &number) == 1) {
		prctl(PR_SET_TIMERSLACK, number);
	} else if (strcmp(word, "thp") == 0) {
		prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	} else if (sscanf(word, "personality=%x", &number) == 1) {
		personality(number);
	} else if (sscanf(word, "securebits=%d", &number) == 1) {
		prctl(PR_SET_SECUREBITS, number);
	} else if (strcmp(word, "nonew") == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	} else if (sscanf(word, "oom=%d", &number) == 1) {
		put("/proc/self/oom_score_adj", strchr(word, '=') + 1);
	} else if (strncmp(word, "filter=", 7) == 0) {
		put("/proc/self/coredump_filter", word + 7);
	} else if (strncmp(word, "env=", 4) == 0) {
		give_variable((char *)word + 4);
	} else {
		exit(103);
	}
}

int main(int argc, char **argv) {
	if (argc < 2)
		return 100;
	if (strcmp(argv[1], "count") == 0)
		return count();
	if (strcmp(argv[1], "wait") == 0)
		return waits();
	if (strcmp(argv[1], "show") == 0)
		return show(argc, argv);
	if (strcmp(argv[1], "setpgid") == 0 && setpgid(0, 0) == 0)
		execvp(argv[2], argv + 2);
	if (strcmp(argv[1], "setsid") == 0 && setsid() >= 0)
		execvp(argv[2], argv + 2);
	if (strcmp(argv[1], "with") == 0) {
		char **word = argv + 2;
		for (; strcmp(*word, "--"); word++)
			give(*word);
		execvp(word[1], word + 1);
	}
	return 100;
}
