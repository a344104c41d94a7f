package collector

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
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
