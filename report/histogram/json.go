package histogram

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// plain is a Histogram as it is written in a report's file.
type plain struct {
	Count uint64 `json:"count"`
	SumNS uint64 `json:"sum_ns"`
	MaxNS uint64 `json:"max_ns"`
	// Index and Counts are the occupied buckets, ascending.
	Index  []int    `json:"index"`
	Counts []uint64 `json:"counts"`
}

// MarshalJSON writes the histogram with its occupied buckets.
func (h Histogram) MarshalJSON() ([]byte, error) {
	field := func(to []byte, name string, v uint64) []byte {
		return strconv.AppendUint(append(to, name...), v, 10)
	}
	text := field(make([]byte, 0, 64+3*len(h.buckets)), `{"count":`, h.Count)
	text = field(text, `,"sum_ns":`, h.SumNS)
	text = field(text, `,"max_ns":`, h.MaxNS)
	if h.buckets != "" {
		before := `,"index":[`
		for b := range h.Buckets() {
			text, before = field(text, before, uint64(b)), ","
		}
		before = `],"counts":[`
		for _, n := range h.Buckets() {
			text, before = field(text, before, n), ","
		}
		text = append(text, ']')
	}
	return append(text, '}'), nil
}

// UnmarshalJSON reads a histogram. It returns an error for buckets that cannot exist.
// A report consists mostly of histograms, so text as MarshalJSON writes it is parsed
// without reflection, which halves the time to decode a report. Any other text is left to
// encoding/json.
func (h *Histogram) UnmarshalJSON(data []byte) error {
	if p := (parser{rest: data}); p.parse() {
		*h = p.to
		return nil
	}
	if string(data) == "null" { // leaves h as it is, by convention of encoding/json
		return nil
	}
	var read plain
	if err := json.Unmarshal(data, &read); err != nil {
		return fmt.Errorf("histogram: %w", err)
	}
	if len(read.Index) != len(read.Counts) {
		return fmt.Errorf("histogram: %d bucket indexes but %d counts", len(read.Index), len(read.Counts))
	}
	p := newPacker()
	for i, b := range read.Index {
		if err := p.check(b, read.Counts[i]); err != nil {
			return fmt.Errorf("histogram: %w", err)
		}
		p = p.add(b, read.Counts[i])
	}
	*h = Histogram{Count: read.Count, SumNS: read.SumNS, MaxNS: read.MaxNS, buckets: string(p.text)}
	return nil
}

// parser reads one histogram with its fields in the order in which
// MarshalJSON writes them, and no space between them.
type parser struct {
	rest []byte
	to   Histogram
}

// parse parses the text. It returns false if the text is not exactly as MarshalJSON writes
// it, or not valid.
func (p *parser) parse() bool {
	if !p.field(`{"count":`, &p.to.Count) || !p.field(`,"sum_ns":`, &p.to.SumNS) ||
		!p.field(`,"max_ns":`, &p.to.MaxNS) {
		return false
	}
	if p.skip(`,"index":[`) {
		// Both lists are parsed at the same time.
		counts := parser{rest: p.rest}
		if _, after, ok := bytes.Cut(p.rest, []byte(`],"counts":[`)); ok {
			counts.rest = after
		} else {
			return false
		}
		packed := newPacker()
		for first := true; first || p.skip(","); first = false {
			var b, n uint64
			if !first && !counts.skip(",") || !p.number(&b) || !counts.number(&n) {
				return false
			}
			if b > lastBucket || packed.check(int(b), n) != nil {
				return false
			}
			packed = packed.add(int(b), n)
		}
		if !p.skip(`],"counts":[`) || !counts.skip("]") {
			return false
		}
		p.rest, p.to.buckets = counts.rest, string(packed.text)
	}
	return string(p.rest) == "}"
}

func (p *parser) field(name string, to *uint64) bool { return p.skip(name) && p.number(to) }

// skip removes a text from the front and reports whether it was there.
func (p *parser) skip(s string) bool {
	if len(p.rest) < len(s) || string(p.rest[:len(s)]) != s {
		return false
	}
	p.rest = p.rest[len(s):]
	return true
}

// number parses an integer of at most 19 digits, which cannot overflow. It does not accept
// signs, fractions and leading zeros.
func (p *parser) number(to *uint64) bool {
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
