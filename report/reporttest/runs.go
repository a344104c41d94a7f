package reporttest

import (
	"bytes"
	"math"
	"math/rand/v2"
	"time"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/compare"
)

// Turns returns runs of two sides that were made in turns, one minute after another: copies of two
// reports. The runs differ: the work and the times of each are multiplied by a random factor, whose
// logarithm has the standard deviation spread.
func Turns(old, other *report.Report, runs int, spread float64, seed uint64) (a, b []*report.Report) {
	random := rand.New(rand.NewPCG(seed, 7))
	at := old.Created
	for i := range runs {
		both := []*report.Report{run(old, at, random, spread), run(other, at.Add(time.Minute), random, spread)}
		if i%2 == 1 { // the sides also take turns in being first
			both[0].Created, both[1].Created = both[1].Created, both[0].Created
		}
		a, b = append(a, both[0]), append(b, both[1])
		at = at.Add(2 * time.Minute)
	}
	return a, b
}

// run copies a report.
func run(r *report.Report, at time.Time, random *rand.Rand, spread float64) *report.Report {
	out := Copy(r)
	out.Created = at
	factor := math.Exp(spread * random.NormFloat64())
	for i := range out.Trials {
		t := &out.Trials[i]
		t.Operations = int64(factor * float64(t.Operations))
		if t.Mode == report.Command {
			t.DurationNS = int64(factor * float64(t.DurationNS))
		}
		for j := range t.Cores {
			if t.System != nil {
				vary(&t.Cores[j], factor)
			}
		}
		varyStacks(t.Why, factor)
	}
	return out
}

// vary multiplies how long tasks of a watched system waited for a core and how often it switched.
func vary(c *report.Core, factor float64) {
	c.Wait.SumNS = uint64(factor * float64(c.Wait.SumNS))
	for i := range c.Classes {
		c.Classes[i].Switches = uint64(factor * float64(c.Classes[i].Switches))
	}
}

// varyStacks multiplies for how long tasks were off their cores.
func varyStacks(w *report.Why, factor float64) {
	if w == nil {
		return
	}
	for i := range w.Waits {
		w.Waits[i].BlockedNS = int64(factor * float64(w.Waits[i].BlockedNS))
		w.Waits[i].WaitNS = int64(factor * float64(w.Waits[i].WaitNS))
	}
}

// Copy returns a report that shares nothing with another.
func Copy(r *report.Report) *report.Report {
	var text bytes.Buffer
	if err := report.Encode(&text, r); err != nil {
		panic(err) // reports of tests can always be encoded
	}
	out, err := report.Decode(&text)
	if err != nil {
		panic(err)
	}
	return out
}

// Inputs gives reports names that end in a letter.
func Inputs(prefix string, reports []*report.Report) []compare.Input {
	var out []compare.Input
	for i, r := range reports {
		out = append(out, compare.Input{Name: prefix + string(rune('a'+i)) + ".json", Report: r})
	}
	return out
}
