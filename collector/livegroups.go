package collector

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/collector/hostinfo/cgroup"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// liveGroups finds out what the control groups of tasks are, and what the kernel counts for them.
type liveGroups struct {
	resolver *cgroup.Resolver // nil where no hierarchy can be seen
	version  int              // of the hierarchy; 0: none
	missing  error            // why there is no resolver
	before   map[uint64]cgroup.Counters
}

func newLiveGroups() *liveGroups {
	g := &liveGroups{before: make(map[uint64]cgroup.Counters)}
	if g.resolver, g.missing = cgroup.NewResolver(cgroup.Options{}); g.missing == nil {
		g.version = g.resolver.Hierarchy().Version
	}
	return g
}

func (g *liveGroups) close() error {
	if g.resolver == nil {
		return nil
	}
	err := g.resolver.Close()
	g.resolver = nil
	return err
}

// DescribeGroups fills in s.Groups: the groups of the tasks of s and of why, which may be nil, and those whose
// quota stopped them, which may have no task that did anything. A task counts from then on for the unit or
// container that its own group belongs to.
func (l *Live) DescribeGroups(s *report.System, why *report.Why) {
	g := l.groups
	owners := make(map[uint64]uint64)
	found := make(map[uint64]report.Group)
	owner := func(id uint64) uint64 {
		if own, ok := owners[id]; ok {
			return own
		}
		group := g.describe(id)
		owners[id] = group.ID
		found[group.ID] = group
		return group.ID
	}
	for i := range s.Tasks {
		s.Tasks[i].Group = owner(s.Tasks[i].Group)
	}
	for i := range s.Ended {
		s.Ended[i].Group = owner(s.Ended[i].Group)
	}
	if why != nil {
		for i := range why.Waits {
			why.Waits[i].Group = owner(why.Waits[i].Group)
		}
		for i := range why.Pairs {
			for _, t := range []*report.PairTask{why.Pairs[i].Task, why.Pairs[i].By} {
				if t != nil {
					t.Group = owner(t.Group)
				}
			}
		}
	}
	counters := make(map[uint64]cgroup.Counters)
	for id, group := range found {
		counters[id] = g.count(&group)
		s.Groups = append(s.Groups, group)
	}
	for id, before := range g.before {
		if _, ok := found[id]; ok || !hasQuota(before) {
			continue
		}
		group := g.describe(id)
		counters[id] = g.count(&group)
		if q := group.Throttling; q != nil && (q.Times > 0 || q.NS > 0) {
			s.Groups = append(s.Groups, group)
		}
	}
	g.before = counters
	slices.SortFunc(s.Groups, func(a, b report.Group) int { return cmp.Compare(a.ID, b.ID) })
}

// count reads a group's counters, and fills in what they have gained since they were read before.
func (g *liveGroups) count(group *report.Group) cgroup.Counters {
	if g.resolver == nil {
		return cgroup.Counters{}
	}
	now := g.resolver.Counters(group.ID)
	if before, ok := g.before[group.ID]; ok {
		group.Throttling, group.Pressure = throttlingSince(now, before), pressureSince(now, before)
	}
	return now
}

// hasQuota reports whether a group has, or had, a quota of its own.
func hasQuota(c cgroup.Counters) bool { return c.Periods != nil && *c.Periods > 0 }

// MatchGroups returns how many control groups a pattern means at the moment. The error says why none can be
// seen.
func (l *Live) MatchGroups(p cgroup.Pattern) (int, error) {
	if l.groups.resolver == nil {
		return 0, l.groups.missing
	}
	found, err := l.groups.resolver.Match(p)
	return len(found), err
}

// GroupFits reports whether a pattern means the control group of this number.
func (l *Live) GroupFits(p cgroup.Pattern, id uint64) bool {
	return l.groups.resolver != nil && l.groups.resolver.Matches(p, id)
}

// MostPIDs is how many processes TellApart takes.
const MostPIDs = bpf.MostToldApart

// TellApart makes the threads of a process that begin and end within an interval have rows of their own.
func (l *Live) TellApart(pid sched.PID) error { return l.objs.TellApart(uint32(pid)) }

func (g *liveGroups) describe(id uint64) report.Group {
	if g.resolver == nil {
		return report.Group{ID: id, Kind: cgroup.Group{}.Kind.String(), Name: fmt.Sprintf("cgroup %d", id)}
	}
	group := g.resolver.Owner(id)
	return report.Group{ID: group.ID, Path: group.Path, Kind: group.Kind.String(), Name: group.Name}
}

// throttlingSince is nil where the kernel counts none.
func throttlingSince(now, before cgroup.Counters) *report.Throttling {
	if now.Throttled == nil || now.ThrottledTime == nil || before.Throttled == nil || before.ThrottledTime == nil {
		return nil
	}
	return &report.Throttling{
		Times: *now.Throttled - min(*now.Throttled, *before.Throttled),
		NS:    max(0, (*now.ThrottledTime - *before.ThrottledTime).Nanoseconds()),
	}
}

// pressureSince is nil where the kernel does not measure it.
func pressureSince(now, before cgroup.Counters) *report.Pressure {
	if now.Some == nil || before.Some == nil {
		return nil
	}
	gained := func(now, before *time.Duration) int64 {
		if now == nil || before == nil {
			return 0
		}
		return max(0, (*now - *before).Nanoseconds())
	}
	return &report.Pressure{SomeNS: gained(now.Some, before.Some), FullNS: gained(now.Full, before.Full)}
}
