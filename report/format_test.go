package report_test

import (
	"testing"

	"github.com/slicetrace/slicetrace/report"
)

// writtenCase is a figure, and how it is written.
type writtenCase struct {
	value float64
	unit  report.Unit
	want  string
}

func checkWritten(t *testing.T, cases []writtenCase) {
	t.Helper()
	for _, c := range cases {
		if got := report.Of(c.value, c.unit).String(); got != c.want {
			t.Errorf("%v %s is written %q, want %q", c.value, c.unit, got, c.want)
		}
	}
}

// Times and amounts of memory are scaled to the unit that leaves one to three digits before the
// point.
func TestScaledQuantities(t *testing.T) {
	checkWritten(t, []writtenCase{
		{0, report.Nanoseconds, "0 ns"},
		{371, report.Nanoseconds, "371 ns"},
		{999.4, report.Nanoseconds, "999 ns"},
		{999.5, report.Nanoseconds, "1.00 µs"},
		{3220, report.Nanoseconds, "3.22 µs"},
		{9994, report.Nanoseconds, "9.99 µs"},
		{9996, report.Nanoseconds, "10.0 µs"},
		{13_550, report.Nanoseconds, "13.6 µs"},
		{136_000, report.Nanoseconds, "136 µs"},
		{999_499, report.Nanoseconds, "999 µs"},
		{999_501, report.Nanoseconds, "1.00 ms"},
		{4_000_000, report.Nanoseconds, "4.00 ms"},
		{12_345_678_901, report.Nanoseconds, "12.3 s"},
		{4_321_000_000_000, report.Nanoseconds, "4 321 s"},
		{-0.4, report.Nanoseconds, "0 ns"},
		{-371, report.Nanoseconds, "-371 ns"},
		{-999.5, report.Nanoseconds, "-1.00 µs"},
		{-123_456, report.Nanoseconds, "-123 µs"},
		{-12_345_678_901, report.Nanoseconds, "-12.3 s"},
		{512, report.Bytes, "512 B"},
		{-512, report.Bytes, "-512 B"},
		{-2048, report.Bytes, "-2.00 KiB"},
		{-3 << 30, report.Bytes, "-3.00 GiB"},
	})
}

func TestCountsAndRates(t *testing.T) {
	checkWritten(t, []writtenCase{
		{0, report.Count, "0"},
		{-1234, report.Count, "-1 234"},
		{999, report.Count, "999"},
		{199_730, report.Count, "199 730"},
		{1_234_567, report.Count, "1 234 567"},
		{142_857, report.PerSecond, "142 857/s"},
		{1_900_000_000, report.TimeRate, "1.90 s/s"},
		{2500, report.PPM, "2 500 ppm"},
	})
}

// A share never rounds to nothing or to everything.
func TestPercentages(t *testing.T) {
	checkWritten(t, []writtenCase{
		{-0.04, report.Percent, ">-0.1 %"},
		{-8.9, report.Percent, "-8.9 %"},
		{-99.97, report.Percent, "<-99.9 %"},
		{-100, report.Percent, "-100 %"},
		{0, report.Percent, "0 %"},
		{0.04, report.Percent, "<0.1 %"},
		{0.05, report.Percent, "0.1 %"},
		{8.9, report.Percent, "8.9 %"},
		{99.97, report.Percent, ">99.9 %"},
		{100, report.Percent, "100 %"},
		{109.6, report.Percent, "109.6 %"},
		{0, report.Share, "0 %"},
		{0.4, report.Share, "<1 %"},
		{97.8, report.Share, "98 %"},
		{99.6, report.Share, ">99 %"},
		{100, report.Share, "100 %"},
		{12.34, report.Difference, "+12.3 %"},
		{-0.06, report.Difference, "-0.1 %"},
		{-0.04, report.Difference, "0.0 %"},
		{0, report.Difference, "0.0 %"},
		{999.94, report.Difference, "+999.9 %"},
		{999.96, report.Difference, "+1 000 %"},
		{-100, report.Difference, "-100.0 %"},
	})
}

func TestNumbersWithoutAUnit(t *testing.T) {
	checkWritten(t, []writtenCase{
		{-12.84, report.Ratio, "-12.8"},
		{-0.004, report.Ratio, "-0.00400"},
		{0.493, report.Ratio, "0.493"},
		{0.0167, report.Ratio, "0.0167"},
		{0.09996, report.Ratio, "0.100"},
		{0.9994, report.Ratio, "0.999"},
		{0.9996, report.Ratio, "1.00"},
		{0.000001, report.Ratio, "0.00"},
		{0, report.Ratio, "0.00"},
		{12.84, report.Ratio, "12.8"},
		{1234.5, report.Ratio, "1 234"},
		{0.99874, report.Index, "0.9987"},
		{0.0004, report.Probability, "<0.001"},
		{0.0022, report.Probability, "0.002"},
	})
}

func TestRangesOfDifferences(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{-12.34, 5, "-12.3 to +5.0 %"}, {-0.04, 0.04, "0.0 to 0.0 %"}, {999.96, 2000, "+1 000 to +2 000 %"},
	} {
		if got := report.DifferenceRange(c.low, c.high); got != c.want {
			t.Errorf("%v to %v is written %q, want %q", c.low, c.high, got, c.want)
		}
	}
	for value, want := range map[float64]string{-3.26: "3.3 %", 3.26: "3.3 %", 0: "0.0 %", -1234: "1 234 %"} {
		if got := report.Magnitude(value); got != want {
			t.Errorf("the size of %v is written %q, want %q", value, got, want)
		}
	}
}

func TestAbsentQuantities(t *testing.T) {
	for _, unit := range []report.Unit{"", report.Nanoseconds, report.Count, report.Percent} {
		if got := (report.Quantity{Unit: unit}).String(); got != "–" {
			t.Errorf("absent %s is written %q", unit, got)
		}
	}
}
