package collector_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"

	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/sched"
)

// peerRun is one run of a known load, as the live view and other tools saw it.
type peerRun struct {
	rows    map[string]*report.Task // by name
	kernel  map[string]knownCounts
	reading *collector.Reading
	queue   []float64 // how many tasks were runnable, as sampled
	// What the tools printed.
	timehist, perfStats, runqlat, pidstat string
	pidstatRan                            time.Duration
}

// pidstatIntervals is for how many seconds pidstat reads: longer than all the rest takes.
const pidstatIntervals = 9

// The live view of a known load agrees with the kernel's counts and with what other tools say of the same
// run, as far as their definitions do. All threads are blocked when the tools begin and when they end, so
// each of them has seen the whole run.
func TestLiveAgreesWithOtherTools(t *testing.T) {
	p := runBesidePeers(t)
	for _, name := range knownTasks {
		row := p.rows[name]
		if row == nil || row.Switches() < 1000 {
			t.Fatalf("%s has the row %+v", name, row)
		}
		// By the kernel's counts there is no difference at all.
		if k := p.kernel[name]; row.Voluntary() != k.voluntary || row.Involuntary() != k.involuntary {
			t.Errorf("%s: %d voluntary and %d involuntary switches, the kernel counts %d and %d", name,
				row.Voluntary(), row.Involuntary(), k.voluntary, k.involuntary)
		}
		checkTimehist(t, p, row)
		checkPidstat(t, p, row)
		checkRunqlat(t, p, row)
	}
	checkTogether(t, p, knownTasks[:3])
	checkTogether(t, p, knownTasks[3:])
	checkQueue(t, p)
}

func runBesidePeers(t *testing.T) *peerRun {
	t.Helper()
	programs := make(map[string]string)
	for _, name := range []string{"perf", "pidstat", "runqlat"} {
		program, err := findTool(name)
		if err != nil {
			bpftest.Unavailable(t, name+" is not installed")
		}
		programs[name] = program
	}
	p := &peerRun{rows: make(map[string]*report.Task), kernel: make(map[string]knownCounts)}
	l := openLive(t, collector.LiveOptions{})
	const length = 3 * time.Second
	load := startKnownLoad(t, length)
	recording := filepath.Join(t.TempDir(), "perf.data")
	perf := startPerf(t, programs["perf"], recording, "-m", "8M")
	pid := strconv.Itoa(int(load.pid))
	var lats bytes.Buffer
	runqlat := exec.Command(programs["runqlat"], "-L", "-p", pid)
	runqlat.Stdout = &lats
	stopRunqlat := startTool(t, runqlat)
	var stats bytes.Buffer
	pidstat := exec.Command(programs["pidstat"], "-wt", "-p", pid, "1", strconv.Itoa(pidstatIntervals))
	pidstat.Env = append(pidstat.Environ(), "LC_ALL=C")
	pidstat.Stdout = &stats
	began := time.Now()
	if err := pidstat.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // it does not tell when it has read for the first time

	before := load.atRest(t)
	if _, err := l.Next(); err != nil {
		t.Fatal(err)
	}
	load.begin()
	p.queue = sampleQueue(t, length)
	after := load.atRest(t)
	var err error
	if p.reading, err = l.Next(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > pidstatIntervals*time.Second {
		t.Fatalf("all took %v, and pidstat has ended", took)
	}
	stopRunqlat()
	interrupt(t, perf)
	if err := pidstat.Wait(); err != nil {
		t.Fatal(err)
	}
	p.pidstatRan = time.Since(began)
	p.pidstat, p.runqlat = stats.String(), lats.String()
	p.timehist = output(t, programs["perf"], "sched", "timehist", "-s", "-i", recording)
	p.perfStats = output(t, programs["perf"], "report", "--stats", "-i", recording)
	for i := range p.reading.System.Tasks {
		if row := &p.reading.System.Tasks[i]; row.PID == load.pid && row.TID == load.tids[row.Comm] {
			p.rows[row.Comm] = row
		}
	}
	for name, k := range after {
		b := before[name]
		p.kernel[name] = knownCounts{k.voluntary - b.voluntary, k.involuntary - b.involuntary}
	}
	return p
}

func output(t *testing.T, argv ...string) string {
	t.Helper()
	out, err := exec.Command(argv[0], argv[1:]...).Output()
	if err != nil {
		t.Fatalf("%v: %v", argv, err)
	}
	return string(out)
}

// said finds in a tool's output the numbers that a pattern with a place for the tid (%d) describes.
func said(t *testing.T, out, pattern string, tid sched.TID) []float64 {
	t.Helper()
	found := regexp.MustCompile("(?m)" + fmt.Sprintf(pattern, tid)).FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("no %q in %q", fmt.Sprintf(pattern, tid), out)
	}
	var numbers []float64
	for _, text := range found[1:] {
		number, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, number)
	}
	return numbers
}

