package main

import "golang.org/x/sys/unix"

// dropPrivileges gives up the capabilities that a run has no use for once the tracer is
// attached, among them the powerful ones of root such as CAP_SYS_ADMIN and
// CAP_SYS_MODULE. Programs that are started later do not notice: see keepCapabilities.
func (o *runOptions) dropPrivileges() error {
	if o.user() == nil && executionGrantsNothing() {
		// The work runs as root, but can get root's capabilities only by inheriting ours.
		return nil
	}
	needed := neededCapabilities(invokingUser() != nil)
	if o.watch.why {
		needed = append(needed, capabilityForNames)
	}
	return keepCapabilities(needed...)
}

// capabilityForNames is needed to open the files that processes have mapped, deleted ones too, for names of
// functions.
const capabilityForNames = unix.CAP_CHECKPOINT_RESTORE

// neededCapabilities returns the capabilities that a run needs once its tracer is attached.
func neededCapabilities(underSudo bool) []int {
	needed := []int{
		// To take snapshots and to read maps.
		unix.CAP_BPF, unix.CAP_PERFMON,
		// To read /proc about tasks of other users.
		unix.CAP_SYS_PTRACE,
		// To stop workers, and to pass signals on to a program that has changed its user.
		unix.CAP_KILL,
	}
	if underSudo {
		return append(needed,
			// To start the work as the caller, and to write files with the caller's rights.
			unix.CAP_SETUID, unix.CAP_SETGID,
			// To give the caller a file that only root could create: see outfile.Create.
			unix.CAP_CHOWN)
	}
	// Root without sudo may save reports in other users' directories.
	return append(needed, unix.CAP_DAC_OVERRIDE)
}

// executionGrantsNothing reports whether a program gets no capabilities by being executed
// as root: under no_new_privs, or with SECBIT_NOROOT.
func executionGrantsNothing() bool {
	const noRoot = 1 // SECBIT_NOROOT
	noNew, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	if err != nil {
		return true
	}
	bits, err := unix.PrctlRetInt(unix.PR_GET_SECUREBITS, 0, 0, 0, 0)
	return err != nil || noNew != 0 || bits&noRoot != 0
}

// liveCapabilities returns the capabilities that watching a running machine needs once its programs are
// attached.
func liveCapabilities(underSudo bool) []int {
	// To find control groups by their numbers, which also opens files that others may not read.
	return append(neededCapabilities(underSudo), unix.CAP_DAC_READ_SEARCH, capabilityForNames)
}
