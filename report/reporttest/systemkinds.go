package reporttest

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report"
)

// serverKind describes tasks that do the same work.
type serverKind struct {
	comm, process string
	kernel        bool
	uid           uint32
	threads       int
	weight        float64
	sliceNS       float64 // the mean, 0 if slices never end
	waitNS        float64 // of a wait on a core with nothing else to do
	migrates      float64 // the share of switches-in that are on another core
	// endedBy has the share of slices that ended for each reason. The others are blocked.
	endedBy map[report.EndedBy]float64
}

func (k *serverKind) spins() bool { return k.sliceNS == 0 }

func serverKinds() []serverKind {
	const us, ms = 1e3, 1e6
	type by = map[report.EndedBy]float64
	const tick, wakeup, yield = report.EndedByTick, report.EndedByWakeup, report.EndedByYield
	return []serverKind{
		{comm: "postgres", process: "postgres", uid: 105, threads: 1, weight: 6, sliceNS: 38 * us, waitNS: 9 * us,
			migrates: 0.02, endedBy: by{tick: 0.01, wakeup: 0.02}},
		{comm: "nginx", process: "nginx", uid: 33, threads: 1, weight: 4, sliceNS: 21 * us, waitNS: 7 * us,
			migrates: 0.01, endedBy: by{wakeup: 0.05}},
		{comm: "kworker/3:1", process: "kworker/3:1", kernel: true, threads: 1, weight: 0.2, sliceNS: 6 * us,
			waitNS: 4 * us},
		{comm: "C2 CompilerThre", process: "java", uid: 1000, threads: 6, weight: 3, sliceNS: 900 * us,
			waitNS: 60 * us, migrates: 0.04, endedBy: by{tick: 0.55, wakeup: 0.2}},
		{comm: "redis-server", process: "redis-server", uid: 110, threads: 2, weight: 5, sliceNS: 14 * us,
			waitNS: 6 * us, endedBy: by{yield: 0.12, wakeup: 0.01}},
		{comm: "rcu_preempt", process: "rcu_preempt", kernel: true, threads: 1, weight: 0.1, sliceNS: 3 * us,
			waitNS: 3 * us, migrates: 0.3},
		{comm: "stress-ng-cpu", process: "stress-ng-cpu", uid: 1000, threads: 1, weight: 30, sliceNS: 3.6 * ms,
			waitNS: 2 * ms, endedBy: by{tick: 0.93, wakeup: 0.06}},
		{comm: "containerd-shim", process: "containerd-shim", threads: 4, weight: 0.3, sliceNS: 45 * us,
			waitNS: 11 * us, migrates: 0.08, endedBy: by{wakeup: 0.01, report.EndedByOther: 0.02}},
		{comm: "sshd", process: "sshd", threads: 1, weight: 0.05, sliceNS: 80 * us, waitNS: 15 * us},
		{comm: "node", process: "node", uid: 1001, threads: 3, weight: 5, sliceNS: 120 * us, waitNS: 30 * us,
			migrates: 0.05, endedBy: by{tick: 0.04, wakeup: 0.08, report.EndedByThrottled: 0.01}},
	}
}

// serverSpinner is a task that is never switched out.
func serverSpinner() *serverKind {
	return &serverKind{comm: "busyloop", process: "busyloop", uid: 1000, threads: 1, weight: 1}
}

// serverShortLived are tasks that are born and end within an interval.
func serverShortLived(i int) *serverKind {
	comm := []string{"sh", "cc1", "as", "ld", ""}[i]
	return &serverKind{comm: comm, process: comm, weight: 1, sliceNS: 400e3, waitNS: 20e3, migrates: 0.2,
		endedBy: map[report.EndedBy]float64{report.EndedByTick: 0.1, report.EndedByWakeup: 0.05}}
}

// serverGroups returns the root group and others below it.
func serverGroups(n int) []report.Group {
	groups := make([]report.Group, 0, n)
	for i := range max(1, n) {
		g := report.Group{ID: uint64(1 + 37*i)}
		switch turn := i / 5; {
		case i == 0:
			g.Path, g.Kind, g.Name = "/", "root", "/"
		case i%5 == 1:
			g.Kind, g.Name = "unit", fmt.Sprintf("db%d.service", turn)
			g.Path = "/system.slice/" + g.Name
		case i%5 == 2:
			g.Kind, g.Name = "container", fmt.Sprintf("4f1d%08x", 0x9a3c51e7+turn)
			g.Path = "/system.slice/docker-" + g.Name + ".scope"
		case i%5 == 3:
			g.Kind, g.Name = "pod", fmt.Sprintf("web-%d/server", turn)
			g.Path = fmt.Sprintf("/kubepods.slice/kubepods-burstable.slice/pod%d/cri-%d.scope", turn, turn)
		case i%5 == 4:
			g.Kind, g.Name = "session", fmt.Sprintf("session-%d.scope", turn)
			g.Path = "/user.slice/user-1000.slice/" + g.Name
		default:
			g.Kind, g.Name = "slice", fmt.Sprintf("batch%d.slice", turn)
			g.Path = "/" + g.Name
		}
		groups = append(groups, g)
	}
	return groups
}

// groupsNow returns the groups with what the kernel tells of them for the interval that run made.
// Every pod has a quota, and the root group has no pressure of its own.
func (s *server) groupsNow(durationNS int64) []report.Group {
	groups := make([]report.Group, len(s.groups))
	for i, g := range s.groups {
		if i > 0 {
			share := s.random.Int64N(300)
			g.Pressure = &report.Pressure{SomeNS: durationNS * share / 1000, FullNS: durationNS * share / 9000}
		}
		if g.Kind == "pod" {
			times := uint64(s.random.IntN(8))
			g.Throttling = &report.Throttling{Times: times, NS: int64(times) * 41_000_000}
		}
		groups[i] = g
	}
	return groups
}
