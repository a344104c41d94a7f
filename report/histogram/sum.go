package histogram

// Sum adds up histograms. The zero value is empty.
type Sum struct {
	sumNS, maxNS uint64
	counts       [lastBucket + 1]uint64
	to           int // the bucket after the last that is occupied
}

// Add adds what a histogram has counted.
func (s *Sum) Add(h Histogram) {
	s.sumNS += h.SumNS
	s.maxNS = max(s.maxNS, h.MaxNS)
	for b, n := range h.Buckets() {
		s.counts[b] += n
		s.to = max(s.to, b+1)
	}
}

// Histogram returns all that was added.
func (s *Sum) Histogram() Histogram { return New(s.counts[:s.to], s.sumNS, s.maxNS) }
