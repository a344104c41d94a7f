// A thread that is not its process's first executes a program, and by its priority
// takes the core from the first thread while that ends: which then makes its last
// switch under the tid that was the executing thread's. Only under full or lazy
// preemption can it lose the core there. To be run on one core.
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

static void *execute(void *unused)
{
	struct sched_param urgent = {.sched_priority = 50};

	(void)unused;
	sched_setscheduler(0, SCHED_FIFO, &urgent);
	usleep(10000);
	execl("/bin/sh", "sh", "-c", "sleep 0.2", (char *)0);
	return 0;
}

int main(void)
{
	pthread_t thread;

	if (pthread_create(&thread, 0, execute, 0))
		return 1;
	for (;;)
		pause();
}
