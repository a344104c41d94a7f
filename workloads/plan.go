//go:build linux

package workloads

import (
	"context"
	"time"
)

// Mode says how a trial's workers are held.
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

// Plan says which trials to run and how.
type Plan struct {
	Workloads []Workload
	Modes     []Mode
	// Rounds is how often each workload runs in each mode.
	Rounds int
	// Duration is how long each trial's workers work.
	Duration time.Duration
	// Operations, when above 0, replaces Duration: each worker (in pipe, each
	// pair's leader) stops after that many.
	Operations int64
	// Workers is the number of workers, or 0 for each workload's default on the
	// cores at hand.
	Workers int
	// CPUs are the cores that workers may run on, or nil for every core that
	// this process may run on.
	CPUs []int
	// User is who worker hosts run as, or nil for this process's own user.
	User *Credential
}

// Trial is one workload in one mode in one round, with every default resolved.
type Trial struct {
	Workload string
	Mode     Mode
	// Round counts from 1.
	Round   int
	Workers int
	// Duration is 0 when Operations is set.
	Duration time.Duration
	// Operations is 0 when the trial ends by time.
	Operations int64
	CPUs       []int
}

// Trials returns the plan's trials in running order. Rounds are outermost, and
// the order of modes is reversed in every second round, so that drift hits the
// modes alike. Call Validate first.
func (p Plan) Trials() []Trial {
	cpus := p.CPUs
	if cpus == nil {
		// Validate reports the error; without cores no trial can run.
		cpus, _ = allowedCPUs()
	}
	var trials []Trial
	for round := 1; round <= p.Rounds; round++ {
		for _, w := range p.Workloads {
			for i := range p.Modes {
				if round%2 == 0 {
					i = len(p.Modes) - 1 - i
				}
				t := Trial{
					Workload: w.Name, Mode: p.Modes[i], Round: round,
					Workers: p.Workers, Duration: p.Duration, CPUs: cpus,
				}
				if t.Workers == 0 {
					t.Workers = w.workers(len(cpus))
				}
				if p.Operations > 0 {
					t.Duration, t.Operations = 0, p.Operations
				}
				trials = append(trials, t)
			}
		}
	}
	return trials
}

// Run runs every trial in order and reports each to o. When ctx ends it kills
// the hosts of the current trial and returns ctx.Err(); the trials that had
// finished have been reported. It returns an error of o's unchanged.
func (p Plan) Run(ctx context.Context, o Observer) error {
	if err := p.Validate(); err != nil {
		return err
	}
	for _, t := range p.Trials() {
		if err := Run(ctx, t, p.User, o); err != nil {
			return err
		}
	}
	return nil
}
