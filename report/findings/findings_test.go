package findings_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/findings"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view"
)

// round returns the trials of one round in which a figure has the given value.
type round func(x float64) []report.Trial

func finding(t *testing.T, r *report.Report, claim string) report.Finding {
	t.Helper()
	i := slices.IndexFunc(r.Findings, func(f report.Finding) bool { return f.Claim == claim })
	if i < 0 {
		t.Fatalf("no finding for %s", claim)
	}
	return r.Findings[i]
}

// One survivor too few or too many contradicts the claim.
func TestVerdictsOfACrash(t *testing.T) {
	for _, c := range []struct {
		processes, threads int
		want               report.Verdict
	}{
		{20, 0, report.Supported}, {19, 0, report.Contradicted}, {20, 1, report.Contradicted},
		{0, 20, report.Contradicted},
	} {
		f := finding(t, made(1, narrow(), crashed(c.processes, c.threads)), "C5")
		if f.Verdict != c.want || f.Effect == nil || !strings.HasSuffix(f.Sentence, ".") {
			t.Errorf("%d of 20 processes and %d of 20 threads survive: %s (%s), want %s",
				c.processes, c.threads, f.Verdict, f.Sentence, c.want)
		}
	}
	few := finding(t, made(1, narrow()[:3], crashed(20, 0)), "C5")
	if few.Verdict != report.Inconclusive {
		t.Errorf("in three rounds C5 is %s", few.Verdict)
	}
	nobody := made(1, narrow(), crashed(20, 0))
	for i := range nobody.Trials {
		nobody.Trials[i].Workers[0].Exited = false
	}
	findings.Compute(nobody)
	if f := finding(t, nobody, "C5"); f.Verdict != report.NotMeasured {
		t.Errorf("without a crash C5 is %s", f.Verdict)
	}
}

// The rules of Claim's documentation: each verdict on both sides of each threshold.
func TestVerdictsOnBothSidesOfEachThreshold(t *testing.T) {
	const yes, no = report.Supported, report.Contradicted
	for _, c := range []struct {
		claim, what  string
		at           float64
		above, below report.Verdict
		of           round
	}{
		{"C2", "spawn", 1.05, yes, no, creationRatio},
		{"C3", "pipe", 1.05, yes, no, modeRatio("pipe", "")},
		{"C3", "socket", 1.05, yes, no, modeRatio("socket", "")},
		{"C3", "futex", 1.05, yes, no, modeRatio("futex", "")},
		{"C3", "messaging", 1.05, yes, no, modeRatio("messaging", "")},
		{"C4", "pipe", 1.05, yes, no, switchRatio("pipe")},
		{"C4", "futex", 1.05, yes, no, switchRatio("futex")},
		{"C4", "yield", 1.05, yes, no, switchRatio("yield")},
		{"C6", "messaging", 1.05, yes, no, func(x float64) []report.Trial { return manyRatios(x, 2) }},
		{"C6", "memory", 1.05, yes, no, func(x float64) []report.Trial { return manyRatios(2, x) }},
		{"C7", "unsynchronised", 1, yes, no, func(x float64) []report.Trial { return counters(x, 0, 0, 4) }},
		{
			"C7", "atomic", 0.001, no, yes,
			func(x float64) []report.Trial { return counters(5, math.Floor(x*1000)/1000, 0, 4) },
		},
		{
			"C7", "lock", 0.001, no, yes,
			func(x float64) []report.Trial { return counters(5, 0, math.Floor(x*1000)/1000, 4) },
		},
		{"C7", "price of a lock", 1.05, yes, no, func(x float64) []report.Trial { return counters(5, 0, 0, x) }},
		{"C10", "many", 1.5, yes, no, func(x float64) []report.Trial {
			return []report.Trial{rate("sleep", "one", 1e6), rate("sleep", "many", 1e6*x)}
		}},
		{"C11", "two workers", 1, yes, no, func(x float64) []report.Trial {
			two := rate("scale", "2", 1e6*x)
			workersOf(&two, []float64{1, 1}, []float64{0, 0})
			return []report.Trial{rate("scale", "1", 1e6), two, rate("scale", "64", 1)}
		}},
		{"C12", "parallelism", 1.5, yes, no, func(x float64) []report.Trial { return bothPlaces(x, 1) }},
		{"C13", "slice p50", 1e3, yes, no, func(x float64) []report.Trial { return sliced(int(x), 1e6) }},
		{"C13", "longest slice", 30e6, no, yes, func(x float64) []report.Trial { return sliced(1e6, int(x)) }},
		{"C14", "equals", 0.8, yes, no, func(x float64) []report.Trial { return shares(x, 1) }},
		{"C14", "nice, too much", 1.15, no, yes, func(x float64) []report.Trial { return shares(1, x) }},
		{"C14", "nice, too little", 1 / 1.15, yes, no, func(x float64) []report.Trial { return shares(1, x) }},
		{"C15", "longest wait", 100e6, no, yes, beside(0.9)},
		{"C16", "ended by tick", 500, yes, no, func(x float64) []report.Trial { return ticked(int(x), 1) }},
		{"C16", "a lone task", 50, no, yes, func(x float64) []report.Trial { return ticked(900, int(x)) }},
		{"C17", "rotation", 100e6, no, yes, rotating},
	} {
		t.Run(c.claim+" "+c.what, func(t *testing.T) {
			for _, side := range []struct {
				x      float64
				spread []float64
				want   report.Verdict
			}{
				{c.at * 1.03, narrow(), c.above}, {c.at * 0.97, narrow(), c.below},
				{c.at * 0.995, wide(), report.Inconclusive},
			} {
				// Lost updates are a count of all or none, and a bound that holds always is broken
				// by a single round.
				allOrNothing := c.at == 0.001 || c.what == "longest slice" || c.claim == "C15"
				if side.want == report.Inconclusive && allOrNothing {
					continue
				}
				f := finding(t, made(side.x, side.spread, c.of), c.claim)
				if f.Verdict != side.want || f.Effect == nil || f.Reason != "" || !strings.HasSuffix(f.Sentence, ".") {
					t.Errorf("at %g × the threshold: %s (%s), want %s", side.x/c.at, f.Verdict, f.Sentence, side.want)
				}
			}
		})
	}
}

