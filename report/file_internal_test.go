package report

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestReadAtMost(t *testing.T) {
	if data, err := readAtMost(strings.NewReader("abc"), 3); err != nil || string(data) != "abc" {
		t.Errorf("read %q, %v", data, err)
	}
	if data, err := readAtMost(strings.NewReader("abcd"), 3); err == nil {
		t.Errorf("read %q beyond the limit", data)
	}
}

// Decode's fast paths are for files that Encode wrote. If they were not taken, only the time would
// show it.
func TestWhatIsWrittenIsReadTheShortWay(t *testing.T) {
	for n := 1; n < 4; n++ {
		var text strings.Builder
		if err := Encode(&text, &Report{Schema: SchemaVersion, Trials: make([]Trial, n)}); err != nil {
			t.Fatal(err)
		}
		raw, ok := splitWritten([]byte(text.String()))
		if !ok || len(raw.Trials) != n {
			t.Fatalf("%d trials are cut into %d, %v", n, len(raw.Trials), ok)
		}
		if _, err := raw.report(); err != nil {
			t.Errorf("one of %d trials is cut in the wrong place: %v", n, err)
		}
	}
}

func TestCausesAreCountedUnderTheirNames(t *testing.T) {
	for i, cause := range Causes() {
		var counts CauseCounts
		*counts.At(cause) = uint64(i + 1)
		text, err := json.Marshal(counts)
		if want := fmt.Sprintf(`{"%s":%d}`, cause, i+1); err != nil || string(text) != want {
			t.Errorf("%s is counted as %s, want %s; %v", cause, text, want, err)
		}
	}
	if new(CauseCounts).At("unheard of") != nil {
		t.Error("a cause that nobody knows is counted")
	}
}
