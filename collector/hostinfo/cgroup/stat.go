package cgroup

import (
	"strconv"
	"strings"
	"time"
)

// Stat is what a file cpu.stat or cpu.stat.local counts since the group was made. What the file
// does not have is nil. Times are sums over all cores.
type Stat struct {
	// Usage is the CPU time that the group's tasks and those of its descendants have had.
	Usage *time.Duration
	// Periods are the quota's periods in which the group had something to run.
	Periods *uint64
	// Throttled are those of them in which the quota was used up, and ThrottledTime is for how
	// long cores then ran nothing of the group.
	Throttled     *uint64
	ThrottledTime *time.Duration
}

// ParseStat reads the lines "name value" of version 1 or 2. It leaves out what is malformed.
func ParseStat(text string) Stat {
	var s Stat
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, ok := count(value)
		if !ok {
			continue
		}
		switch name {
		case "usage_usec":
			s.Usage = new(n.micros())
		case "nr_periods":
			s.Periods = new(uint64(n))
		case "nr_throttled":
			s.Throttled = new(uint64(n))
		case "throttled_time": // version 1
			s.ThrottledTime = new(time.Duration(n))
		case "throttled_usec":
			s.ThrottledTime = new(n.micros())
		}
	}
	return s
}

// ParsePressure reads the totals of a file cpu.pressure: lines such as
// "some avg10=0.00 avg60=0.00 avg300=0.00 total=12345". It returns nil where there is none.
func ParsePressure(text string) (some, full *time.Duration) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		total, found := strings.CutPrefix(fields[len(fields)-1], "total=")
		n, ok := count(total)
		if !found || !ok {
			continue
		}
		switch fields[0] {
		case "some":
			some = new(n.micros())
		case "full":
			full = new(n.micros())
		}
	}
	return some, full
}

// counted is a number that the kernel has counted. It is below 2^52, so that a thousand times as
// much is still a time.Duration.
type counted int64

func count(text string) (n counted, ok bool) {
	value, err := strconv.ParseInt(text, 10, 53)
	return counted(value), err == nil && value >= 0
}

func (n counted) micros() time.Duration { return time.Duration(n) * time.Microsecond }

// ReadLimit returns how much of each period a group's tasks may have; 0 means that there is no
// limit. read returns the text of one of the group's files, "" if there is none.
func ReadLimit(v2 bool, read func(file string) string) (quota, period time.Duration) {
	var max, every string
	if v2 {
		max, every, _ = strings.Cut(strings.TrimSpace(read("cpu.max")), " ")
	} else if max = strings.TrimSpace(read("cpu.cfs_quota_us")); !strings.HasPrefix(max, "-") {
		every = strings.TrimSpace(read("cpu.cfs_period_us"))
	}
	q, err := strconv.ParseInt(max, 10, 40)
	p, err2 := strconv.ParseInt(every, 10, 40)
	if err != nil || err2 != nil || q <= 0 || p <= 0 {
		return 0, 0
	}
	return time.Duration(q) * time.Microsecond, time.Duration(p) * time.Microsecond
}

// parseNS reads a file that has one number of nanoseconds.
func parseNS(text string) *time.Duration {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < 0 {
		return nil
	}
	return new(time.Duration(n))
}
