package hostinfo

import (
	"slices"
	"strings"
)

// cpuInfo is what /proc/cpuinfo tells about the online cores.
type cpuInfo struct {
	models []string // distinct, in order of appearance
	flags  []string // x86 only, of the first core
}

// readCPUInfo reads /proc/cpuinfo: an x86 core has "model name" and "flags", an
// arm64 core "CPU implementer" and "CPU part".
func readCPUInfo(tree sysTree) cpuInfo {
	var info cpuInfo
	implementer := ""
	for _, line := range tree.lines("proc/cpuinfo") {
		key, value, _ := strings.Cut(line, ":")
		value = strings.Join(strings.Fields(value), " ")
		switch strings.TrimSpace(key) {
		case "model name":
			info.addModel(value)
		case "flags":
			if info.flags == nil {
				info.flags = strings.Fields(value)
			}
		case "CPU implementer":
			implementer = value
		case "CPU part":
			info.addModel(armCore(implementer, value))
		}
	}
	return info
}

func (c *cpuInfo) addModel(model string) {
	if !slices.Contains(c.models, model) {
		c.models = append(c.models, model)
	}
}

// model names every kind of core, since big and little ones share a machine.
func (c cpuInfo) model() string { return strings.Join(c.models, " + ") }

func (c cpuInfo) flag(name string) bool { return slices.Contains(c.flags, name) }

// x86Feature returns "on" or "off", or "" on a CPU that lists no such flags. The kernel
// removes a flag from the list if it was told not to use the feature, as with nopcid.
func (c cpuInfo) x86Feature(name string) string {
	switch {
	case len(c.flags) == 0:
		return ""
	case c.flag(name):
		return "on"
	}
	return "off"
}

// armCore names an arm64 core by the numbers of its MIDR register (Linux's
// arch/arm64/include/asm/cputype.h). It returns the numbers of a core that it does not know.
func armCore(implementer, part string) string {
	switch implementer + " " + part {
	case "0x41 0xd03":
		return "ARM Cortex-A53"
	case "0x41 0xd05":
		return "ARM Cortex-A55"
	case "0x41 0xd07":
		return "ARM Cortex-A57"
	case "0x41 0xd08":
		return "ARM Cortex-A72"
	case "0x41 0xd0b":
		return "ARM Cortex-A76"
	case "0x41 0xd0c":
		return "ARM Neoverse-N1"
	case "0x41 0xd40":
		return "ARM Neoverse-V1"
	case "0x41 0xd49":
		return "ARM Neoverse-N2"
	case "0x41 0xd4f":
		return "ARM Neoverse-V2"
	case "0x41 0xd84":
		return "ARM Neoverse-V3"
	case "0xc0 0xac3":
		return "AmpereOne"
	case "0xc0 0xac4":
		return "AmpereOne A"
	}
	return "arm64 implementer " + implementer + " part " + part
}
