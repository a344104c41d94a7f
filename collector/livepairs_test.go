package collector

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// madePairs reads partners that no kernel changes.
func madePairs() (*livePairs, *bpf.Partners) {
	p := &livePairs{partners: make([]bpf.Partners, 2), seen: make(map[taskID]*seenPartners)}
	p.begin()
	return p, &p.partners[1]
}

// Whatever moment it is read at, what happened is counted once: also when a partner gives its place to another,
// and when the slot is given to another task.
func TestPairsAreReadOnce(t *testing.T) {
	p, k := madePairs()
	task := &report.Task{PID: 5, Comm: "loser", Process: "main", Group: 3}
	read := func(born uint64) map[string]uint64 {
		p.read(taskID{1, born}, task)
		got := map[string]uint64{}
		for _, pair := range p.next() {
			by := "others"
			if pair.Interrupt {
				by = "interrupt"
			} else if pair.By != nil {
				by = pair.By.Comm + " " + pair.By.Process
			}
			got[string(pair.Kind)+" by "+by] += pair.Count*1000 + uint64(pair.WaitNS)
			if pair.Task.PID != 5 || pair.Task.Process != "main" || pair.Task.Group != 3 {
				t.Errorf("it is of %+v", pair.Task)
			}
		}
		return got
	}
	want := func(what string, got, want map[string]uint64) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	k.Born = 70
	l := &k.Takers
	l.Who[2] = bpf.Partner{Turn: 1, Tgid: 5, Comm: [16]int8{'w'}}
	l.Sum[2] = bpf.PartnerSum{Count: 3, Wait: 40}
	l.Sum[12] = bpf.PartnerSum{Count: 1, Wait: 5}
	k.Wakers.Who[0].Turn = 1
	k.Wakers.Sum[0] = bpf.PartnerSum{Count: 2, Wait: 6}
	want("of another task", read(69), map[string]uint64{})
	want("at first", read(70), map[string]uint64{
		"taken by w main": 3040, "taken by others": 1005, "woken by interrupt": 2006,
	})
	want("nothing new", read(70), map[string]uint64{})
	l.Sum[2] = bpf.PartnerSum{Count: 4, Wait: 40}
	want("between a count and its wait", read(70), map[string]uint64{"taken by w main": 1000})
	l.Sum[2].Wait, l.Sum[12].Count = 47, 2
	want("the rest of it", read(70), map[string]uint64{"taken by w main": 7, "taken by others": 1000})
	l.Changes, l.Sum[2].Count = 1, 6
	want("while a place changes hands", read(70), map[string]uint64{})
	// It had 4 and 47 when it was read, and 2 and 10 more since.
	l.Sum[2].Wait = 57
	l.Sum[12].Count, l.Sum[12].Wait = l.Sum[12].Count+l.Sum[2].Count, l.Sum[12].Wait+l.Sum[2].Wait
	l.Who[2], l.Sum[2] = bpf.Partner{Turn: 2, Tgid: 9, Comm: [16]int8{'x'}}, bpf.PartnerSum{Count: 9, Wait: 90}
	l.Changes = 2
	want("its successor", read(70), map[string]uint64{"taken by x ": 9090, "taken by others": 2010})
	for range 2 { // of the first, 9 and 90 are known, and of the second nothing
		l.Sum[12].Count, l.Sum[12].Wait = l.Sum[12].Count+l.Sum[2].Count, l.Sum[12].Wait+l.Sum[2].Wait
		l.Who[2].Turn, l.Sum[2] = l.Who[2].Turn+1, bpf.PartnerSum{Count: 1, Wait: 5}
	}
	want("two of them", read(70), map[string]uint64{"taken by x ": 1005, "taken by others": 1005})
	l.Sum[2] = bpf.PartnerSum{}
	want("while the slot is given to another task", read(70), map[string]uint64{})
	k.Born, l.Sum[2] = 71, bpf.PartnerSum{Count: 1, Wait: 1}
	want("the other task", read(71), map[string]uint64{
		"taken by x ": 1001, "taken by others": 18157, "woken by interrupt": 2006,
	})
}

// Any number of tasks can end in an interval: their pairs take bounded room, and none is lost. Those that come up most
// often keep their names, with those of their processes.
func TestPairsOfManyEndedTasks(t *testing.T) {
	p, _ := madePairs()
	const tasks = 3 * mostPairs
	var often *bpf.Partners
	for i := range tasks {
		o := &bpf.TaskExit{Slot: 1}
		o.Task.Born = uint64(100 + i)
		k := &bpf.Partners{Born: o.Task.Born, Process: [16]int8{'m'}}
		k.Owner = bpf.Partner{Tgid: uint32(1_000_000 + i), Comm: [16]int8{'c'}}
		k.Takers.Who[0] = bpf.Partner{Turn: 1, Tgid: 99, Comm: [16]int8{'k'}, Flags: kernelThread}
		k.Takers.Sum[0] = bpf.PartnerSum{Count: 2, Wait: 1000}
		if i == 7 {
			often = k
			k.Takers.Sum[0].Count = 1_000_000
		}
		p.addEnded(o, k)
		if len(p.sums) > mostPairs+2 || len(p.processes) > mostPairs+2 {
			t.Fatalf("after %d tasks there are %d pairs and %d processes", i, len(p.sums), len(p.processes))
		}
	}
	if len(p.seen) > 0 {
		t.Errorf("%d tasks that ended are still known", len(p.seen))
	}
	var count uint64
	var wait int64
	found := false
	for _, pair := range p.nextNamed() {
		count, wait = count+pair.Count, wait+pair.WaitNS
		if pair.Task != nil && pair.Task.PID == sched.PID(often.Owner.Tgid) {
			found = pair.Task.Process == "m" && pair.Count == 1_000_000 && pair.By.Process == "k"
		}
	}
	if count != 2*(tasks-1)+1_000_000 || wait != 1000*tasks || !found {
		t.Errorf("the pairs have %d times and %d ns; the most frequent one is there: %v", count, wait, found)
	}
}

// A task that was read while it was alive is not counted again when it ends, also where its place has been given to
// another one since, which was read before its record comes.
func TestPairsOfTasksThatEndLater(t *testing.T) {
	p, k := madePairs()
	const others = len(k.Takers.Who)
	k.Born, k.Owner.Tgid = 70, 5
	k.Takers.Sum[others] = bpf.PartnerSum{Count: 4, Wait: 40}
	p.readWatched(1, &bpf.WatchedTask{Key: 1000, Born: 70})
	p.readWatched(1, &bpf.WatchedTask{Key: 1000, Born: 70, Counted: 1}) // is added up when it ends
	ended := *k
	ended.Takers.Sum[others].Count = 5
	k.Born = 80
	p.readWatched(1, &bpf.WatchedTask{Key: 1000, Born: 70}) // as its record was copied
	p.readWatched(1, &bpf.WatchedTask{Key: 1000, Born: 80})
	p.addEnded(&bpf.TaskExit{Slot: 1, Task: bpf.WatchedTask{Born: 70}}, &ended)
	var count uint64
	for _, pair := range p.nextNamed() {
		count += pair.Count
	}
	if count != 5+4 {
		t.Errorf("%d times are counted, want 5 of the first task and 4 of the second", count)
	}
	p.forget(func(id taskID) bool { return id.born != 80 })
	if len(p.seen) != 1 {
		t.Errorf("%d tasks are known, want the one that is alive", len(p.seen))
	}
}
