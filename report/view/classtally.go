package view

import (
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
)

// classTally adds up switches of one class.
type classTally struct {
	switches                uint64
	pick, switchPhase, cost histogram.Sum
}

func (t *classTally) add(s report.ClassStats) {
	t.switches += s.Switches
	t.pick.Add(s.Pick)
	t.switchPhase.Add(s.Switch)
	t.cost.Add(s.Cost)
}

func (t *classTally) stats(class report.Class) report.ClassStats {
	return report.ClassStats{
		Class: class, Switches: t.switches,
		Pick: t.pick.Histogram(), Switch: t.switchPhase.Histogram(), Cost: t.cost.Histogram(),
	}
}
