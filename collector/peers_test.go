package collector_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/workloads"
)

const (
	peerRounds = 11
	// peerLoops is how many round trips, or messages of each sender to each receiver,
	// a peer is asked for.
	peerLoops = 20000
	peerSends = 1000
)

// BenchmarkPeers compares bundled workloads, not traced, with other programs that measure the
// same: perf bench, and lmbench if it is installed. Within a round they take turns, and a ratio
// is of one round, so the machine's drift affects all alike. Medians over rounds are given with
// their 95 % interval. The last column is what tracing does to the same workload.
func BenchmarkPeers(b *testing.B) {
	for range b.N {
		comparePeers(b)
	}
	b.ReportMetric(0, "ns/op") // of no meaning here
}

// peerCase is a workload and what it is compared with, in ns of one operation.
type peerCase struct {
	name string
	load workloads.Trial

	peers []peer
}

// peer is a program that prints how long something takes.
type peer struct {
	name string
	argv []string
	// says finds the number in what it prints, and unit makes it ns of one operation.
	says *regexp.Regexp
	unit float64
	// needs is a file without which the peer measures something else, "" if there is none.
	needs string
}

var (
	perfPerOp   = regexp.MustCompile(`([0-9.]+) usecs/op`)
	perfTotal   = regexp.MustCompile(`Total time: ([0-9.]+) \[sec\]`)
	lmbenchSays = regexp.MustCompile(`: ([0-9.]+) microseconds`)
)

// lmbenchHello is the program that lat_proc executes, where Debian's script puts it. If
// it is not there lat_proc times executions that fail.
const lmbenchHello = "/var/tmp/lmbench/hello"

func peerCases() []peerCase {
	processes, threads := workloads.Processes, workloads.Threads
	pinned := func(argv ...string) []string { return append([]string{"taskset", "-c", "0"}, argv...) }
	batch := func(argv ...string) []string { return pinned(append([]string{"chrt", "-b", "0"}, argv...)...) }
	bench := func(flags ...string) []string {
		return append([]string{"perf", "bench", "sched"}, flags...)
	}
	loops, sends := strconv.Itoa(peerLoops), strconv.Itoa(peerSends)
	messages := 1e9 / (20 * 20 * peerSends)
	pair := workloads.Trial{Workload: "pipe", Workers: 2, CPUs: []workloads.CPU{0}, Operations: peerLoops}
	group := workloads.Trial{Workload: "messaging", Workers: 40, Duration: 500 * time.Millisecond}
	create := workloads.Trial{Workload: "spawn", Workers: 1, CPUs: []workloads.CPU{0}, Duration: 200 * time.Millisecond}
	in := func(t workloads.Trial, variant string, m workloads.Mode) workloads.Trial {
		t.Mode, t.Variant, t.Round = m, variant, 1
		return t
	}
	return []peerCase{
		{"pipe", in(pair, "", processes), []peer{
			{"perf bench sched pipe", pinned(bench("pipe", "-l", loops)...), perfPerOp, 1e3, ""},
			{"the same, SCHED_BATCH", batch(bench("pipe", "-l", loops)...), perfPerOp, 1e3, ""},
			{"lat_pipe", pinned(lmbench("lat_pipe")...), lmbenchSays, 1e3, ""},
		}},
		{"pipe", in(pair, "", threads), []peer{
			{"perf bench sched pipe -T", pinned(bench("pipe", "-T", "-l", loops)...), perfPerOp, 1e3, ""},
			{"the same, SCHED_BATCH", batch(bench("pipe", "-T", "-l", loops)...), perfPerOp, 1e3, ""},
		}},
		{"messaging", in(group, "", processes), []peer{
			{"perf bench sched messaging -p", bench("messaging", "-p", "-g", "1", "-l", sends),
				perfTotal, messages, ""},
		}},
		{"messaging", in(group, "", threads), []peer{
			{"perf bench sched messaging -p -t", bench("messaging", "-p", "-t", "-g", "1", "-l", sends),
				perfTotal, messages, ""},
		}},
		{"spawn", in(create, "", processes), []peer{
			{"lat_proc fork", pinned(lmbench("lat_proc", "fork")...), lmbenchSays, 1e3, ""},
		}},
		{"spawn", in(create, "exec libc", processes), []peer{
			{"lat_proc exec", pinned(lmbench("lat_proc", "exec")...), lmbenchSays, 1e3, lmbenchHello},
		}},
	}
}

