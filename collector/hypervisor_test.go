package collector

import (
	"testing"
	"testing/fstest"
)

func TestHypervisor(t *testing.T) {
	const clocks = clocksourceDir + "/available_clocksource"
	const vendor, product = "sys/class/dmi/id/sys_vendor", "sys/class/dmi/id/product_name"
	guest := cpuInfo{flags: []string{"fpu", "hypervisor"}}
	bare := cpuInfo{flags: []string{"fpu", "vmx"}}
	for _, c := range []struct {
		name, machine string
		cpu           cpuInfo
		files         map[string]string
		want          string
	}{
		{"bare metal", "x86_64", bare, map[string]string{vendor: "QEMU"}, "none"},
		{"no flags to read", "x86_64", cpuInfo{}, map[string]string{vendor: "QEMU"}, ""},
		{"no name", "x86_64", guest, map[string]string{vendor: "Acme", clocks: "tsc acpi_pm"}, "virtual machine"},
		{"by clock", "x86_64", guest, map[string]string{clocks: "tsc hyperv_clocksource_tsc_page acpi_pm"}, "Hyper-V"},
		{"clock before firmware", "x86_64", guest, map[string]string{clocks: "kvm-clock tsc", vendor: "QEMU"}, "KVM"},
		{"emulated", "x86_64", guest, map[string]string{clocks: "tsc hpet", vendor: "QEMU"}, "QEMU"},
		{"by vendor", "x86_64", guest, map[string]string{vendor: "VMware, Inc."}, "VMware"},
		{"by product", "x86_64", guest, map[string]string{vendor: "innotek GmbH", product: "VirtualBox"}, "VirtualBox"},
		{"not every Microsoft machine", "aarch64", cpuInfo{}, map[string]string{vendor: "Microsoft Corporation", product: "Surface"}, ""},
		{"rented metal", "aarch64", cpuInfo{}, map[string]string{vendor: "Amazon EC2", product: "m6g.metal"}, ""},
		{"arm64 guest", "aarch64", cpuInfo{}, map[string]string{product: "Apple Virtualization Generic Platform"}, "Apple Virtualization"},
		{"paravirtual Xen", "x86_64", bare, map[string]string{"sys/hypervisor/type": "xen"}, "Xen"},
	} {
		files := make(fstest.MapFS)
		for path, content := range c.files {
			files[path] = &fstest.MapFile{Data: []byte(content + "\n")}
		}
		if got := hypervisor(sysTree{files}, kernelID{machine: c.machine}, c.cpu); got != c.want {
			t.Errorf("%s: hypervisor is %q, want %q", c.name, got, c.want)
		}
	}
}