// The kernel takes a switch that a wakeup forces to be at the time of that wakeup. Until the tracepoint of
// the switch there is the rest of the interrupt, and the programs of three tracers. That is at most atWakeupNS
// on average, and atDecisionNS more than at another switch.
const (
	atWakeupNS   = 25_000
	atDecisionNS = 2_500
)

// perf counts the same switches, but for those of which it lost the events. Its times end and begin at the
// tracepoint, ours at the decision before it, or at the wakeup that forced it: a task that others preempt
// has more time by perf, and one that preempts less.
func checkTimehist(t *testing.T, p *peerRun, row *report.Task) {
	t.Helper()
	n := perfSays(t, p, row)
	off := n.run - float64(row.OnCPUNS)
	t.Logf("%s: %d slices of %.3f ms; perf (lost events: %v) has %d of %.3f ms, %.0f ns a slice more", row.Comm,
		row.Switches(), float64(row.OnCPUNS)/1e6, p.lost(), n.slices, n.run/1e6, off/float64(n.slices))
	if n.slices > row.Switches() || n.slices < row.Switches() && !p.lost() {
		t.Errorf("%s: %d slices, perf has %d", row.Comm, row.Switches(), n.slices)
	}
	if !p.lost() && math.Abs(off) > atWakeupNS*float64(n.slices) {
		t.Errorf("%s: %d ns on cores, perf has %.0f", row.Comm, row.OnCPUNS, n.run)
	}
}

// What one task of a core has more, the others have less, but for those of other programs.
func checkTogether(t *testing.T, p *peerRun, names []string) {
	t.Helper()
	var ours, perf, slices float64
	for _, name := range names {
		n := perfSays(t, p, p.rows[name])
		ours, perf, slices = ours+float64(p.rows[name].OnCPUNS), perf+n.run, slices+float64(n.slices)
	}
	t.Logf("%v: %.0f ns on cores, perf has %.0f: %.0f ns a slice more", names, ours, perf, (perf-ours)/slices)
	if off := math.Abs(perf - ours); !p.lost() && off > 0.01*ours+atDecisionNS*slices {
		t.Errorf("%v: %.0f ns on cores, perf has %.0f", names, ours, perf)
	}
}

// lost reports whether perf has lost events.
func (p *peerRun) lost() bool {
	return regexp.MustCompile(`(?m)^ +LOST events: +[1-9]`).MatchString(p.perfStats)
}

// perfTask is what perf says of a task.
type perfTask struct {
	slices uint64
	run    float64 // ns
}

func perfSays(t *testing.T, p *peerRun, row *report.Task) perfTask {
	t.Helper()
	n := said(t, p.timehist, `\[%d/\d+\] +\d+ +(\d+) +([\d.]+)`, row.TID)
	return perfTask{uint64(n[0]), n[1] * 1e6}
}

// pidstat divides the kernel's counts by the time between its readings, which it does not tell: each is at
// least its interval, less the hundredth of a second to which it rounds, and all are within its life.
func checkPidstat(t *testing.T, p *peerRun, row *report.Task) {
	t.Helper()
	rates := said(t, p.pidstat, `^Average: +\d+ +- +%d +([\d.]+) +([\d.]+) `, row.TID)
	for i, count := range []uint64{row.Voluntary(), row.Involuntary()} {
		const rounded = 0.005 // of what it prints
		least := (rates[i] - rounded) * 0.99 * pidstatIntervals
		most := (rates[i] + rounded) * (p.pidstatRan.Seconds() + 0.01)
		if n := float64(count); n < least || n > most {
			t.Errorf("%s: %d switches of kind %d, pidstat has from %.1f to %.1f", row.Comm, count, i, least, most)
		}
	}
}

