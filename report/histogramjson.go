package report

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// UnmarshalJSON reads a histogram. Reports are histograms for the most part,
// so the form that Encode writes is read without reflection, which halves the
// time that Decode takes; any other form is left to encoding/json.
func (h *Histogram) UnmarshalJSON(data []byte) error {
	if p := (histogramParser{rest: data, to: *h}); p.parse() {
		*h = p.to
		return nil
	}
	type plain Histogram // without this method
	if err := json.Unmarshal(data, (*plain)(h)); err != nil {
		return fmt.Errorf("histogram: %w", err)
	}
	return nil
}

// histogramParser reads one histogram with its fields in the order in which
// Encode writes them, and no space between them.
type histogramParser struct {
	rest []byte
	to   Histogram
}

// parse reports whether all of the text was in the expected form.
func (p *histogramParser) parse() bool {
	if !p.field(`{"count":`, &p.to.Count) || !p.field(`,"sum_ns":`, &p.to.SumNS) || !p.field(`,"max_ns":`, &p.to.MaxNS) {
		return false
	}
	if p.skip(`,"index":[`) {
		n := 1 + bytes.Count(p.until(']'), []byte{','})
		index := make([]int, n)
		for i := range index {
			var v uint64
			if !p.element(i, &v) || v > lastBucket {
				return false
			}
			index[i] = int(v)
		}
		p.to.Index = index
		if !p.skip("]") {
			return false
		}
	}
	if p.skip(`,"counts":[`) {
		n := 1 + bytes.Count(p.until(']'), []byte{','})
		counts := make([]uint64, n)
		for i := range counts {
			if !p.element(i, &counts[i]) {
				return false
			}
		}
		p.to.Counts = counts
		if !p.skip("]") {
			return false
		}
	}
	return string(p.rest) == "}"
}

func (p *histogramParser) field(name string, to *uint64) bool { return p.skip(name) && p.number(to) }

// element reads the number with index i of an array.
func (p *histogramParser) element(i int, to *uint64) bool {
	return (i == 0 || p.skip(",")) && p.number(to)
}

// skip steps over a text and reports whether it was there.
func (p *histogramParser) skip(s string) bool {
	if len(p.rest) < len(s) || string(p.rest[:len(s)]) != s {
		return false
	}
	p.rest = p.rest[len(s):]
	return true
}

// until returns what precedes the next c, all of the rest if there is none.
func (p *histogramParser) until(c byte) []byte {
	if i := bytes.IndexByte(p.rest, c); i >= 0 {
		return p.rest[:i]
	}
	return p.rest
}

// number reads an integer of at most 19 digits, which cannot overflow. Signs,
// fractions and leading zeros are not of the expected form.
func (p *histogramParser) number(to *uint64) bool {
	const digits = 19
	var v uint64
	i := 0
	for i < len(p.rest) && i < digits && p.rest[i]-'0' <= 9 {
		v = 10*v + uint64(p.rest[i]-'0')
		i++
	}
	if i == 0 || i > 1 && p.rest[0] == '0' {
		return false
	}
	p.rest, *to = p.rest[i:], v
	return true
}
