package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/collector/flight"
	"github.com/slicetrace/slicetrace/collector/hostinfo/cgroup"
	"github.com/slicetrace/slicetrace/report/sched"
)

// flightChoice tells a flight recorder which tasks can make a case.
type flightChoice struct {
	filter   *watchFilter              // of a watch of what runs already
	patterns map[string]cgroup.Pattern // of the groups that --when names
	groups   *cgroup.Resolver          // nil if none are named
}

// chooseTasks returns what decides for the recorder. What runs already is watched altogether.
func (o *runOptions) chooseTasks() (flight.Choice, error) {
	c := &flightChoice{filter: &o.watch.filter, patterns: o.flight.groups}
	choice := flight.Choice{Everyone: o.watch.asked()}
	if len(c.filter.pids)+len(c.filter.comms) > 0 {
		choice.Wanted = c.wanted
	}
	if len(c.patterns)+len(c.filter.patterns) > 0 {
		var err error
		if c.groups, err = cgroup.NewResolver(cgroup.Options{}); err != nil {
			return choice, err
		}
	}
	if len(c.patterns)+len(c.filter.patterns)+len(c.filter.uids) > 0 {
		choice.Belongs = c.belongs
	}
	return choice, nil
}

// wanted tells whether --pid and --comm have chosen a task.
func (c *flightChoice) wanted(t flight.Subject) bool {
	isProcess := len(c.filter.pids) == 0 || slices.Contains(c.filter.pids, int(t.TGID))
	return isProcess && c.filter.wantsComm(t.Comm, t.Process)
}

// belongs tells whether a task is in a group that --when names or, if that is "", whether --uid and --cgroup have
// chosen it.
func (c *flightChoice) belongs(tid sched.TID, group string) (is, known bool) {
	if group != "" {
		return c.inOneOf(tid, []cgroup.Pattern{c.patterns[group]})
	}
	if len(c.filter.uids) > 0 {
		uid, known := uidOf(fmt.Sprintf("/proc/%d", tid))
		if !known || !c.filter.wantsUID(uid) {
			return false, known
		}
	}
	if len(c.filter.patterns) > 0 {
		return c.inOneOf(tid, c.filter.patterns)
	}
	return true, true
}

func (c *flightChoice) inOneOf(tid sched.TID, patterns []cgroup.Pattern) (is, known bool) {
	id, known := c.groups.OfTask(int(tid))
	return known && slices.ContainsFunc(patterns, func(p cgroup.Pattern) bool { return c.groups.Matches(p, id) }), known
}

// parseGroup reads the group that a condition names, if it names one.
func (o *flightOptions) parseGroup(c flight.Condition) error {
	if c.Group == "" {
		return nil
	}
	pattern, err := cgroup.ParsePattern(c.Group)
	if err != nil {
		return err
	}
	if o.groups == nil {
		o.groups = make(map[string]cgroup.Pattern)
	}
	o.groups[c.Group] = pattern
	return nil
}

// findGroups says which of the groups that --when names there is not.
func (o *flightOptions) findGroups(l *collector.Live) error {
	for _, c := range o.when {
		if c.Group == "" {
			continue
		}
		n, err := l.MatchGroups(o.groups[c.Group])
		if err == nil && n == 0 {
			err = errors.New("no control group fits; with --wait, slicetrace waits for one")
		}
		if err != nil {
			return fmt.Errorf("--when %v: %w", c, err)
		}
	}
	return nil
}