// No rule assumes that the textbook is right: the opposite of each claim on modes contradicts it.
func TestDearerThreadsContradict(t *testing.T) {
	for claim, of := range map[string]round{
		"C3": modeRatio("pipe", ""), "C4": switchRatio("pipe"),
		"C6": func(x float64) []report.Trial { return manyRatios(x, 2) },
	} {
		f, ratio := finding(t, made(0.5, narrow(), of), claim), "2.00" // of operations
		if claim == "C4" {
			ratio = "0.500"
		}
		if f.Verdict != report.Contradicted || f.Effect.Quantity().String() != ratio ||
			!strings.Contains(f.Sentence, ratio) {
			t.Errorf("%s is %s: %s", claim, f.Verdict, f.Sentence)
		}
	}
}

func TestIdleWorkersContradict(t *testing.T) {
	idle := func(x float64) []report.Trial {
		trials := oneCore(1, x)
		trials[0].Workers[1].Operations = 0
		return trials
	}
	if f := finding(t, made(1, narrow(), idle), "C9"); f.Verdict != report.Contradicted {
		t.Errorf("C9 with an idle worker is %s", f.Verdict)
	}
	if f := finding(t, made(1e6, narrow(), beside(0)), "C15"); f.Verdict != report.Contradicted {
		t.Errorf("C15 with a CPU-bound task that never ran is %s", f.Verdict)
	}
}

// A bound on each round is broken by a single round, and the sentence says by how many it was
// broken.
func TestOneBadRoundBreaksWhatHoldsAlways(t *testing.T) {
	const rounds = 12
	crash := func(alive int) round { return crashed(alive, 0) }
	// Each case has good rounds, a bad one, and what the sentence says if two are bad.
	for _, c := range []struct {
		claim, says string
		good, bad   round
	}{
		{"C5", "but not in 2 of 24 rounds", crash(20), crash(19)},
		{
			"C7", "but not in 2 of 24 rounds", func(float64) []report.Trial { return counters(5, 0, 0, 4) },
			func(float64) []report.Trial { return counters(5, 0.5, 0, 4) },
		},
		{
			"C9", "all made progress, but not in 2 of 12 rounds",
			func(x float64) []report.Trial { return oneCore(1, 1) },
			func(x float64) []report.Trial {
				trials := oneCore(1, 1)
				trials[0].Workers[1].Operations = 0
				return trials
			},
		},
		{
			"C15", "3.00 s at most, but not in 2 of 12 rounds",
			func(x float64) []report.Trial { return beside(0.9)(5e6 + 1e6*x) },
			func(float64) []report.Trial { return beside(0.9)(3e9) },
		},
	} {
		for _, broken := range []int{0, 1, 2} {
			spread := make([]float64, rounds)
			spread[0] = -100 // of x, so 5 ms instead of 6
			r := made(1, spread, c.good)
			for i := range r.Trials {
				if round := r.Trials[i].Round; round > rounds-broken {
					bad := made(1, make([]float64, rounds), c.bad)
					r.Trials[i] = bad.Trials[i]
				}
			}
			findings.Compute(r)
			f := finding(t, r, c.claim)
			want := report.Contradicted
			if broken == 0 {
				want = report.Supported
			}
			if c.claim == "C15" && broken == 0 && *f.Figures[0].Worst != 6e6 {
				t.Errorf("the longest wait is %g ns", *f.Figures[0].Worst)
			}
			if f.Verdict != want || strings.Contains(f.Sentence, c.says) != (broken == 2) {
				t.Errorf("%s with %d bad rounds is %s: %s", c.claim, broken, f.Verdict, f.Sentence)
			}
		}
	}
}

