package hostinfo

import (
	"strings"
	"unicode/utf8"
)

const clocksourceDir = "sys/devices/system/clocksource/clocksource0"

// hypervisor names what the kernel runs on: "none" on bare metal, and "virtual machine" if
// the CPU reports one but nothing gives its name. It is "" if that is not known: on arm64,
// where CPUs have no such flag, a virtual machine that no firmware table names looks like
// bare metal.
func hypervisor(tree sysTree, kernel kernelID, cpu cpuInfo) string {
	// Xen fills this in for paravirtual guests and dom0 too, whose CPU flags may
	// not have the bit.
	if kind := tree.text("sys/hypervisor/type"); kind != "" {
		_, first := utf8.DecodeRuneInString(kind)
		return strings.ToUpper(kind[:first]) + kind[first:]
	}
	virtual := cpu.flag("hypervisor")
	if kernel.machine == "x86_64" && !virtual {
		if len(cpu.flags) == 0 {
			return ""
		}
		return "none"
	}
	if name := clockHypervisor(tree.text(clocksourceDir + "/available_clocksource")); name != "" {
		return name
	}
	vendor, product := tree.text("sys/class/dmi/id/sys_vendor"), tree.text("sys/class/dmi/id/product_name")
	if name := firmwareHypervisor(vendor, product); name != "" {
		return name
	}
	if virtual {
		return "virtual machine"
	}
	return ""
}

// nestedPaging names what translates a guest's addresses a second time. It is "none" without
// a hypervisor and for Xen's paravirtual guests, whose page tables hold the machine's own
// addresses. A guest is not told, but it sees a flag if it may run guests of its own with
// nested paging, which KVM offers only if it uses it itself (vmx.c and svm.c of arch/x86/kvm,
// set_cpu_caps). TDX has no other way. Otherwise it is "".
func nestedPaging(tree sysTree, hypervisor string, cpu cpuInfo) string {
	switch {
	case hypervisor == "none" || tree.text("sys/hypervisor/guest_type") == "PV":
		return "none"
	case hypervisor == "":
		return ""
	case cpu.flag("ept"), cpu.flag("tdx_guest"):
		return "ept"
	case cpu.flag("npt"):
		return "npt"
	}
	return ""
}

// clockHypervisor names the hypervisor whose clock the kernel registered, which
// it does only after it has recognised that hypervisor.
func clockHypervisor(clocksources string) string {
	for name := range strings.FieldsSeq(clocksources) {
		switch {
		case name == "kvm-clock":
			return "KVM"
		case name == "xen":
			return "Xen"
		case strings.HasPrefix(name, "hyperv_"):
			return "Hyper-V"
		}
	}
	return ""
}

// firmwareHypervisor names the hypervisor that the firmware's tables name.
func firmwareHypervisor(vendor, product string) string {
	switch {
	case vendor == "QEMU":
		return "QEMU" // with or without KVM: the tables are the same
	case product == "KVM":
		return "KVM"
	case vendor == "VMware, Inc.":
		return "VMware"
	case product == "VirtualBox":
		return "VirtualBox"
	case vendor == "Microsoft Corporation" && product == "Virtual Machine":
		return "Hyper-V"
	case vendor == "Amazon EC2" && !strings.Contains(product, ".metal"):
		return "Amazon EC2"
	case product == "Google Compute Engine":
		return product
	case strings.HasPrefix(product, "Apple Virtualization"):
		return "Apple Virtualization"
	case strings.HasPrefix(vendor, "Parallels"):
		return "Parallels"
	}
	return ""
}
