package report_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"runtime"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

func TestShelfGivesBackWhatItGot(t *testing.T) {
	var shelf report.Shelf
	if got, err := shelf.Trials(); err != nil || len(got) != 0 {
		t.Fatalf("an empty one has %v, %v", got, err)
	}
	r, err := report.Decode(bytes.NewReader(encode(t, reporttest.Full(2, 2))))
	if err != nil {
		t.Fatal(err)
	}
	want := r.Trials
	for _, trial := range want {
		if err := shelf.Put(trial); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		got, err := shelf.Trials()
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatal("other trials came back")
		}
	}
}

// What is shelved takes less than half of what it takes as it is; real trials vary less than these.
func TestShelfIsSmall(t *testing.T) {
	const rounds = 12
	text, err := json.Marshal(reporttest.Full(rounds, 2).Trials)
	if err != nil {
		t.Fatal(err)
	}
	var shelf report.Shelf
	var trials []report.Trial
	asTheyAre := held(t, func() {
		if err := json.Unmarshal(text, &trials); err != nil {
			t.Fatal(err)
		}
	})
	shelved := held(t, func() {
		for _, trial := range trials {
			if err := shelf.Put(trial); err != nil {
				t.Fatal(err)
			}
		}
	})
	runtime.KeepAlive(text)
	runtime.KeepAlive(trials)
	runtime.KeepAlive(&shelf)
	t.Logf("%d trials take %d KiB, %d on the shelf", len(trials), asTheyAre>>10, shelved>>10)
	if shelved > asTheyAre/2 {
		t.Errorf("on the shelf %d trials take %d bytes, %d as they are", len(trials), shelved, asTheyAre)
	}
}

// held returns by how much f made the heap larger.
func held(t *testing.T, f func()) int64 {
	t.Helper()
	var before, after runtime.MemStats
	collect := func() { runtime.GC(); runtime.GC() } // what pools hold goes with the second
	collect()
	runtime.ReadMemStats(&before)
	f()
	collect()
	runtime.ReadMemStats(&after)
	return int64(after.HeapAlloc) - int64(before.HeapAlloc)
}
