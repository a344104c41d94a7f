package histogram

// Sum adds up histograms. The zero value is empty.
type Sum struct {
	sumNS, maxNS uint64
	counts       [lastBucket + 1]uint64
	to           int // the index after the last occupied bucket
}

// Add adds the values of a histogram.
func (s *Sum) Add(h Histogram) {
	s.sumNS += h.SumNS
	s.maxNS = max(s.maxNS, h.MaxNS)
	for b, n := range h.Buckets() {
		s.counts[b] += n
		s.to = max(s.to, b+1)
	}
}

// Histogram returns the sum.
func (s *Sum) Histogram() Histogram { return New(s.counts[:s.to], s.sumNS, s.maxNS) }
