package hostinfo

import (
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slicetrace/slicetrace/report"
	"golang.org/x/sys/unix"
)

// Fingerprint describes the machine and its kernel. What cannot be read, or means something
// else on this kernel, is empty, zero or nil. It never guesses and never fails.
func Fingerprint() report.Host { return fingerprint(sysTree{os.DirFS("/")}, thisKernel()) }

func thisKernel() kernelID {
	var name unix.Utsname
	// uname fails only for a bad pointer, and empty fields say the rest.
	_ = unix.Uname(&name)
	return kernelID{
		release: unix.ByteSliceToString(name.Release[:]),
		version: unix.ByteSliceToString(name.Version[:]),
		machine: unix.ByteSliceToString(name.Machine[:]),
		tick:    tickPeriod(),
	}
}

// kernelID is what uname tells about a kernel, and its tick.
type kernelID struct {
	release string // "6.12.48+deb13-amd64"
	version string // "#1 SMP PREEMPT_DYNAMIC Debian 6.12.48-1 (2025-09-20)"
	machine string // "x86_64", "aarch64"
	tick    time.Duration
}

// tickPeriod returns the time between ticks, which is the resolution of the coarse clocks; 0
// if the kernel does not tell.
func tickPeriod() time.Duration {
	var tick unix.Timespec
	if err := unix.ClockGetres(unix.CLOCK_MONOTONIC_COARSE, &tick); err != nil {
		return 0
	}
	return time.Duration(tick.Nano())
}

// hz returns how often a second the kernel ticks, 0 if it does not tell. The period
// is in whole nanoseconds: 3333333 at 300.
func (k kernelID) hz() int {
	if k.tick <= 0 {
		return 0
	}
	return int((time.Second + k.tick/2) / k.tick)
}

// atLeast reports whether the release is major.minor or newer.
func (k kernelID) atLeast(major, minor int) bool {
	gotMajor, gotMinor := k.numbers()
	return gotMajor > major || gotMajor == major && gotMinor >= minor
}

// numbers returns the release's first two numbers, 0 where there are none.
func (k kernelID) numbers() (major, minor int) {
	first, rest, _ := strings.Cut(k.release, ".")
	second := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	major, _ = strconv.Atoi(first)
	minor, _ = strconv.Atoi(second)
	return major, minor
}

// sysTree is a file system with proc, sys, etc and boot at its root.
type sysTree struct{ fs.FS }

// text returns a file's content without surrounding space, as valid UTF-8, "" if
// it cannot be read.
func (t sysTree) text(name string) string {
	file, err := t.Open(name)
	if err != nil {
		return ""
	}
	defer file.Close()
	// fs.ReadFile would believe the size of 0 that these files have, and first ask for one
	// byte: a file of /proc/sys gives nothing after that.
	content, err := io.ReadAll(file)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(strings.ToValidUTF8(string(content), "\uFFFD"))
}

// readable reports whether a file can be opened.
func (t sysTree) readable(name string) bool {
	file, err := t.Open(name)
	if err == nil {
		file.Close()
	}
	return err == nil
}

// lines returns a file's lines; if it cannot be read, one empty line.
func (t sysTree) lines(name string) []string {
	return strings.Split(t.text(name), "\n")
}

const cpuDir = "sys/devices/system/cpu"

func fingerprint(tree sysTree, kernel kernelID) report.Host {
	config := readKernelConfig(tree, kernel.release)
	cpu := readCPUInfo(tree)
	online, _ := ParseCPUs(tree.text(cpuDir + "/online"))
	hypervisor := hypervisor(tree, kernel, cpu)
	return report.Host{
		Kernel:       kernel.release,
		Arch:         kernel.machine,
		CPUModel:     cpu.model(),
		CPUs:         len(online),
		SMT:          smt(tree),
		HZ:           kernel.hz(),
		Preemption:   preemption(tree, kernel, config),
		Scheduler:    scheduler(tree, kernel),
		BaseSliceNS:  baseSlice(tree),
		PTI:          pti(tree, kernel, cpu),
		Mitigations:  mitigations(tree),
		Clocksource:  tree.text(clocksourceDir + "/current_clocksource"),
		Hypervisor:   hypervisor,
		Governor:     tree.text(cpuDir + "/cpu0/cpufreq/scaling_governor"),
		MemoryBytes:  memoryBytes(tree),
		Distribution: distribution(tree),
		PCID:         cpu.x86Feature("pcid"),
		INVPCID:      cpu.x86Feature("invpcid"),
		NestedPaging: nestedPaging(tree, hypervisor, cpu),
	}
}

// smt tells whether cores share execution units now: "on", "off", "not supported", or "" if
// that is not known.
func smt(tree sysTree) string {
	switch tree.text(cpuDir + "/smt/active") {
	case "1":
		return "on"
	case "0":
		if tree.text(cpuDir+"/smt/control") == "notsupported" {
			return "not supported"
		}
		return "off"
	}
	return ""
}

const vulnerabilityDir = cpuDir + "/vulnerabilities"

// pti tells whether page tables are switched at each kernel entry: "on", "off", or "" if that
// is not known. On x86 the CPU's flag shows that PTI was forced on for a CPU that does not
// need it. On arm64 "Not affected" decides nothing: KASLR can turn it on, and leaves no trace
// that a program can read.
func pti(tree sysTree, kernel kernelID, cpu cpuInfo) string {
	meltdown := tree.text(vulnerabilityDir + "/meltdown")
	switch {
	case cpu.flag("pti"), meltdown == "Mitigation: PTI":
		return "on"
	case meltdown == "Vulnerable", meltdown == "Not affected" && kernel.machine == "x86_64":
		return "off"
	}
	return ""
}

// mitigations returns "name: status" for each vulnerability that the CPU has
// or may have, sorted by name.
func mitigations(tree sysTree) []string {
	found := []string{}
	entries, err := fs.ReadDir(tree, vulnerabilityDir)
	if err != nil {
		return found
	}
	for _, entry := range entries {
		status := tree.text(path.Join(vulnerabilityDir, entry.Name()))
		if status != "" && status != "Not affected" {
			found = append(found, entry.Name()+": "+status)
		}
	}
	slices.Sort(found)
	return found
}

// memoryBytes returns MemTotal, 0 if it cannot be read.
func memoryBytes(tree sysTree) int64 {
	for _, line := range tree.lines("proc/meminfo") {
		if total, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			// 53 bits, since a product with 1024 must fit into 63.
			kib, err := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(total, "kB")), 10, 53)
			if err != nil {
				return 0
			}
			return int64(kib) * 1024
		}
	}
	return 0
}

// distribution returns os-release's PRETTY_NAME from the first of the two
// places that os-release(5) names.
func distribution(tree sysTree) string {
	for _, file := range []string{"etc/os-release", "usr/lib/os-release"} {
		for _, line := range tree.lines(file) {
			if value, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
				return strings.Trim(value, `"'`)
			}
		}
	}
	return ""
}
