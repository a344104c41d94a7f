//go:build linux

package workloads

import (
	"fmt"
	"strconv"
	"strings"
)

// Memory is what a trial's hosts hold, in bytes, the sum over them, read at the
// end gate.
type Memory struct {
	// Processes is how many hosts there are.
	Processes int
	// PSS counts each page that several processes share by each one's part,
	// Private only pages that no other process has (smaps_rollup).
	PSS, Private int64
	// PageTables is VmPTE of status: memory that describes memory.
	PageTables int64
}

// readMemory returns the memory of the workers' processes, nil where the kernel
// or the tool's privileges do not let it be read.
func readMemory(workers []Worker) *Memory {
	sum := &Memory{}
	seen := make(map[int]bool)
	for _, w := range workers {
		if seen[w.PID] {
			continue
		}
		seen[w.PID] = true
		rollup, err := readSizes(fmt.Sprintf("/proc/%d/smaps_rollup", w.PID))
		if err != nil {
			return nil
		}
		status, err := readSizes(fmt.Sprintf("/proc/%d/status", w.PID))
		if err != nil {
			return nil
		}
		sum.Processes++
		sum.PSS += rollup["Pss"]
		sum.Private += rollup["Private_Clean"] + rollup["Private_Dirty"]
		sum.PageTables += status["VmPTE"]
	}
	return sum
}

// readSizes returns the lines "Name: n kB" of a file in /proc, in bytes.
func readSizes(file string) (map[string]int64, error) {
	text, err := readProc(file)
	if err != nil {
		return nil, fmt.Errorf("read memory: %w", err)
	}
	return parseSizes(text), nil
}

// parseSizes leaves out what is no size, such as most lines of status.
func parseSizes(text string) map[string]int64 {
	sizes := make(map[string]int64)
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(line, ":")
		number, isSize := strings.CutSuffix(strings.TrimSpace(value), " kB")
		// 53 bits, since a product with 1024 must fit into 63.
		if n, err := strconv.ParseUint(number, 10, 53); isSize && err == nil {
			sizes[name] = int64(n) * kib
		}
	}
	return sizes
}