// If other programs took much time, they may be the reason why a claim seems wrong.
func TestABusyMachineContradictsNothing(t *testing.T) {
	for share, want := range map[float64]report.Verdict{0.09: report.Contradicted, 0.11: report.Inconclusive} {
		r := made(2, narrow(), func(x float64) []report.Trial {
			trials := oneCore(x, 1)
			trials[0].Workers[1].Operations = 0
			trials[0].Cores = []report.Core{{WallNS: 1e9, OthersNS: int64(1e9 * share)}}
			return trials
		})
		if f := finding(t, r, "C9"); f.Verdict != want {
			t.Errorf("with %g of core time taken by others C9 is %s, want %s", share, f.Verdict, want)
		}
		if warned := len(view.Summarize(r).Warnings) == 1; warned != (want == report.Inconclusive) {
			t.Errorf("with %g of core time taken by others the warnings are %q", share, view.Summarize(r).Warnings)
		}
	}
}

func TestLikeCasesThatDisagreeDoNotContradict(t *testing.T) {
	mixed := func(x float64) []report.Trial {
		return append(modeRatio("pipe", "")(x), modeRatio("socket", "")(1/x)...)
	}
	f := finding(t, made(2, narrow(), mixed), "C3")
	if f.Verdict != report.Inconclusive || !strings.Contains(f.Sentence, "not the same for all work") ||
		len(f.Figures) != 2 {
		t.Errorf("C3 is %s: %s", f.Verdict, f.Sentence)
	}
}

func TestFewRoundsDecideNothing(t *testing.T) {
	for claim, of := range map[string]round{
		"C3": modeRatio("pipe", ""), "C9": func(x float64) []report.Trial { return oneCore(1/x, 1) },
	} {
		f := finding(t, made(2, narrow()[:3], of), claim)
		if f.Verdict != report.Inconclusive || !strings.Contains(f.Sentence, "too few rounds") || f.Effect.Low != nil ||
			f.Effect.N != 3 {
			t.Errorf("%s is %s: %s", claim, f.Verdict, f.Sentence)
		}
	}
}

func TestUnmeasuredClaimsSayWhy(t *testing.T) {
	spin := func(x float64) []report.Trial { return oneCore(x, 1) }
	two := made(1, narrow(), spin)
	for claim, want := range map[string]string{
		"C1": "needs both modes: leave out --mode",
		"C2": "needs both modes: leave out --mode",
		"C5": "needs both modes: leave out --mode",
		"C3": "needs both modes: leave out --mode",
		"C7": "needs slicetrace run counter",
		"C8": "needs both modes: leave out --mode",
	} {
		f := finding(t, two, claim)
		if f.Verdict != report.NotMeasured || f.Reason != want || f.Effect != nil || f.Figures != nil ||
			!strings.Contains(f.Sentence, want) {
			t.Errorf("%s is %s: %q, want %q", claim, f.Verdict, f.Reason, want)
		}
	}
	one := made(1, narrow(), func(x float64) []report.Trial { return bothPlaces(x, 1) })
	one.Capture.Switch = ""
	one.Setup.CPUs = one.Setup.CPUs[:1]
	one.Capture.Tick = ""
	findings.Compute(one)
	for claim, want := range map[string]string{
		"C4": "needs the switch phase", "C11": "needs two cores", "C12": "needs two cores", "C16": "slicetrace check",
	} {
		if f := finding(t, one, claim); f.Verdict != report.NotMeasured || !strings.Contains(f.Reason, want) {
			t.Errorf("%s is %s: %q, want %q", claim, f.Verdict, f.Reason, want)
		}
	}
	pair := made(2, narrow(), modeRatio("pipe", ""))
	if f := finding(t, pair, "C8"); f.Verdict != report.NotMeasured ||
		!strings.Contains(f.Reason, "two kinds of work") {
		t.Errorf("C8 of one kind of work is %s: %q", f.Verdict, f.Reason)
	}
}

func TestSwitchPhaseDecidesWithoutPick(t *testing.T) {
	r := reporttest.WithoutPick(reporttest.Full(6, 2))
	f := finding(t, r, "C4")
	if f.Verdict != report.Supported || !strings.HasPrefix(f.Effect.Name, "switch phase p50") {
		t.Errorf("C4 without pick is %s by %+v", f.Verdict, f.Effect)
	}
}

func TestEveryClaimIsDecidedOnceInADefaultRun(t *testing.T) {
	r := reporttest.Full(6, 2)
	claims := findings.Claims()
	if len(r.Findings) != len(claims) || len(claims) != 17 {
		t.Fatalf("%d findings for %d claims", len(r.Findings), len(claims))
	}
	for i, f := range r.Findings {
		if f.Claim != claims[i].ID {
			t.Errorf("finding %d is about %s", i+1, f.Claim)
		}
		if f.Verdict == report.NotMeasured {
			t.Errorf("%s is %s: %s", f.Claim, f.Verdict, f.Sentence)
		}
	}
}

func TestCommandsHaveNoFindings(t *testing.T) {
	r := reporttest.Command()
	findings.Compute(r)
	if r.Findings != nil {
		t.Errorf("a command has findings: %v", r.Findings)
	}
}
