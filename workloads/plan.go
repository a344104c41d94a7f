//go:build linux

package workloads

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Mode is how a trial's workers are placed into processes.
type Mode string

// The modes.
const (
	// Processes gives each worker a process of its own.
	Processes Mode = "processes"
	// Threads holds all workers in one process.
	Threads Mode = "threads"
)

// Credential is the user that worker hosts and commands run as.
type Credential struct {
	UID, GID uint32
	// Groups are the supplementary groups.
	Groups []uint32
}

// Plan is which trials to run, and how.
type Plan struct {
	Workloads []Workload
	Modes     []Mode
	// Rounds is how often each workload runs in each mode.
	Rounds int
	// Duration is how long each trial's workers work, or 0 for each workload's
	// own default.
	Duration time.Duration
	// Operations, if above 0, replaces Duration: each worker stops after that
	// many. Where only some workers count operations (the leader of a pair, the
	// senders of messaging, the sleeping worker of interactive), the other workers
	// stop with them. In scale it is the number of operations of all workers together.
	Operations int64
	// Workers is the number of workers, or 0 for each workload's default on the
	// cores in use. Variants with a number of their own keep it.
	Workers int
	// CPUs are the cores that workers may run on, or nil for every core that
	// this process may run on.
	CPUs []CPU
	// User is who worker hosts run as, or nil for this process's own user.
	User *Credential
}

// Trial is one variant of a workload in one mode in one round, with every
// default resolved.
type Trial struct {
	Workload string
	// Variant is "" for the plain variant.
	Variant string
	Mode    Mode
	// Round counts from 1.
	Round   int
	Workers int
	// Duration is 0 when Operations is set.
	Duration time.Duration
	// Operations is 0 when the trial ends by time.
	Operations int64
	CPUs       []CPU
	// Attempt counts from 1 in Plan.Run, which runs a trial again if no worker completed
	// an operation.
	Attempt int
}

// Trials returns the plan's trials in running order. Rounds are outermost, and
// the order of modes is reversed in every second round, so that drift affects both
// modes equally. Call Validate first.
func (p Plan) Trials() []Trial {
	cpus := p.CPUs
	if cpus == nil {
		// Validate reports the error; without cores no trial can run.
		cpus, _ = allowedCPUs()
	}
	var trials []Trial
	for round := 1; round <= p.Rounds; round++ {
		for _, w := range p.Workloads {
			for _, v := range w.Variants(len(cpus)) {
				for i := range p.Modes {
					if round%2 == 0 {
						i = len(p.Modes) - 1 - i
					}
					if !v.runsIn(p.Modes[i]) {
						continue
					}
					t := p.trial(w, v, cpus)
					t.Mode, t.Round = p.Modes[i], round
					trials = append(trials, t)
				}
			}
		}
	}
	return trials
}

// trial resolves the defaults of one variant of a workload.
func (p Plan) trial(w Workload, v Variant, cpus []CPU) Trial {
	t := Trial{Workload: w.Name, Variant: v.Name, Workers: v.Workers, Duration: p.Duration, CPUs: cpus}
	if t.Workers == 0 {
		t.Workers = p.Workers
	}
	if t.Workers == 0 {
		t.Workers = v.workers
	}
	if t.Workers == 0 {
		t.Workers = w.workers(len(cpus))
	}
	switch {
	case p.Operations > 0:
		t.Duration, t.Operations = 0, p.Operations
	case t.Duration == 0:
		t.Duration = cmp.Or(v.duration, w.duration)
	}
	return t
}

// resolve finds the trial's workload and variant in the catalogue.
func (t Trial) resolve() (Workload, Variant, error) {
	w, err := Find(t.Workload)
	if err != nil {
		return w, Variant{}, err
	}
	for _, v := range w.Variants(len(t.CPUs)) {
		if v.Name == t.Variant {
			return w, v, nil
		}
	}
	return w, Variant{}, fmt.Errorf("find variant: %s has no variant %q on %d cores",
		t.Workload, t.Variant, len(t.CPUs))
}

// Name returns the trial's workload with its variant, such as "spin one core".
func (t Trial) Name() string { return strings.TrimSpace(t.Workload + " " + t.Variant) }
