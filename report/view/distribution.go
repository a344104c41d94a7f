package view

import (
	"math"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/metric"
)

// BinsPerOctave is how many bins of LogBins a doubling of time has. A bin is 6 % wide, like the
// widest bucket of a Histogram.
const BinsPerOctave = 12

// LogBins is a distribution in bins of equal width on a logarithmic axis: bin i is from
// 2^((First+i) ÷ BinsPerOctave) ns to the beginning of the next one.
type LogBins struct {
	First int
	// Percent is how much of all values each bin holds.
	Percent []float64
}

// LogBinsOf spreads the values of each bucket evenly over the bins that it overlaps. Values below 1
// ns count as 1 ns.
func LogBinsOf(h histogram.Histogram) LogBins {
	if h.Count == 0 {
		return LogBins{}
	}
	bin := func(ns float64) float64 { return BinsPerOctave * math.Log2(math.Max(ns, 1)) }
	bounds := func(bucket int) (low, high float64) {
		l, u := histogram.BucketBounds(bucket)
		// No value is above the largest, whatever its bucket's width.
		return bin(float64(l)), bin(math.Max(math.Min(float64(u), float64(h.MaxNS)+1), float64(l)+1))
	}
	first, end := -1.0, 0.0
	for b := range h.Buckets() {
		var low float64
		if low, end = bounds(b); first < 0 {
			first = low
		}
	}
	s := LogBins{First: int(first)}
	s.Percent = make([]float64, int(math.Ceil(end))-s.First+1)
	for b, n := range h.Buckets() {
		low, high := bounds(b)
		share := 100 * float64(n) / float64(h.Count)
		if high <= low { // zeros, which a logarithmic axis cannot show
			s.Percent[int(low)-s.First] += share
			continue
		}
		for b := int(low); float64(b) < high; b++ {
			overlap := math.Min(high, float64(b+1)) - math.Max(low, float64(b))
			s.Percent[b-s.First] += share * overlap / (high - low)
		}
	}
	for n := len(s.Percent); n > 0 && s.Percent[n-1] == 0; n-- {
		s.Percent = s.Percent[:n-1]
	}
	return s
}

// LoadDistributions are the distributions of one workload's times.
type LoadDistributions struct {
	Load          string
	Distributions []Distribution
}

// Distribution is the distribution of one kind of time, in each mode.
type Distribution struct {
	Name  string
	Modes []ModeDistribution
}

// ModeDistribution is one mode's part of a Distribution, over all rounds and cores.
type ModeDistribution struct {
	Mode  report.Mode
	Count report.Quantity
	// P50, P90, P99 and Max are those of all values, not of the bins.
	P50, P90, P99, Max report.Quantity
	LogBins            LogBins
}

// distributions returns the distributions of every load, in the order in which loads ran.
func distributions(r *report.Report) []LoadDistributions {
	kinds := []struct {
		name string
		of   func([]*report.Trial) histogram.Histogram
	}{
		{"pick", func(trials []*report.Trial) histogram.Histogram { return ownPhases(trials).Pick }},
		{"switch", func(trials []*report.Trial) histogram.Histogram { return ownPhases(trials).Switch }},
		{"time slice", func(trials []*report.Trial) histogram.Histogram {
			length, _ := metric.SliceLengths(trials)
			return length
		}},
		{"wait", waits},
	}
	var out []LoadDistributions
	for _, l := range metric.Loads(r) {
		of := LoadDistributions{Load: l.Title()}
		if l.IsSystem() {
			of.Load = "the system"
		}
		for _, k := range kinds {
			d := Distribution{Name: k.name}
			for _, mode := range l.Modes {
				if h := k.of(metric.TrialsOf(r, l, mode)); h.Count > 0 {
					d.Modes = append(d.Modes, inMode(h, mode))
				}
			}
			of.Distributions = append(of.Distributions, d)
		}
		out = append(out, of)
	}
	return out
}

func inMode(h histogram.Histogram, mode report.Mode) ModeDistribution {
	return ModeDistribution{
		Mode: mode, Count: ofCount(h.Count),
		P50: metric.Quantile(h, 0.5), P90: metric.Quantile(h, 0.9), P99: metric.Quantile(h, 0.99),
		Max:     report.Of(float64(h.MaxNS), report.Nanoseconds),
		LogBins: LogBinsOf(h),
	}
}

// ownPhases adds up the switches that the trials' own modes make.
func ownPhases(trials []*report.Trial) report.ClassStats {
	var all classTally
	for _, t := range trials {
		metric.EachOwn(t, all.add)
	}
	return all.stats("")
}

func waits(trials []*report.Trial) histogram.Histogram {
	var all histogram.Sum
	for _, t := range trials {
		for i := range t.Cores {
			all.Add(t.Cores[i].Wait)
		}
	}
	return all.Histogram()
}
