package bpf

import (
	"bufio"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
)

// symbolFinder returns a function that finds the real names of these kernel functions, to which
// compilers may have given a suffix, such as finish_task_switch.isra.0. The name of one that
// does not exist is "". The kernel's list, which is long, is read when it is first needed.
func symbolFinder(functions ...string) func(function string) string {
	read := sync.OnceValue(func() map[string]string {
		f, err := os.Open("/proc/kallsyms")
		if err != nil {
			return nil
		}
		defer f.Close()
		return scanSymbols(f, functions)
	})
	return func(function string) string { return read()[function] }
}

// scanSymbols reads lines of the form "address type name [module]". Parts that
// a compiler split off as cold are not the function's entry, and modules have other functions.
func scanSymbols(r io.Reader, functions []string) map[string]string {
	found := make(map[string]string)
	scan := bufio.NewScanner(r)
	for len(found) < len(functions) && scan.Scan() {
		fields := strings.Fields(scan.Text())
		if len(fields) != 3 || !strings.EqualFold(fields[1], "t") {
			continue
		}
		function, suffix, _ := strings.Cut(fields[2], ".")
		if !slices.Contains(functions, function) || found[function] != "" || strings.Contains("."+suffix, ".cold") {
			continue
		}
		found[function] = fields[2]
	}
	_ = scan.Err() // a list that cannot be read to its end lacks the symbol as well
	return found
}

// KprobesSwitchedOff reports whether the kernel has kprobes that are switched off. It is
// false where debugfs is not mounted, since the kernel shows it only there.
func KprobesSwitchedOff() bool {
	text, err := os.ReadFile("/sys/kernel/debug/kprobes/enabled")
	return err == nil && strings.TrimSpace(string(text)) == "0"
}

// hasKprobes reports whether the kernel can attach to arbitrary functions.
func hasKprobes() bool {
	if KprobesSwitchedOff() {
		return false
	}
	_, err := os.Stat("/sys/bus/event_source/devices/kprobe/type")
	if err != nil {
		return false
	}
	return !errors.Is(features.HaveProgramType(ebpf.Kprobe), ebpf.ErrNotSupported)
}
