package reporttest

import (
	"math/rand/v2"

	"github.com/slicetrace/slicetrace/report"
)

// serverLabels are the commands of Commands.
var serverLabels = []string{"server -w 4", "server --threads 4"}

// Commands returns a report of two commands in turn: the second takes two thirds of the time of the first, makes three
// times as many requests and has as much CPU time. The tracer slows both down by 5 %, as the rounds without it show.
func Commands(rounds int) *report.Report {
	b := builder{random: rand.New(rand.NewPCG(8, 9)), cores: 2}
	r := b.report()
	r.Setup = report.Setup{
		Modes: []report.Mode{report.Command}, Rounds: rounds, CPUs: b.cpus(), Warmup: 1, UntracedEvery: 2,
		Prepare: "sync", Output: &report.OutputSetup{Regexp: "([0-9.]+) (req/s)", Unit: "req/s"},
	}
	for _, label := range serverLabels {
		r.Setup.Commands = append(r.Setup.Commands, report.CommandSetup{
			Label: label, Line: label, Argv: []string{"server", label[len("server "):]},
		})
	}
	for round := 1; round <= rounds; round++ {
		for i := range serverLabels {
			r.Trials = append(r.Trials, b.server(i, round))
		}
		if round%r.Setup.UntracedEvery > 0 {
			continue
		}
		for i := range serverLabels {
			t := b.server(i, round)
			t.DurationNS = t.DurationNS * 100 / 105
			t.Cores, t.Workers, t.ToolSwitches = nil, nil, nil
			r.Untraced = append(r.Untraced, t)
		}
	}
	begin(r)
	r.Quality.ProbeFloorNS = new(int64)
	*r.Quality.ProbeFloorNS = 48
	r.ComputeQuality()
	return r
}

// server returns one trial of a command.
func (b *builder) server(which, round int) report.Trial {
	vary := func(x float64) float64 { return x * (1 + b.random.NormFloat64()/100) }
	t := b.command()
	t.Workload, t.Round = serverLabels[which], round
	t.DurationNS = int64(vary([]float64{300e6, 200e6}[which]))
	output, status, cpu := vary([]float64{20_000, 60_000}[which]), 0, int64(vary(400e6))
	t.Output, t.ExitStatus, t.CPUNS, t.ToolSwitches = &output, &status, &cpu, new(uint64)
	return t
}
