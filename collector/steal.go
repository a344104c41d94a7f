package collector

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/slicetrace/slicetrace/collector/hostinfo"
	"github.com/slicetrace/slicetrace/report/sched"
)

// userTick is the unit of /proc/stat: USER_HZ is 100 on every architecture that
// slicetrace supports, whatever HZ is.
const userTick = time.Second / 100

// stolenTimes is time that a core's tasks did not have although they were on the core.
type stolenTimes struct {
	// steal was taken by the hypervisor, interrupts by hardware and soft interrupts.
	steal, interrupts time.Duration
}

// readSteal returns what was taken from each online core's tasks since boot, by core,
// in steps of 10 ms.
func readSteal() (map[sched.CPU]stolenTimes, error) {
	file, err := os.Open("/proc/stat")
	if err != nil {
		return nil, fmt.Errorf("read steal time: %w; mount procfs on /proc", err)
	}
	defer file.Close()
	stolen, err := parseSteal(file)
	if err != nil {
		return nil, fmt.Errorf("read steal time: %w; see that /proc is the kernel's procfs", err)
	}
	return stolen, nil
}

// parseSteal reads /proc/stat, which has a line for each online core, "cpu0" and so on,
// besides the line "cpu" with their sums.
func parseSteal(stat io.Reader) (map[sched.CPU]stolenTimes, error) {
	stolen := make(map[sched.CPU]stolenTimes)
	lines := bufio.NewScanner(stat)
	// The line "intr" has a number for each interrupt of the machine.
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		number, ok := strings.CutPrefix(lines.Text(), "cpu")
		if !ok || strings.HasPrefix(number, " ") {
			continue
		}
		core, times, err := parseStealLine(number)
		if err != nil {
			return nil, fmt.Errorf("parse line %q: %w", lines.Text(), err)
		}
		stolen[core] = times
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(stolen) == 0 {
		return nil, errors.New("find a core in /proc/stat: none there")
	}
	return stolen, nil
}

// parseStealLine reads "N user nice system idle iowait irq softirq steal ...".
func parseStealLine(line string) (core sched.CPU, stolen stolenTimes, err error) {
	const irqField, softirqField, stealField = 6, 7, 8
	fields := strings.Fields(line)
	if len(fields) <= stealField {
		return 0, stolen, errors.New("no steal time in it")
	}
	core, err = hostinfo.ParseCPU(fields[0])
	if err != nil {
		return 0, stolen, err
	}
	var times [3]time.Duration
	for i, field := range []int{irqField, softirqField, stealField} {
		ticks, err := strconv.ParseUint(fields[field], 10, 64)
		if err == nil && ticks > uint64(math.MaxInt64/userTick)/2 {
			err = fmt.Errorf("%d ticks are more than 146 years", ticks)
		}
		if err != nil {
			return 0, stolen, err
		}
		times[i] = time.Duration(ticks) * userTick
	}
	return core, stolenTimes{interrupts: times[0] + times[1], steal: times[2]}, nil
}
