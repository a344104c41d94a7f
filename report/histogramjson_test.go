package report_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
)

// plain is a histogram as encoding/json alone reads it.
type plain report.Histogram

// sameAsEncodingJSON holds that a text means to Histogram what it means to encoding/json.
func sameAsEncodingJSON(t *testing.T, data []byte, before report.Histogram) {
	t.Helper()
	want, got := plain(before), before
	wantErr, gotErr := json.Unmarshal(data, &want), json.Unmarshal(data, &got)
	if (wantErr == nil) != (gotErr == nil) {
		t.Fatalf("%q: error %v, of encoding/json %v", data, gotErr, wantErr)
	}
	if wantErr != nil {
		return
	}
	if diff := cmp.Diff(report.Histogram(want), got); diff != "" {
		t.Errorf("%q is read otherwise than by encoding/json (-want +got):\n%s", data, diff)
	}
}

func histogramTexts() []string {
	return []string{
		`{"count":3,"sum_ns":30,"max_ns":17,"index":[5,8,16],"counts":[1,1,1]}`,
		`{"count":0,"sum_ns":0,"max_ns":0}`,
		`{"count":1,"sum_ns":1,"max_ns":1,"index":[],"counts":[]}`,
		`{"count":1,"sum_ns":1,"max_ns":1,"index":[1]}`,
		`{"count":1,"sum_ns":1,"max_ns":1,"counts":[1]}`,
		`{"count":1,"sum_ns":1,"max_ns":1,"index":null,"counts":[1]}`,
		`{"count":1,"sum_ns":1,"max_ns":1,"index":[99999],"counts":[1]}`,
		`{"count":1,"sum_ns":1,"max_ns":1,"index":[-1],"counts":[1]}`,
		`{"count":18446744073709551615,"sum_ns":9999999999999999999,"max_ns":1}`,
		`{"count":18446744073709551616,"sum_ns":1,"max_ns":1}`,
		`{"count":1e3,"sum_ns":1,"max_ns":1}`, `{"count":1.5,"sum_ns":1,"max_ns":1}`, `{"count":01,"sum_ns":1,"max_ns":1}`,
		`{ "count": 1, "sum_ns": 1, "max_ns": 1 }`, `{"COUNT":1}`, `{"max_ns":1,"count":2}`,
		`{"count":1,"sum_ns":1,"max_ns":1,"new":{}}`, `{"count":1,"count":2}`, `null`, `[]`, `{}`, `{"count":"1"}`,
	}
}

// An older value is kept where the text says nothing, as when a name occurs twice.
func TestHistogramsAreReadAsEncodingJSONWould(t *testing.T) {
	for _, text := range histogramTexts() {
		sameAsEncodingJSON(t, []byte(text), report.Histogram{})
		sameAsEncodingJSON(t, []byte(text), report.Histogram{Count: 9, MaxNS: 9, Index: []int{1, 2, 3, 4}, Counts: []uint64{9}})
	}
}

func FuzzHistogramJSON(f *testing.F) {
	for _, text := range histogramTexts() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) { sameAsEncodingJSON(t, data, report.Histogram{}) })
}
