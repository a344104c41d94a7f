package screen

import (
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view/live"
)

// quiet is a server on whose first core a few switches of each class were timed in each interval, elsewhere none.
func quiet(intervals int, each uint64) *report.Report {
	r := server(intervals)
	for i := range r.Trials {
		for j := range r.Trials[i].Cores {
			for k := range r.Trials[i].Cores[j].Classes {
				n := each
				if j > 0 {
					n = 0
				}
				r.Trials[i].Cores[j].Classes[k].Cost = reporttest.HistogramOf(n, uint64(1000+100*i))
			}
		}
	}
	return r
}

// Where few switches were timed, the headline has their number, and where there is no share of time, it says why.
func TestHeadlineSaysHowFewWereTimed(t *testing.T) {
	share := report.Of(0.52, report.Percent)
	for want, h := range map[string]live.Headline{
		"switching not timed":               {},
		"switching: too few timed yet (0)":  {TimedAtAll: true},
		"switching: too few timed yet (12)": {TimedAtAll: true, Timed: 12},
		"0.5 % of it switching":             {TimedAtAll: true, Timed: 200, Switching: share},
		"0.5 % of it switching (40 timed)":  {TimedAtAll: true, Timed: 40, Switching: share},
		"0.5 % ± 0.2 % of it switching (40 timed)": {TimedAtAll: true, Timed: 40, Switching: share,
			SwitchingReach: report.Of(0.2, report.Percent)},
	} {
		if got := switchingText(h, "of it "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
