package table

import (
	"math"
	"strconv"
	"time"

	"github.com/slicetrace/slicetrace/report/histogram"
)

// Field is one entry of a Table. The zero Field is a figure that is absent.
type Field struct {
	holds content
	text  string // of texts, fractions and times
	bits  uint64 // of numbers, truths and times
}

// content is what a Field holds.
type content uint8

const (
	nothing     content = iota
	foreignText         // a text from outside, which may be hostile
	ownText             // a text of slicetrace itself
	signed              // bits is an int64
	unsigned            // bits is greater than any int64
	fraction            // bits is a float64, text its digits
	truth               // bits is 0 or 1
	instant             // bits is an int64, in µs since 1970; text is as in RFC 3339
)

// FreeText is a text from outside.
func FreeText(s string) Field { return textOf(s, foreignText) }

// textOf returns a text, absent if it is empty.
func textOf(s string, kind content) Field {
	if s == "" {
		return absent()
	}
	return Field{holds: kind, text: s}
}

// Whole is a whole number.
func Whole[T ~int | ~int64 | ~uint64](n T) Field {
	if n > 0 && uint64(n) > math.MaxInt64 {
		return Field{holds: unsigned, bits: uint64(n)}
	}
	return Field{holds: signed, bits: uint64(n)}
}

// Fraction is a number with six digits after the point, enough for a ratio of two measured times.
func Fraction(x float64) Field { return digitsOf(x, 'f') }

// digitsOf returns a number with six digits, in a format of strconv.FormatFloat. The number is
// rounded to them, so that it is the same in files of text and of binary numbers.
func digitsOf(x float64, format byte) Field {
	text := strconv.FormatFloat(x, format, 6, 64)
	rounded, _ := strconv.ParseFloat(text, 64) // it cannot fail
	if rounded == 0 {                          // it has no sign
		rounded, text = 0, strconv.FormatFloat(0, format, 6, 64)
	}
	return Field{fraction, text, math.Float64bits(rounded)}
}

// Truth is true or false.
func Truth(is bool) Field {
	if is {
		return Field{holds: truth, bits: 1}
	}
	return Field{holds: truth}
}

// Moment is a time.
func Moment(t time.Time) Field {
	return Field{instant, t.UTC().Format(time.RFC3339Nano), uint64(t.UnixMicro())}
}

// Absent reports whether there is no figure, or no text.
func (f Field) Absent() bool { return f.holds == nothing }

// Free reports whether the field is a text that comes from outside and may be hostile: renderers
// must make it safe.
func (f Field) Free() bool { return f.holds == foreignText }

// String returns the field as it is written in a file of text, "" if it is absent.
func (f Field) String() string {
	switch f.holds {
	case signed:
		return strconv.FormatInt(int64(f.bits), 10)
	case unsigned:
		return strconv.FormatUint(f.bits, 10)
	case truth:
		return strconv.FormatBool(f.bits == 1)
	}
	return f.text
}

// Int64 returns a whole number. ok is false if the field has none, or one above math.MaxInt64.
func (f Field) Int64() (n int64, ok bool) { return int64(f.bits), f.holds == signed }

// Float64 returns a number. ok is false if the field has none.
func (f Field) Float64() (x float64, ok bool) {
	switch f.holds {
	case fraction:
		return math.Float64frombits(f.bits), true
	case signed:
		return float64(int64(f.bits)), true
	case unsigned:
		return float64(f.bits), true
	}
	return 0, false
}

// Bool returns true or false as it is in the field. ok is false if the field has neither.
func (f Field) Bool() (is, ok bool) { return f.bits == 1, f.holds == truth }

// UnixMicro returns a time in microseconds since 1970. ok is false if the field has none.
func (f Field) UnixMicro() (us int64, ok bool) { return int64(f.bits), f.holds == instant }

// absent is the field of a figure that was not measured.
func absent() Field { return Field{} }

// decimal is a Fraction, absent unless x is known and finite.
func decimal(x float64, ok bool) Field {
	if !ok || math.IsNaN(x) || math.IsInf(x, 0) {
		return absent()
	}
	return Fraction(x)
}

// optional is a decimal, absent if x is nil.
func optional(x *float64) Field {
	if x == nil {
		return absent()
	}
	return decimal(*x, true)
}

// probability keeps the significant digits of a small number.
func probability(p float64) Field { return digitsOf(p, 'g') }

// known is a whole number, absent if n is nil.
func known[T ~int | ~int64 | ~uint64](n *T) Field {
	if n == nil {
		return absent()
	}
	return Whole(*n)
}

// positiveField is a whole number, absent unless it is above 0.
func positiveField(n int64) Field {
	if n <= 0 {
		return absent()
	}
	return Whole(n)
}

// quantileField rounds a quantile to whole nanoseconds.
func quantileField(h histogram.Histogram, q float64) Field {
	ns, ok := h.Quantile(q)
	switch {
	case !ok:
		return absent()
	case ns >= math.MaxUint64: // an altered file can have it, and a uint64 cannot
		return Whole(h.MaxNS)
	}
	return Whole(uint64(math.RoundToEven(ns)))
}

func sumField(h histogram.Histogram) Field {
	if h.Count == 0 {
		return absent()
	}
	return Whole(h.SumNS)
}

func maxField(h histogram.Histogram) Field {
	if h.Count == 0 {
		return absent()
	}
	return Whole(h.MaxNS)
}
