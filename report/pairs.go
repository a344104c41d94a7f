package report

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/slicetrace/slicetrace/report/sched"
)

// Pair is how often tasks of one name and process had to do with those of another one, and how long they then
// waited for a core. Both are counted when the wait is over. The slices of workers, or in a watch of System.Tasks,
// that ended by a tick, a wakeup or for another reason than these are in the pairs of kind PairTaken, and those that
// ended by blocking in the pairs of kind PairWoken: of a watch, one that still waited for its core is counted in the
// next interval.
type Pair struct {
	Kind PairKind `json:"kind"`
	// Task is the one that waited: it had lost its core, or was woken. By took that core, or woke it. Either is
	// nil for tasks that are not told apart, since there were too many, and By also for an interrupt.
	Task *PairTask `json:"task,omitempty"`
	By   *PairTask `json:"by,omitempty"`
	// Interrupt says that an interrupt woke the task.
	Interrupt bool   `json:"interrupt,omitempty"`
	Count     uint64 `json:"count"`
	WaitNS    int64  `json:"wait_ns"`
}

// PairKind is what a pair is of.
type PairKind string

// The kinds.
const (
	PairTaken PairKind = "taken" // By took the core of Task, which would have gone on
	PairWoken PairKind = "woken" // By woke Task
)

// PairTask is the tasks of one name in one process and control group.
type PairTask struct {
	PID sched.PID `json:"pid"`
	// Process is the name of the process's first thread, "" if it is not known. Comm is the tasks' own.
	Process string `json:"process,omitempty"`
	Comm    string `json:"comm"`
	// Group is the control group's ID, as in System.Groups, and UID the effective user.
	Group uint64 `json:"group"`
	UID   uint32 `json:"uid"`
	// Kernel is true for a thread of the kernel.
	Kernel bool `json:"kernel,omitempty"`
}

// Relation is what By is to Task.
type Relation string

// The relations, of which the first that fits counts.
const (
	ByKernel    Relation = "kernel" // By is a thread of the kernel
	BySelf      Relation = "self"   // of the same process
	BySameGroup Relation = "group"  // of the same control group
	ByOther     Relation = "other"  // of another one
)

// Relation returns "" if one of the two is not known, or is an interrupt.
func (p *Pair) Relation() Relation {
	switch {
	case p.Task == nil || p.By == nil:
		return ""
	case p.By.Kernel:
		return ByKernel
	case p.By.PID == p.Task.PID:
		return BySelf
	case p.By.Group == p.Task.Group:
		return BySameGroup
	}
	return ByOther
}

// PairKey is what pairs have in common that are added up.
type PairKey struct {
	Kind      PairKind
	Task, By  PairTask
	HasTask   bool
	HasBy     bool
	Interrupt bool
}

// Key returns the pair without its sums.
func (p *Pair) Key() PairKey {
	k := PairKey{Kind: p.Kind, HasTask: p.Task != nil, HasBy: p.By != nil, Interrupt: p.Interrupt}
	if p.Task != nil {
		k.Task = *p.Task
	}
	if p.By != nil {
		k.By = *p.By
	}
	return k
}

// SortPairs sorts pairs by descending wait, and those that have the same wait by what they are.
func SortPairs(pairs []Pair) {
	slices.SortFunc(pairs, func(a, b Pair) int { return ComparePairs(&a, &b) })
}

// ComparePairs is the order of SortPairs.
func ComparePairs(a, b *Pair) int {
	side := func(t *PairTask) PairTask {
		if t == nil {
			return PairTask{}
		}
		return *t
	}
	order := cmp.Or(cmp.Compare(b.WaitNS, a.WaitNS), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Kind, b.Kind))
	if order != 0 {
		return order
	}
	at, bt, ab, bb := side(a.Task), side(b.Task), side(a.By), side(b.By)
	return cmp.Or(cmp.Compare(at.PID, bt.PID), cmp.Compare(at.Comm, bt.Comm), cmp.Compare(ab.PID, bb.PID),
		cmp.Compare(ab.Comm, bb.Comm), cmp.Compare(at.Group, bt.Group), cmp.Compare(ab.Group, bb.Group))
}

// MostPairs is how many pairs of each kind KeepMostPairs leaves of a trial, but for the one of the others.
const MostPairs = 1000

// KeepMostPairs adds up all but MostPairs pairs of each kind: those with the longest waits stay, and as many that
// occurred most often. The sums of each kind stay as they are.
func (w *Why) KeepMostPairs() {
	var kept []Pair
	for _, kind := range []PairKind{PairTaken, PairWoken} {
		var pairs []Pair
		for _, p := range w.Pairs {
			if p.Kind == kind {
				pairs = append(pairs, p)
			}
		}
		if len(pairs) > MostPairs {
			SortPairs(pairs)
			rest := pairs[MostPairs/2:]
			slices.SortStableFunc(rest, func(a, b Pair) int { return cmp.Compare(b.Count, a.Count) })
			others := Pair{Kind: kind}
			for _, p := range pairs[MostPairs:] {
				others.Count += p.Count
				others.WaitNS += p.WaitNS
			}
			pairs = append(pairs[:MostPairs], others)
		}
		kept = append(kept, pairs...)
	}
	SortPairs(kept)
	w.Pairs = kept
}

// maxPairs is far above what a run produces.
const maxPairs = 1 << 20

func validatePairs(pairs []Pair) error {
	if len(pairs) > maxPairs {
		return fmt.Errorf("%d pairs are more than %d", len(pairs), maxPairs)
	}
	for i := range pairs {
		if err := pairs[i].validate(); err != nil {
			return fmt.Errorf("pair %d: %w", i, err)
		}
	}
	return nil
}

func (p *Pair) validate() error {
	switch {
	case p.Kind != PairTaken && p.Kind != PairWoken:
		return fmt.Errorf("kind %q is unknown", p.Kind)
	case p.WaitNS < 0:
		return errors.New("a negative time")
	case p.Interrupt && (p.By != nil || p.Kind != PairWoken):
		return errors.New("an interrupt is no task, and takes no core")
	}
	return nil
}
