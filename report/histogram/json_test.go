package histogram_test

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/slicetrace/slicetrace/report/histogram"
)

// plain is a histogram's JSON.
type plain struct {
	Count  uint64   `json:"count"`
	SumNS  uint64   `json:"sum_ns"`
	MaxNS  uint64   `json:"max_ns"`
	Index  []int    `json:"index"`
	Counts []uint64 `json:"counts"`
}

// possible reports whether such buckets can exist.
func (p plain) possible() bool {
	for i, b := range p.Index {
		if b < 0 || b > histogram.BucketOf(math.MaxUint64) || i > 0 && b <= p.Index[i-1] {
			return false
		}
	}
	return len(p.Index) == len(p.Counts) && !slices.Contains(p.Counts, 0)
}

// readAsJSON checks that Histogram reads a text as encoding/json does, or refuses it, and
// that it writes what it has read.
func readAsJSON(t *testing.T, data []byte) {
	t.Helper()
	var want, again plain
	var got histogram.Histogram
	wantErr, gotErr := json.Unmarshal(data, &want), json.Unmarshal(data, &got)
	if (wantErr == nil && want.possible()) != (gotErr == nil) {
		t.Fatalf("%q: error %v, and from encoding/json %v", data, gotErr, wantErr)
	}
	if gotErr != nil {
		return
	}
	text, err := json.Marshal(got)
	if err == nil {
		err = json.Unmarshal(text, &again)
	}
	if err != nil {
		t.Fatalf("%q is written as %q: %v", data, text, err)
	}
	if diff := cmp.Diff(want, again, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%q is written differently (-want +got):\n%s", data, diff)
	}
}

func histogramTexts() []string {
	return []string{
		`{"count":3,"sum_ns":30,"max_ns":17,"index":[5,8,16],"counts":[1,1,1]}`,
		`{"count":0,"sum_ns":0,"max_ns":0}`,
		`{"count":3,"sum_ns":30,"max_ns":17,"index":[5,8,975],"counts":[1,18446744073709551615,300]}`,
		`{"count":3,"sum_ns":30,"max_ns":17,"counts":[1,2],"index":[200,900]}`,
		`{"count":3,"sum_ns":30,"max_ns":17,"index":[5,8],"counts":[1,1,1]}`,
		`{"count":3,"sum_ns":30,"max_ns":17,"index":[5,8,9],"counts":[1,1]}`,
		`{"count":3,"sum_ns":30,"max_ns":17,"index":[5,8 ],"counts":[1, 1]}`,
		`{"count":3,"sum_ns":30,"max_ns":17,"index":[5,8],"counts":[1,0]}`,
		`{"count":3,"sum_ns":30,"max_ns":17,"index":[8,5],"counts":[1,1]}`,
		`{"count":3,"sum_ns":30,"max_ns":17,"index":[8,8],"counts":[1,1]}`,
		`{"count":3,"sum_ns":30,"max_ns":17,"index":[976],"counts":[1]}`,
		`{"count":3,"sum_ns":30,"max_ns":17,"index":[1],"counts":[1]},`,
		`{"count":1,"sum_ns":1,"max_ns":1,"index":[],"counts":[]}`,
		`{"count":1,"sum_ns":1,"max_ns":1,"index":[1]}`,
		`{"count":1,"sum_ns":1,"max_ns":1,"counts":[1]}`,
		`{"count":1,"sum_ns":1,"max_ns":1,"index":null,"counts":[1]}`,
		`{"count":1,"sum_ns":1,"max_ns":1,"index":[99999],"counts":[1]}`,
		`{"count":1,"sum_ns":1,"max_ns":1,"index":[-1],"counts":[1]}`,
		`{"count":18446744073709551615,"sum_ns":9999999999999999999,"max_ns":1}`,
		`{"count":18446744073709551616,"sum_ns":1,"max_ns":1}`,
		`{"count":1e3,"sum_ns":1,"max_ns":1}`, `{"count":1.5,"sum_ns":1,"max_ns":1}`,
		`{"count":01,"sum_ns":1,"max_ns":1}`,
		`{ "count": 1, "sum_ns": 1, "max_ns": 1 }`, `{"COUNT":1}`, `{"max_ns":1,"count":2}`,
		`{"count":1,"sum_ns":1,"max_ns":1,"new":{}}`, `{"count":1,"count":2}`, `null`, `[]`, `{}`, `{"count":"1"}`,
	}
}

func TestHistogramsAreReadAsEncodingJSONWould(t *testing.T) {
	for _, text := range histogramTexts() {
		readAsJSON(t, []byte(text))
	}
}

func FuzzHistogramJSON(f *testing.F) {
	for _, text := range histogramTexts() {
		f.Add([]byte(text))
	}
	f.Fuzz(readAsJSON)
}
