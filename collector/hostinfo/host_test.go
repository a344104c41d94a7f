package hostinfo

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slicetrace/slicetrace/report"
)

// readHost reads a host's files from one text, in which each comes after a line "-- path --".
// The file "uname" holds the release, version and machine.
func readHost(t *testing.T, name string) (sysTree, kernelID) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "host", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	files := make(fstest.MapFS)
	for section := range strings.SplitSeq("\n"+string(text), "\n-- ") {
		path, content, ok := strings.Cut(section, " --\n")
		if ok {
			files[path] = hostFile(t, path, content)
		}
	}
	tree := sysTree{files}
	id := tree.lines("uname")
	if len(id) != 3 {
		t.Fatalf("%s: uname has %d lines, want release, version and machine", name, len(id))
	}
	tick, _ := strconv.Atoi(tree.text("tick")) // in ns; 0 if there is no such file
	return tree, kernelID{release: id[0], version: id[1], machine: id[2], tick: time.Duration(tick)}
}

// hostFile compresses the files that the kernel compresses.
func hostFile(t *testing.T, path, content string) *fstest.MapFile {
	t.Helper()
	if !strings.HasSuffix(path, ".gz") {
		return &fstest.MapFile{Data: []byte(content)}
	}
	var compressed bytes.Buffer
	zip := gzip.NewWriter(&compressed)
	_, err := zip.Write([]byte(content))
	if closeErr := zip.Close(); err != nil || closeErr != nil {
		t.Fatal(err, closeErr)
	}
	return &fstest.MapFile{Data: compressed.Bytes()}
}

func TestFingerprintOfFixtures(t *testing.T) {
	slice := func(ns int64) *int64 { return &ns }
	for name, want := range map[string]report.Host{
		"kvm-without-firmware": {
			Kernel: "6.18.44-fc-v769", Arch: "x86_64", CPUModel: "AMD EPYC", CPUs: 2,
			SMT: "not supported", HZ: 250, Preemption: "none", Scheduler: "EEVDF", PTI: "on",
			Mitigations: []string{
				"meltdown: Mitigation: PTI", "spec_store_bypass: Vulnerable",
				"spectre_v2: Mitigation: Retpolines; STIBP: disabled; RSB filling",
			},
			Clocksource: "kvm-clock", Hypervisor: "KVM", MemoryBytes: 24683620 * 1024,
			Distribution: "Debian GNU/Linux 12 (bookworm)", PCID: "off", INVPCID: "off",
		},
		"bare-metal-before-eevdf": {
			Kernel: "6.1.0-37-amd64", Arch: "x86_64", CPUModel: "Intel(R) Core(TM) i7-8550U CPU @ 1.80GHz",
			CPUs: 7, SMT: "on", HZ: 250, Preemption: "voluntary", Scheduler: "CFS",
			BaseSliceNS: slice(3_000_000), PTI: "on",
			Mitigations: []string{"itlb_multihit: KVM: Mitigation: VMX disabled", "meltdown: Mitigation: PTI"},
			Clocksource: "tsc", Hypervisor: "none", Governor: "powersave", MemoryBytes: 16256408 * 1024,
			Distribution: "Debian GNU/Linux 12 (bookworm)", PCID: "on", INVPCID: "off", NestedPaging: "none",
		},
		"sched-ext-pti-not-needed": {
			Kernel: "6.17.4-200.fc42.x86_64", Arch: "x86_64",
			CPUModel: "AMD Ryzen 7 7840U w/ Radeon 780M Graphics",
			CPUs:     16, SMT: "off", HZ: 1000, Preemption: "lazy", Scheduler: "sched_ext:lavd_1.0.16",
			BaseSliceNS: slice(2_800_000), PTI: "on",
			Mitigations: []string{"spec_rstack_overflow: Mitigation: Safe RET"},
			Clocksource: "tsc", Hypervisor: "none", Governor: "performance", MemoryBytes: 32165000 * 1024,
			Distribution: "Fedora Linux 42 (Workstation Edition)", PCID: "on", INVPCID: "on", NestedPaging: "none",
		},
		"arm64-without-config": {
			Kernel: "6.8.0-1021-aws", Arch: "aarch64",
			CPUModel: "ARM Neoverse-N1 + arm64 implementer 0x46 part 0x003",
			CPUs:     3, HZ: 250, Scheduler: "EEVDF", Mitigations: []string{},
			Clocksource: "arch_sys_counter", Hypervisor: "Amazon EC2", MemoryBytes: 8031234 * 1024,
		},
		"nothing-readable": {Kernel: "unknown", Arch: "riscv64", Mitigations: []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, fingerprint(readHost(t, name))); diff != "" {
				t.Errorf("fingerprint (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFingerprintHere compares with files that Fingerprint does not read.
func TestFingerprintHere(t *testing.T) {
	host := Fingerprint()
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.TrimSpace(string(release)); host.Kernel != want {
		t.Errorf("kernel is %q, want %q as in /proc/sys/kernel/osrelease", host.Kernel, want)
	}
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		t.Fatal(err)
	}
	if online := len(regexp.MustCompile(`(?m)^cpu\d`).FindAll(stat, -1)); host.CPUs != online {
		t.Errorf("%d cores online, want %d as in /proc/stat", host.CPUs, online)
	}
	if host.CPUModel == "" || host.Scheduler == "" || host.MemoryBytes == 0 || host.Clocksource == "" {
		t.Errorf("fields are missing that every machine has: %+v", host)
	}
}

// The coarse clock's resolution is the tick, also if the kernel's configuration is hidden.
func TestHZ(t *testing.T) {
	for tick, want := range map[time.Duration]int{
		0: 0, 10_000_000: 100, 4_000_000: 250, 3_333_333: 300, 1_000_000: 1000, 976_562: 1024,
	} {
		if got := (kernelID{tick: tick}).hz(); got != want {
			t.Errorf("HZ of a tick of %v is %d, want %d", tick, got, want)
		}
	}
	host := Fingerprint()
	config := readKernelConfig(sysTree{os.DirFS("/")}, host.Kernel)
	if config != nil && config["HZ"] != strconv.Itoa(host.HZ) {
		t.Errorf("HZ is %d, the kernel's configuration says %s", host.HZ, config["HZ"])
	}
}

func TestPTIWhereOff(t *testing.T) {
	for _, c := range []struct{ machine, meltdown, want string }{
		{"x86_64", "Vulnerable", "off"},
		{"x86_64", "Not affected", "off"},
		{"x86_64", "Unknown (XEN PV detected, hypervisor mitigation required)", ""},
		{"x86_64", "", ""},
		{"aarch64", "Vulnerable", "off"},
		{"aarch64", "Not affected", ""},
	} {
		tree := sysTree{fstest.MapFS{vulnerabilityDir + "/meltdown": {Data: []byte(c.meltdown + "\n")}}}
		if got := pti(tree, kernelID{machine: c.machine}, cpuInfo{}); got != c.want {
			t.Errorf("PTI on %s with meltdown %q is %q, want %q", c.machine, c.meltdown, got, c.want)
		}
	}
}
