//go:build linux

package workloads

import (
	"fmt"
	"strconv"
	"strings"
)

// Memory is how much memory a trial's hosts use together, in bytes, read at the end gate.
type Memory struct {
	// Processes is how many hosts there are.
	Processes int
	// PSS is the proportional set size: a page that n processes share counts for 1/n in
	// each of them. Private counts only pages that no other process has. Both are from
	// /proc/PID/smaps_rollup.
	PSS, Private int64
	// PageTables is VmPTE of /proc/PID/status: the size of the page tables.
	PageTables int64
}

// readMemory returns the memory of the workers' processes, nil if the kernel does not
// show it or the tool has no right to read it.
func readMemory(workers []Worker) *Memory {
	sum := &Memory{}
	seen := make(map[PID]bool)
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

// parseSizes leaves out lines that are no sizes, as most lines of status are.
func parseSizes(text string) map[string]int64 {
	sizes := make(map[string]int64)
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(line, ":")
		number, isSize := strings.CutSuffix(strings.TrimSpace(value), " kB")
		// At most 53 bits, so that the product with 1024 fits into 63.
		if n, err := strconv.ParseUint(number, 10, 53); isSize && err == nil {
			sizes[name] = int64(n) * kib
		}
	}
	return sizes
}
