package collector

import (
	"cmp"
	"slices"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// readEnded adds the tasks that began and ended since the last reading.
func (t *liveTasks) readEnded(r *Reading) error {
	gained, err := t.ended.Read()
	if err != nil {
		return err
	}
	s := &r.System
	for key, sums := range gained {
		r.Ended += sums.Tasks
		// A task may be half added: then it can be one of those that differ before it is one of those that ended.
		r.Reconciled += sums.Tasks - min(sums.Tasks, sums.Unreconciled)
		s.Ended = append(s.Ended, endedTasks(&key, sums))
	}
	slices.SortFunc(s.Ended, func(a, b report.EndedTasks) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Comm, b.Comm), cmp.Compare(a.UID, b.UID),
			cmp.Compare(a.PID, b.PID))
	})
	return nil
}

func endedTasks(key *bpf.EndedKey, sums *bpf.EndedSums) report.EndedTasks {
	row := report.EndedTasks{
		Group: key.Cgroup, Comm: commText(&key.Comm), UID: key.Uid, PID: sched.PID(key.Tgid), Tasks: sums.Tasks,
	}
	row.OnCPUNS, row.WaitNS, row.ThrottledNS = int64(sums.OnCpu), int64(sums.Wait), int64(sums.Throttled)
	for i, cause := range report.Causes() {
		*row.EndedBy.At(cause) = sums.Slices[i]
	}
	row.Migrations = migrationsSince(sums.Moves, [bpf.Moves]uint64{})
	var none [len(sums.Dists.Waits)]uint32
	row.Waits = stepHistogram(sums.Dists.Waits[:], none[:], sums.Wait, sums.WaitMax)
	row.Slices = stepHistogram(sums.Dists.Slices[:], none[:], sums.OnCpu, 0)
	return row
}