// lmbench returns how to run one of its programs. It would calibrate itself for
// minutes, or for ever on a machine whose clock it mistrusts: 5 ms are enough for it.
func lmbench(name string, args ...string) []string {
	program, err := exec.LookPath(name)
	if err != nil {
		found, _ := filepath.Glob("/usr/lib/lmbench/bin/*/" + name)
		if program = name; len(found) > 0 {
			program = found[0]
		}
	}
	return append([]string{"env", "ENOUGH=5000", program, "-N", "1"}, args...)
}

// hasVariant reports whether this machine has a trial's variant.
func hasVariant(b *testing.B, t workloads.Trial) bool {
	b.Helper()
	w, err := workloads.Find(t.Workload)
	if err != nil {
		b.Fatal(err)
	}
	return slices.ContainsFunc(w.Variants(1), func(v workloads.Variant) bool { return v.Name == t.Variant })
}

func comparePeers(b *testing.B) {
	text, w := table()
	fmt.Fprintln(w, "\tours, µs\tpeer, µs\tours ÷ peer\ttraced ÷ not\t")
	for _, c := range peerCases() {
		if !hasVariant(b, c.load) {
			b.Logf("%s %s is not there on this machine", c.load.Workload, c.load.Variant)
			continue
		}
		var bare, traced []float64
		took := make([][]float64, len(c.peers))
		for range peerRounds {
			bare = append(bare, operation(b, c, tracer{})/1e3)
			for i, p := range c.peers {
				if ns, err := p.run(b); err == nil {
					took[i] = append(took[i], ns/1e3)
				} else if took[i] == nil {
					b.Logf("%s: %v", p.name, err)
				}
			}
			traced = append(traced, operation(b, c, tracer{"slicetrace", attachWatching})/1e3)
		}
		name := fmt.Sprintf("%s %s in %s", c.load.Workload, c.load.Variant, c.load.Mode)
		fmt.Fprintf(w, "%s\t%s\t\t\t%s\t\n", name, summary(bare, "%.2f"), summary(ratios(traced, bare), "%.2f"))
		for i, p := range c.peers {
			if len(took[i]) == len(bare) {
				fmt.Fprintf(w, "%s\t\t%s\t%s\t\t\n",
					p.name, summary(took[i], "%.2f"), summary(ratios(bare, took[i]), "%.2f"))
			}
		}
	}
	w.Flush()
	b.Log("\n" + text.String())
}

// operation returns how many ns one operation of a workload takes.
func operation(b *testing.B, c peerCase, tr tracer) float64 {
	b.Helper()
	seen := &counted{}
	if tr.attach != nil {
		observer, detach := tr.attach(b)
		defer detach()
		seen.inner = observer
	}
	trial := c.load
	if trial.CPUs == nil {
		trial.CPUs = plan(b, trial.Workload).Trials()[0].CPUs
	}
	if err := workloads.Run(context.Background(), trial, nil, seen); err != nil {
		b.Fatal(err)
	}
	return float64(seen.took) / float64(seen.operations)
}

// counted is a timer that also notes what was done.
type counted struct {
	timer
	operations int64
}

func (c *counted) Stopped(r workloads.Result) error {
	for _, w := range r.Workers {
		c.operations += w.Operations
	}
	return c.timer.Stopped(r)
}

// run returns what the peer says, in ns.
func (p peer) run(b *testing.B) (float64, error) {
	if _, err := os.Stat(p.needs); p.needs != "" && err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(b.Context(), 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, p.argv[0], p.argv[1:]...).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%v: %w", p.argv, err)
	}
	said := p.says.FindSubmatch(out)
	if said == nil {
		return 0, fmt.Errorf("%v says %q", p.argv, out)
	}
	number, err := strconv.ParseFloat(string(said[1]), 64)
	return number * p.unit, err
}
