package report

// tally adds up histograms. The zero value
// is empty.
type tally struct {
	sumNS, maxNS uint64
	counts       [lastBucket + 1]uint64
	to           int // the bucket after the last that is occupied
}

func (t *tally) add(h Histogram) {
	t.sumNS += h.SumNS
	t.maxNS = max(t.maxNS, h.MaxNS)
	for b, n := range h.Buckets() {
		t.counts[b] += n
		t.to = max(t.to, b+1)
	}
}

func (t *tally) histogram() Histogram { return NewHistogram(t.counts[:t.to], t.sumNS, t.maxNS) }

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
