// Package symbol gives names to addresses: functions of the kernel, and of processes that may
// have ended since. It also finds the addresses of stacks in copies of their memory. It needs no cgo
// and runs no other program.
//
// ReadKernel reads the kernel's list of functions. A store of Files holds the tables of executables
// and libraries, each once for all processes. Files.ReadMaps is called when a process is first seen:
// it notes the mappings and opens the files, which takes some tenths of a millisecond, so that what a process
// had mapped can be named after it ended or its files were deleted or replaced. A file is read when
// an address in it is looked up.
//
// User functions are named from
//   - Go's own table (since Go 1.18), which stripped programs have too: with file, line, and calls that
//     were inlined (since Go 1.20). Inlined calls of other languages are not shown: they would need
//     the debugging information, which is many times larger;
//   - the symbols .symtab, or else those of /usr/lib/debug by build id, or else .gnu_debugdata and
//     .dynsym. C++ and Rust names are demangled;
//   - perf maps of runtimes that generate code (node --perf-basic-prof, python -X perf, and others),
//     /tmp/perf-PID.map as the process's own namespaces see it.
//
// Process.Unwind finds a user stack's addresses from a task's registers and a copy of the top of its stack, in
// processes of 64 bits on x86-64 and arm64:
//   - by the call frame information that compilers write for exceptions (.eh_frame), also through signal handlers;
//   - by frame pointers in code without it, as of Go and of most runtimes that generate code. A function that has
//     no frame of its own then hides its caller.
//
// It does not read .debug_frame, nor information that a program registers as it runs. It does not follow frames
// that are found by other registers than the stack and the frame pointer, as in the dynamic linker while it binds
// a symbol, nor stacks that lie outside the copy, as a handler's of its own (sigaltstack) or Go's beside C's.
//
// A frame without a name has a Reason. No address is given a neighbour's name: one after the end that the
// symbols state is NoSymbol.
//
// Files are hostile input. What is read of one is bounded, and so is all that is held; no path
// that a process chose is followed out of its root; nothing but regular files is opened. An open file keeps its
// file system busy, so that Process.Close should be called when a process's stacks are named.
package symbol
