package table_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/report/table"
)

// A field is written with all digits of a whole number, six of a fraction, and as RFC 3339 if it is
// a time; absent figures and empty texts are written as nothing.
func TestFieldsAreWritten(t *testing.T) {
	east := time.FixedZone("", 2*60*60)
	for want, f := range map[string]table.Field{
		"":                             {},
		"-9223372036854775808":         table.Whole(int64(math.MinInt64)),
		"18446744073709551615":         table.Whole(uint64(math.MaxUint64)),
		"0.333333":                     table.Fraction(1.0 / 3),
		"0.000000":                     table.Fraction(math.Copysign(1e-9, -1)),
		"8589934592.125000":            table.Fraction(1<<33 + 0.125),
		"true":                         table.Truth(true),
		"2026-11-22T18:11:00.1234567Z": table.Moment(time.Date(2026, 11, 22, 20, 11, 0, 123456700, east)),
		"-5":                           table.FreeText("-5"),
	} {
		if got := f.String(); got != want || f.Absent() != (want == "") || f.Free() != (want == "-5") {
			t.Errorf("%q is written %q; absent: %v, free: %v", want, got, f.Absent(), f.Free())
		}
	}
	if !table.FreeText("").Absent() {
		t.Error("an empty text is not absent")
	}
}

// A field gives its value as the type that it has, and as no other.
func TestFieldsHaveOneType(t *testing.T) {
	at := time.Date(1969, 12, 31, 23, 59, 59, 999999999, time.UTC)
	for name, c := range map[string]struct {
		field                          table.Field
		whole, number, truth, isMoment bool
	}{
		"absent":   {},
		"text":     {field: table.FreeText("5")},
		"whole":    {field: table.Whole(-5), whole: true, number: true},
		"large":    {field: table.Whole(uint64(1 << 63)), number: true},
		"fraction": {field: table.Fraction(0.5), number: true},
		"truth":    {field: table.Truth(true), truth: true},
		"moment":   {field: table.Moment(at), isMoment: true},
	} {
		_, whole := c.field.Int64()
		_, number := c.field.Float64()
		is, truth := c.field.Bool()
		us, isMoment := c.field.UnixMicro()
		if whole != c.whole || number != c.number || truth != c.truth || isMoment != c.isMoment {
			t.Errorf("%s: whole %v, number %v, truth %v, moment %v", name, whole, number, truth, isMoment)
		}
		if c.truth && !is || c.isMoment && us != -1 {
			t.Errorf("%s is %v, %d µs", name, is, us)
		}
	}
	if x, _ := table.Whole(uint64(1 << 63)).Float64(); x != 1<<63 {
		t.Errorf("2^63 is %v", x)
	}
}

// Files of text and of binary numbers hold the same fractions.
func TestFractionsAreWhatIsWritten(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 6))
	for range 10_007 {
		f := table.Fraction(random.NormFloat64() * math.Pow(10, float64(random.IntN(12)-6)))
		x, _ := f.Float64()
		if written, err := strconv.ParseFloat(f.String(), 64); err != nil || written != x {
			t.Fatalf("%v is written %s: %v", x, f, err)
		}
	}
}
