package report

// tally adds up many histograms faster than Merge does one by one. The zero value
// is empty.
type tally struct {
	sum    Histogram
	counts [lastBucket + 1]uint64
	to     int // the bucket after the last that is occupied
}

func (t *tally) add(h Histogram) {
	t.sum.Count += h.Count
	t.sum.SumNS += h.SumNS
	t.sum.MaxNS = max(t.sum.MaxNS, h.MaxNS)
	if len(h.Index) == 0 {
		return
	}
	t.to = max(t.to, h.Index[len(h.Index)-1]+1)
	for i, b := range h.Index {
		t.counts[b] += h.Counts[i]
	}
}

func (t *tally) histogram() Histogram {
	h := t.sum
	for b := range t.to {
		if t.counts[b] > 0 {
			h.Index, h.Counts = append(h.Index, b), append(h.Counts, t.counts[b])
		}
	}
	return h
}

// classTally adds up switches of one class.
type classTally struct {
	switches            uint64
	pick, swtch, charge tally
}

func (t *classTally) add(s ClassStats) {
	t.switches += s.Switches
	t.pick.add(s.Pick)
	t.swtch.add(s.Switch)
	t.charge.add(s.Cost)
}

func (t *classTally) stats(class Class) ClassStats {
	return ClassStats{Class: class, Switches: t.switches, Pick: t.pick.histogram(), Switch: t.swtch.histogram(), Cost: t.charge.histogram()}
}
