package bpf

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
)

// findSymbol returns the real name of a kernel function that compilers may
// have given a suffix, such as finish_task_switch.isra.0; "" if there is none.
func findSymbol(function string) string {
	f, err := os.Open("/proc/kallsyms")
	if err != nil {
		return ""
	}
	defer f.Close()
	return scanSymbol(f, function)
}

// scanSymbol reads lines of the form "address type name [module]". Parts that
// a compiler split off as cold are not the function's entry.
func scanSymbol(r io.Reader, function string) string {
	scan := bufio.NewScanner(r)
	for scan.Scan() {
		fields := strings.Fields(scan.Text())
		if len(fields) < 3 || !strings.EqualFold(fields[1], "t") {
			continue
		}
		suffix, ok := strings.CutPrefix(fields[2], function)
		if !ok || strings.Contains(suffix, ".cold") {
			continue
		}
		if suffix == "" || suffix[0] == '.' {
			return fields[2]
		}
	}
	_ = scan.Err() // a list that cannot be read to its end lacks the symbol as well
	return ""
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
