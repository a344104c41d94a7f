package main

import "golang.org/x/sys/unix"

// dropPrivileges gives up, when the tracer is attached, the capabilities that the
// rest of the run has no use for: with them goes what makes root root, such as
// CAP_SYS_ADMIN, CAP_SYS_MODULE and CAP_DAC_OVERRIDE. It does so without a trace
// in what is started: see keepCapabilities.
func (o *runOptions) dropPrivileges() error {
	if o.user() == nil && executionGrantsNothing() {
		// The work is root's, and can have what root has only from us.
		return nil
	}
	return keepCapabilities(neededCapabilities(invokingUser() != nil)...)
}

// neededCapabilities are those that a run needs once its tracer is attached.
func neededCapabilities(underSudo bool) []int {
	needed := []int{
		// To take snapshots and to read the maps.
		unix.CAP_BPF, unix.CAP_PERFMON,
		// To read what /proc says of tasks of other users.
		unix.CAP_SYS_PTRACE,
		// To stop workers, and to pass signals on to a program that has changed its user.
		unix.CAP_KILL,
	}
	if underSudo {
		return append(needed,
			// To start the work as the caller, and to write files with the caller's rights.
			unix.CAP_SETUID, unix.CAP_SETGID,
			// To give the caller a file that only root could write: see outfile.Create.
			unix.CAP_CHOWN)
	}
	// Root in person saves reports in directories of others.
	return append(needed, unix.CAP_DAC_OVERRIDE)
}

// executionGrantsNothing reports whether a program that root executes gets no
// capabilities by that: under no_new_privs, or with SECBIT_NOROOT.
func executionGrantsNothing() bool {
	const noRoot = 1 // SECBIT_NOROOT
	noNew, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	if err != nil {
		return true
	}
	bits, err := unix.PrctlRetInt(unix.PR_GET_SECUREBITS, 0, 0, 0, 0)
	return err != nil || noNew != 0 || bits&noRoot != 0
}