// runqlat counts the same waits, in steps of an octave of µs. Its waits begin and end at tracepoints, so
// they differ from ours by at most atWakeupNS: from 32 µs on by less than an octave. It has no wait, or a
// shorter one, where the kernel does not show the wakeup: where the task that a timer's interrupt meets is
// one that the kernel hides from tracing.
func checkRunqlat(t *testing.T, p *peerRun, row *report.Task) {
	t.Helper()
	var count uint64
	var below []uint64 // waits of less than 2, 4, 8 µs and so on
	for _, block := range strings.Split(p.runqlat, "\ntid = ") {
		if !strings.HasPrefix(block, fmt.Sprintf("%d ", row.TID)) {
			continue
		}
		for _, line := range regexp.MustCompile(`(?m)^ +\d+ -> \d+ +: (\d+) `).FindAllStringSubmatch(block, -1) {
			n, err := strconv.ParseUint(line[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			count += n
			below = append(below, count)
		}
	}
	hidden := p.reading.Lost.HiddenSwitches
	if row.Waits.Count != row.Switches() || count > row.Switches() || count+hidden < row.Switches() {
		t.Errorf("%s: %d waits and %d slices, runqlat has %d; %d hidden switches",
			row.Comm, row.Waits.Count, row.Switches(), count, hidden)
	}
	for i := 4; i < len(below); i++ {
		ns := uint64(2000) << i
		least, most := waitsBelow(row, ns/2), waitsBelow(row, ns*2)
		// An interrupt between the two can make any single wait differ by more.
		if slack := hidden + count/1000; below[i]+slack < least || below[i] > most+slack {
			t.Errorf("%s: runqlat has %d waits below %d ns; we have %d of half and %d of twice that", row.Comm,
				below[i], ns, least, most)
		}
	}
}

// waitsBelow counts a task's waits of less than so long, as exactly as its distribution is: half an octave.
func waitsBelow(row *report.Task, ns uint64) (n uint64) {
	for bucket, count := range row.Waits.Buckets() {
		if step(bucket) < step(histogram.BucketOf(ns)) {
			n += count
		}
	}
	return n
}

// sampleQueue reads from time to time how many tasks are runnable on all cores, without the reader. It
// sleeps by itself, since Go's runtime would wake other threads together with this one.
func sampleQueue(t *testing.T, length time.Duration) (samples []float64) {
	t.Helper()
	file, err := unix.Open("/proc/stat", unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(file)
	text := make([]byte, 64<<10)
	running := regexp.MustCompile(`\nprocs_running (\d+)\n`)
	for began := time.Now(); time.Since(began) < length; {
		// At random, or it would keep step with the load.
		_ = unix.Nanosleep(&unix.Timespec{Nsec: 5e6 + rand.Int64N(1e7)}, nil)
		n, err := unix.Pread(file, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		tasks, err := strconv.Atoi(string(running.FindSubmatch(text[:n])[1]))
		if err != nil {
			t.Fatal(err)
		}
		samples = append(samples, float64(tasks-1))
	}
	return samples
}

// A task is in a run queue while it runs and while it waits, so the queues' mean lengths are all tasks' time
// on cores and waiting, over the time. The queue is read at switches and ticks: a task that is woken counts
// from the next one on. The kernel's procs_running, sampled, also counts tasks that sleep and are still to
// be dequeued (since Linux 6.12), so it is no less, but for what so few samples can tell.
func checkQueue(t *testing.T, p *peerRun) {
	t.Helper()
	var queues, times float64
	for _, q := range p.reading.System.Queues {
		queues += float64(q.TaskNS) / float64(q.ObservedNS)
	}
	for a := range p.reading.System.Activities() {
		times += float64(a.OnCPUNS+a.WaitNS) / float64(p.reading.DurationNS)
	}
	var sum, squares float64
	const parts = 10 // which are longer than the load's own turns, so that they are independent
	each := len(p.queue) / parts
	for i := range parts {
		mean := 0.0
		for _, n := range p.queue[i*each : (i+1)*each] {
			mean += n / float64(each)
		}
		sum, squares = sum+mean, squares+mean*mean
	}
	mean := sum / parts
	deviation := math.Sqrt(max(0, squares-sum*mean) / (parts - 1) / parts)
	t.Logf("%.2f tasks are runnable, by their times %.2f; %d samples have %.2f ± %.2f",
		queues, times, len(p.queue), mean, deviation)
	if off := math.Abs(queues - times); off > 0.1*times {
		t.Errorf("%.2f tasks are runnable, by their times %.2f", queues, times)
	}
	const often = 6 // one in 5000 by Student's t
	if mean < queues-often*deviation {
		t.Errorf("%.2f tasks are runnable, by %d samples %.2f ± %.2f", queues, len(p.queue), mean, deviation)
	}
}
