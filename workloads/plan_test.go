//go:build linux

package workloads

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// validPlan returns a plan that the tests below make invalid.
func validPlan() Plan {
	return Plan{Workloads: Catalogue(), Modes: []Mode{Processes, Threads}, Rounds: 2, Duration: time.Second}
}

func TestTrialsAlternateModesBetweenRounds(t *testing.T) {
	p := validPlan()
	p.Rounds, p.CPUs, p.Workloads = 3, []CPU{0, 1}, []Workload{pipe(), sleep()}
	var got []string
	for _, trial := range p.Trials() {
		got = append(got, fmt.Sprintf("%d %s %s %d %v",
			trial.Round, trial.Name(), trial.Mode, trial.Workers, trial.Duration))
	}
	odd := []string{
		"pipe processes 4 1s", "pipe threads 4 1s",
		"pipe two cores processes 2 1s", "pipe two cores threads 2 1s",
		"sleep one processes 1 1s", "sleep one threads 1 1s",
		"sleep many processes 8 1s", "sleep many threads 8 1s",
	}
	even := []string{odd[1], odd[0], odd[3], odd[2], odd[5], odd[4], odd[7], odd[6]}
	var want []string
	for round, order := range [][]string{odd, even, odd} {
		for _, name := range order {
			want = append(want, fmt.Sprint(round+1, " ", name))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("trials (-want +got):\n%s", diff)
	}
}

// A variant that exists in one mode has no trial in the other.
func TestTrialsKeepVariantsToTheirModes(t *testing.T) {
	p := validPlan()
	p.Rounds, p.CPUs, p.Workloads = 2, []CPU{0}, []Workload{spawn()}
	var got []string
	for _, trial := range p.Trials() {
		got = append(got, fmt.Sprintf("%d %s %s", trial.Round, trial.Name(), trial.Mode))
	}
	want := []string{
		"1 spawn processes", "1 spawn threads", "1 spawn exec processes", "1 spawn vfork processes",
		"1 spawn parent + 64 MiB processes",
		"2 spawn threads", "2 spawn processes", "2 spawn exec processes", "2 spawn vfork processes",
		"2 spawn parent + 64 MiB processes",
	}
	// Not every machine has a program for this variant.
	got = slices.DeleteFunc(got, func(name string) bool { return strings.Contains(name, variantLibc) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("trials (-want +got):\n%s", diff)
	}
}

func TestTrialsResolveDefaults(t *testing.T) {
	p := validPlan()
	p.Workloads, p.Modes, p.Rounds, p.Operations, p.Workers = []Workload{spin()}, p.Modes[:1], 1, 23, 5
	cpus, err := allowedCPUs()
	if err != nil {
		t.Fatal(err)
	}
	var want []Trial
	for _, v := range []struct {
		variant string
		workers int
	}{{"", 5}, {"one core", 5}, {"alone", 1}, {"nice", 2}} {
		want = append(want, Trial{
			Workload: "spin", Variant: v.variant, Mode: Processes, Round: 1,
			Workers: v.workers, Operations: 23, CPUs: cpus,
		})
	}
	if diff := cmp.Diff(want, p.Trials()); diff != "" {
		t.Errorf("trials (-want +got):\n%s", diff)
	}
}

func TestValidateAcceptsTheDefaults(t *testing.T) {
	p := validPlan()
	for _, p.Duration = range []time.Duration{0, shortest, time.Hour} {
		if err := p.Validate(); err != nil {
			t.Error(err)
		}
	}
}

// The default run, twelve rounds in both modes, must fit into 90 s on 2 cores. A trial
// takes about 20 ms in addition to its duration, and a chunk of fixed work less than 1 µs.
func TestDefaultDurationsFitTheRun(t *testing.T) {
	p := Plan{Workloads: Catalogue(), Modes: []Mode{Processes, Threads}, Rounds: 12, CPUs: []CPU{0, 1}}
	var total time.Duration
	for _, trial := range p.Trials() {
		if trial.Duration < shortest {
			t.Errorf("%s lasts %v by default", trial.Name(), trial.Duration)
		}
		w, v, err := trial.resolve()
		if err != nil {
			t.Fatal(err)
		}
		takes := trial.Duration
		if w.fixedWork {
			takes = takes * time.Duration(v.stretch) * 8 / 10 / time.Duration(min(trial.Workers, len(p.CPUs)))
		}
		total += takes + 20*time.Millisecond
	}
	if total > 90*time.Second {
		t.Errorf("the default run takes %v", total)
	}
	t.Log(total)
}

func TestValidateSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*Plan)
		want  string
	}{
		"no workload":     {func(p *Plan) { p.Workloads = nil }, "no workload"},
		"no mode":         {func(p *Plan) { p.Modes = nil }, "give processes, threads or processes,threads"},
		"unknown mode":    {func(p *Plan) { p.Modes = []Mode{"fibres"} }, `no mode is called "fibres"`},
		"mode twice":      {func(p *Plan) { p.Modes = []Mode{Threads, Threads} }, "mode threads is named twice"},
		"no rounds":       {func(p *Plan) { p.Rounds = 0 }, "0 rounds: give at least 1"},
		"negative rounds": {func(p *Plan) { p.Rounds = -1 }, "-1 rounds"},
		"too short": {
			func(p *Plan) { p.Duration = time.Millisecond },
			"a duration of 1ms is too short to measure anything: give at least 10ms",
		},
		"negative duration":   {func(p *Plan) { p.Duration = -time.Second }, "a duration of -1s"},
		"negative operations": {func(p *Plan) { p.Operations = -1 }, "-1 operations"},
		"negative workers":    {func(p *Plan) { p.Workers = -2 }, "-2 workers"},
		"odd workers of pipe": {func(p *Plan) { p.Workers = 3 }, "pipe works in pairs: give an even number"},
		"no core":             {func(p *Plan) { p.CPUs = []CPU{} }, "no core: name at least one of 0"},
		"core not there":      {func(p *Plan) { p.CPUs = []CPU{0, 4095} }, "core 4095 does not exist"},
		"negative core":       {func(p *Plan) { p.CPUs = []CPU{-1} }, "core -1 does not exist"},
		"core twice":          {func(p *Plan) { p.CPUs = []CPU{0, 0} }, "core 0 is named twice"},
		"too many tasks":      {func(p *Plan) { p.Workers = 20_000_000 }, "give fewer workers or raise "},
		"too many files": {func(p *Plan) {
			// More than the limit, fewer than the tasks that the kernel allows.
			var files unix.Rlimit
			if unix.Getrlimit(unix.RLIMIT_NOFILE, &files) == nil {
				p.Workloads, p.Modes, p.Workers = []Workload{pipe()}, []Mode{Threads}, int(files.Cur)/2
			}
		}, "raise ulimit -n"},
	} {
		t.Run(name, func(t *testing.T) {
			p := validPlan()
			c.spoil(&p)
			err := p.Validate()
			if err == nil || !strings.HasPrefix(err.Error(), "check plan: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestValidateKnowsTheUsersLimitOnProcesses(t *testing.T) {
	trial := Trial{Workload: "spin", Mode: Processes, Workers: 1000}
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &old); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NPROC, &unix.Rlimit{Cur: 500, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NPROC, &old)
	err := checkTasks(trial, &Credential{UID: 65534})
	if err == nil || !strings.Contains(err.Error(), "raise ulimit -u") {
		t.Errorf("got error %v, want one about ulimit -u", err)
	}
	if err := checkTasks(trial, &Credential{UID: 0}); err != nil {
		t.Errorf("root has no such limit, got error %v", err)
	}
}

func TestValidateSaysWhichCoreIsNotAllowed(t *testing.T) {
	bpftest.NeedTwoCores(t, "to forbid one")
	cpus, err := allowedCPUs()
	if err != nil {
		t.Fatal(err)
	}
	all, one := unix.NewCPUSet(mostCPUs), unix.NewCPUSet(mostCPUs)
	if err := unix.SchedGetaffinityDynamic(os.Getpid(), all); err != nil {
		t.Fatal(err)
	}
	one.Set(int(cpus[0]))
	if err := unix.SchedSetaffinityDynamic(os.Getpid(), one); err != nil {
		t.Fatal(err)
	}
	defer unix.SchedSetaffinityDynamic(os.Getpid(), all)
	want := fmt.Sprintf("core %d is offline or this process may not run on it (cpuset, taskset): "+
		"name cores out of %d", cpus[1], cpus[0])
	if err := checkCPUs(cpus[1:2]); err == nil || err.Error() != want {
		t.Errorf("got error %v, want %q", err, want)
	}
}

func TestFormatCPUs(t *testing.T) {
	for want, cpus := range map[string][]CPU{"": nil, "3": {3}, "0-1": {0, 1}, "0-2,5,7-8": {0, 1, 2, 5, 7, 8}} {
		if got := formatCPUs(cpus); got != want {
			t.Errorf("cores %v are written %q, want %q", cpus, got, want)
		}
	}
}

func TestFind(t *testing.T) {
	for _, w := range Catalogue() {
		if got, err := Find(w.Name); err != nil || got.Name != w.Name || got.Summary == "" {
			t.Errorf("Find(%q) is %q, %q, %v", w.Name, got.Name, got.Summary, err)
		}
	}
	var all []string
	for _, w := range Catalogue() {
		all = append(all, w.Name)
	}
	for _, name := range []string{"pip", "PIPE", "zzzz", "", "\x1b[m"} {
		want := fmt.Sprintf("find workload: no workload is called %q (there are: %s)", name, strings.Join(all, ", "))
		if _, err := Find(name); err == nil || err.Error() != want {
			t.Errorf("Find(%q): got error %v, want %s", name, err, want)
		}
	}
}

func TestCommFitsTheKernel(t *testing.T) {
	for want, w := range map[string]struct {
		name  string
		index int
	}{
		"st-pipe-0":       {"pipe", 0},
		"st-workingse-12": {"workingset", 12},
		"st-worki-100000": {"workingset", 100000},
	} {
		if got := comm(w.name, w.index); got != want || len(got) > 15 {
			t.Errorf("worker %d of %s is called %q, want %q", w.index, w.name, got, want)
		}
	}
}

func TestPlacement(t *testing.T) {
	cpus := []CPU{2, 5}
	for i, want := range [][]CPU{{2}, {2}, {5}, {5}, {2}, {2}} {
		if diff := cmp.Diff(want, pipe().placement(Variant{}, i, cpus)); diff != "" {
			t.Errorf("worker %d of pipe (-want +got):\n%s", i, diff)
		}
		if diff := cmp.Diff(cpus[i%2:i%2+1], yield().placement(Variant{}, i, cpus)); diff != "" {
			t.Errorf("worker %d of yield (-want +got):\n%s", i, diff)
		}
		if diff := cmp.Diff(cpus, spin().placement(Variant{}, i, cpus)); diff != "" {
			t.Errorf("worker %d of spin (-want +got):\n%s", i, diff)
		}
		if diff := cmp.Diff(cpus[:1], spin().placement(Variant{firstCore: true}, i, cpus)); diff != "" {
			t.Errorf("worker %d of spin on one core (-want +got):\n%s", i, diff)
		}
	}
}

// The stamps must be of the clock that bpf_ktime_get_ns reads.
func TestMonotonicIsClockMonotonic(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for range 1000 {
		var ts unix.Timespec
		before := monotonic()
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
			t.Fatal(err)
		}
		after := monotonic()
		if now := ts.Nano(); now < before || now > after {
			t.Fatalf("CLOCK_MONOTONIC is %d, read between %d and %d", now, before, after)
		}
	}
}

func BenchmarkChunk(b *testing.B) {
	x := uint64(1)
	for b.Loop() {
		x = chunk(x)
	}
	if x == 0 {
		b.Error("the generator has stuck at zero")
	}
}
