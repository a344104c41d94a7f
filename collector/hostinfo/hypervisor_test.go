package hostinfo

import (
	"strings"
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
		{
			"not every Microsoft machine", "aarch64", cpuInfo{},
			map[string]string{vendor: "Microsoft Corporation", product: "Surface"}, "",
		},
		{"rented metal", "aarch64", cpuInfo{}, map[string]string{vendor: "Amazon EC2", product: "m6g.metal"}, ""},
		{
			"arm64 guest", "aarch64", cpuInfo{},
			map[string]string{product: "Apple Virtualization Generic Platform"}, "Apple Virtualization",
		},
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

// A guest can see nested paging if it may run guests of its own, but never that there is none.
// On bare metal the CPU's flag is about the machine's guests.
func TestNestedPaging(t *testing.T) {
	const guestType = "sys/hypervisor/guest_type"
	for _, c := range []struct {
		name, hypervisor, flags string
		files                   map[string]string
		want                    string
	}{
		{"bare metal", "none", "vmx ept", nil, "none"},
		{"not told", "", "ept", nil, ""},
		{"a guest that may not run guests", "KVM", "hypervisor pcid", nil, ""},
		{"a guest of Intel's", "KVM", "hypervisor vmx ept", nil, "ept"},
		{"a guest of AMD's", "KVM", "hypervisor svm npt", nil, "npt"},
		{"a confidential guest", "KVM", "hypervisor tdx_guest", nil, "ept"},
		{"Xen's, paravirtual", "Xen", "hypervisor", map[string]string{guestType: "PV"}, "none"},
		{"Xen's, of hardware", "Xen", "hypervisor", map[string]string{guestType: "HVM"}, ""},
		{"arm64", "Amazon EC2", "", nil, ""},
	} {
		files := fstest.MapFS{}
		for name, text := range c.files {
			files[name] = &fstest.MapFile{Data: []byte(text + "\n")}
		}
		if got := nestedPaging(sysTree{files}, c.hypervisor, cpuInfo{flags: strings.Fields(c.flags)}); got != c.want {
			t.Errorf("%s: nested paging is %q, want %q", c.name, got, c.want)
		}
	}
}
