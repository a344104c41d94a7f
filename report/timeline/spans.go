package timeline

import (
	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
)

// spans divides a trial's time into equal parts and counts the slices that ended in each:
// those of its workers, and those of all tasks.
type spans struct{ workers, all [512]int }

func (s *spans) take(b *recording.Block, m recording.Mark) {
	length := m.EndNS - m.StartNS
	if length <= 0 {
		return
	}
	workers := make(map[sched.TID]bool, len(m.Workers))
	for _, tid := range m.Workers {
		workers[tid] = true
	}
	for i := range b.Events {
		e := &b.Events[i]
		at := e.TimeNS - m.StartNS
		if e.Kind != recording.Switch || e.Prev == 0 || e.SliceNS < 0 || at < 0 || at >= length {
			continue
		}
		part := int(float64(at) / float64(length) * float64(len(s.all)))
		part = min(part, len(s.all)-1)
		s.all[part]++
		if workers[e.Prev] {
			s.workers[part]++
		}
	}
}

// middle returns a time with as many slices before it as after it. It counts the workers'
// slices, or those of all tasks if the workers have none. ok is false if there are no slices.
func (s *spans) middle(m recording.Mark) (ns int64, ok bool) {
	for _, parts := range []*[512]int{&s.workers, &s.all} {
		sum := 0
		for _, n := range parts {
			sum += n
		}
		seen := 0
		for i, n := range parts {
			if seen += n; sum > 0 && 2*seen >= sum {
				return m.StartNS + int64((float64(i)+0.5)/float64(len(parts))*float64(m.EndNS-m.StartNS)), true
			}
		}
	}
	return 0, false
}
