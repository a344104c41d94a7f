package main

import (
	"testing"

	"github.com/slicetrace/slicetrace/report"
)

// Pairs are kept by the task that waited, whoever took its core or woke it.
func TestFilteredPairs(t *testing.T) {
	task := func(comm, process string, uid uint32) *report.PairTask {
		return &report.PairTask{PID: 1, Comm: comm, Process: process, UID: uid}
	}
	pairs := []report.Pair{
		{Task: task("writer", "db", 5), By: task("other", "web", 6), Count: 1},
		{Task: task("db", "", 5), Interrupt: true, Count: 2},
		{Task: task("other", "web", 5), By: task("writer", "db", 5), Count: 4},
		{Task: task("writer", "db", 6), By: task("writer", "db", 5), Count: 8},
		{Count: 16},
	}
	for _, c := range []struct {
		filter watchFilter
		want   uint64 // the sum of the counts
	}{
		{watchFilter{}, 31},
		{watchFilter{comms: []string{"db"}}, 11},
		{watchFilter{comms: []string{"writer"}, users: []string{"5"}, uids: []uint32{5}}, 1},
		{watchFilter{users: []string{"5"}, uids: []uint32{5}}, 7},
	} {
		c.filter.processes = newNamedProcesses(nil)
		trial := report.Trial{System: &report.System{}, Why: &report.Why{Pairs: append([]report.Pair{}, pairs...)}}
		c.filter.apply(&trial)
		sum := uint64(0)
		for _, p := range trial.Why.Pairs {
			sum += p.Count
		}
		if sum != c.want {
			t.Errorf("with %q and %d, the pairs %05b are kept, want %05b", c.filter.comms, c.filter.uids, sum, c.want)
		}
	}
}
