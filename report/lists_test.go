package report_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/compare"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/table"
)

// bare is a report whose lists are all nil.
func bare() *report.Report {
	r := reporttest.Bundled(1, 2)
	r.Trials[0].Cores[1].Classes, r.Trials[0].Cores[1].Slices = nil, nil
	r.Trials[1].Workers = nil
	r.Trials[2].Cores = nil
	r.Setup.Modes, r.Setup.CPUs, r.Host.Mitigations = nil, nil, nil
	return r
}

// Every empty list is [] in a file, and encoding does not change the report in memory.
func TestListsWithoutEntriesAreWrittenAsSuch(t *testing.T) {
	still := &report.Report{Schema: report.SchemaVersion, Trials: []report.Trial{{
		Mode: report.SystemMode, System: &report.System{},
	}}}
	for what, r := range map[string]*report.Report{
		"bare": bare(), "empty": {Schema: report.SchemaVersion}, "still system": still,
	} {
		text := encode(t, r)
		if bytes.Contains(text, []byte("null")) {
			t.Errorf("%s: it has null: %.300s", what, text[bytes.Index(text, []byte("null"))-30:])
		}
		if err := reporttest.CheckSchema(text); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	r := bare()
	encode(t, r)
	if r.Trials[0].Cores[1].Slices != nil || r.Trials[2].Cores != nil || still.Trials[0].System.Tasks != nil {
		t.Error("writing a report has changed it")
	}
}

// older returns a report's file as the previous version wrote it: null for empty lists, and without
// newer fields.
func older(t *testing.T, r *report.Report) string {
	t.Helper()
	text := string(encode(t, r))
	for _, change := range [][2]string{
		{`"(modes|cpus|cores|workers|classes|slices)":\[\]`, `"$1":null`},
		{`,"(pcid|invpcid|nested_paging)":"[a-z]*"`, ""},
		{`,"started_ns":[0-9]+`, ""},
	} {
		was := text
		if text = regexp.MustCompile(change[0]).ReplaceAllString(text, change[1]); text == was {
			t.Fatalf("there is no %s", change[0])
		}
	}
	return text
}

// rows returns the rows of a table as fields by the names of their columns.
func rows(t *testing.T, r *report.Report, name string) []map[string]string {
	t.Helper()
	all, err := reporttest.Rows(r, name)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A file of the previous version can be read, keeps its ID, and fills the tables except for what
// was not stored then.
func TestReportsOfTheVersionBefore(t *testing.T) {
	text := older(t, bare())
	if strings.Count(text, "null") != 6 {
		t.Fatalf("%d lists are null", strings.Count(text, "null"))
	}
	old, err := report.Decode(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := bare()
	want.Host.PCID, want.Host.INVPCID, want.Host.NestedPaging = "", "", ""
	for i := range want.Trials {
		want.Trials[i].StartedNS = nil
	}
	if old.ID() != want.ID() {
		t.Errorf("read, it is %s, and before it was written %s", old.ID(), want.ID())
	}
	again, err := report.Decode(bytes.NewReader(encode(t, old)))
	if err != nil {
		t.Fatal(err)
	}
	if again.ID() != old.ID() {
		t.Errorf("written again it is %s, and was %s", again.ID(), old.ID())
	}
	for _, name := range table.Names() {
		if diff := cmp.Diff(rows(t, want, name), rows(t, old, name)); diff != "" {
			t.Errorf("table %s (-want +read):\n%s", name, diff)
		}
	}
	if row := rows(t, old, "trials")[1]; row["started_ns"] != "" || row["trial"] != "2" || row["load"] != "spin" {
		t.Errorf("trial 2 is %v", row)
	}
	c, err := compare.Reports([]compare.Input{{Name: "old", Report: old}},
		[][]compare.Input{{{Name: "new", Report: bare()}}}, compare.Options{})
	if err != nil || len(c.Pairs) != 1 || len(c.Pairs[0].Differences) != 0 {
		t.Errorf("what an older report does not tell is a difference: %+v", c.Pairs)
	}
}

// The ID that the previous version computed for a report.
func TestReportsKeepTheirName(t *testing.T) {
	r := bare()
	r.Host.PCID, r.Host.INVPCID, r.Host.NestedPaging = "", "", ""
	r.Host.Mitigations = []string{}
	for i := range r.Trials {
		r.Trials[i].StartedNS = nil
	}
	if id := r.ID(); id != "20261122T201100Z-71b21f01" {
		t.Errorf("it is %s", id)
	}
}

func TestAStartBeforeTheRunIsRefused(t *testing.T) {
	r := reporttest.Command()
	*r.Trials[0].StartedNS = -1
	if _, err := report.Decode(bytes.NewReader(encode(t, r))); err == nil || !strings.Contains(err.Error(), "start") {
		t.Errorf("error is %v", err)
	}
}
