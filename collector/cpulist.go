package collector

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// onlineCPUs returns the cores that are online, ascending.
func onlineCPUs() ([]int, error) {
	const name = "/sys/devices/system/cpu/online"
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("list cores: %w", err)
	}
	cpus, err := ParseCPUs(string(text))
	if err != nil {
		return nil, fmt.Errorf("list cores of %s: %w", name, err)
	}
	if len(cpus) == 0 {
		return nil, fmt.Errorf("list cores: %s names none", name)
	}
	return cpus, nil
}

// ParseCPUs reads a list of cores in the kernel's form, such as "0-3,8", in its
// order. NR_CPUS bounds the numbers at 8192 on every architecture.
func ParseCPUs(text string) ([]int, error) {
	const most = 8192
	var cpus []int
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.Atoi(first)
		if err != nil {
			return nil, fmt.Errorf("parse list of cores %q: %w", text, err)
		}
		to, err := strconv.Atoi(last)
		if err != nil {
			return nil, fmt.Errorf("parse list of cores %q: %w", text, err)
		}
		if from < 0 || to < from || to >= most {
			return nil, fmt.Errorf("parse list of cores %q: %q is no range", text, part)
		}
		for cpu := from; cpu <= to; cpu++ {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}
