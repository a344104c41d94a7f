package hostinfo

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/slicetrace/slicetrace/report/sched"
)

// OnlineCPUs returns the cores that are online, ascending.
func OnlineCPUs() ([]sched.CPU, error) { return readCPUs("online") }

// PossibleCPUs returns the cores that can come online before the next boot, those that
// are online included, ascending.
func PossibleCPUs() ([]sched.CPU, error) { return readCPUs("possible") }

func readCPUs(list string) ([]sched.CPU, error) {
	name := "/sys/devices/system/cpu/" + list
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

// mostCPUs is NR_CPUS's bound on every architecture.
const mostCPUs = 8192

// ParseCPUs reads a list of cores in the kernel's form, such as "0-3,8", in its
// order. It refuses a list of more cores than a machine can have, since a few
// bytes of ranges could name millions.
func ParseCPUs(text string) ([]sched.CPU, error) {
	var cpus []sched.CPU
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := ParseCPU(first)
		if err != nil {
			return nil, fmt.Errorf("parse list of cores %q: %w", text, err)
		}
		to, err := ParseCPU(last)
		if err != nil {
			return nil, fmt.Errorf("parse list of cores %q: %w", text, err)
		}
		if to < from || to >= mostCPUs {
			return nil, fmt.Errorf("parse list of cores %q: %q is no range", text, part)
		}
		if len(cpus)+int(to-from) >= mostCPUs {
			return nil, fmt.Errorf("parse list of cores %q: it names more than %d", text, mostCPUs)
		}
		for cpu := from; cpu <= to; cpu++ {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}

// ParseCPU reads the number of a core, without a sign.
func ParseCPU(text string) (sched.CPU, error) {
	cpu, err := strconv.ParseUint(text, 10, 31)
	return sched.CPU(cpu), err
}
