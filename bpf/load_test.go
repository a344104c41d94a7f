package bpf

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

func load(t *testing.T, o Options) (*Objects, error) {
	t.Helper()
	bpftest.Require(t)
	kernel, err := ReadKernel()
	if err != nil {
		t.Fatal(err)
	}
	return Load(kernel, o)
}

// names of the hooks in attaching order
func names(objs *Objects) []string {
	var list []string
	for _, h := range append([]Hook{objs.Pick, objs.Switch}, objs.Hooks...) {
		list = append(list, h.Name)
	}
	return list
}

func TestLoadAttachesSwitchLast(t *testing.T) {
	objs, err := load(t, Options{Cores: 1, Tasks: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer objs.Close()
	list := names(objs)
	if list[len(list)-1] != "sched_switch" {
		t.Errorf("hooks are attached in the order %v", list)
	}
	for _, h := range objs.Hooks {
		if h.Program == nil {
			t.Errorf("hook %s has no program", h.Name)
		}
	}
}

// What bounds the phases follows from what is to be avoided and from what the kernel has.
func TestLoadAvoids(t *testing.T) {
	older := PhaseTracepoints | FentryHooks
	for _, avoid := range []HookSet{PhaseTracepoints, older, older | KprobeHooks} {
		objs, err := load(t, Options{Cores: 1, Tasks: 1, Avoid: avoid})
		if err != nil {
			t.Fatal(err)
		}
		defer objs.Close()
		t.Logf("avoid %b: pick by %q, switch by %q; fentry refused: %v",
			avoid, objs.Pick.Name, objs.Switch.Name, objs.FentryRefused)
		for _, h := range []Hook{objs.Pick, objs.Switch} {
			if h.Set&avoid != 0 {
				t.Errorf("avoid %b: a phase is bounded by %s", avoid, h.Name)
			}
			if h.Name != "" && h.Program == nil {
				t.Errorf("avoid %b: %s has no program", avoid, h.Name)
			}
		}
		if objs.Pick.Name == "" {
			t.Errorf("avoid %b: the pick phase is bounded by nothing", avoid)
		}
		if usable := hasKprobes() && avoid&KprobeHooks == 0; usable && objs.Switch.Name == "" {
			t.Errorf("avoid %b: the kernel has kprobes, and the switch phase is bounded by nothing", avoid)
		}
		if avoid&KprobeHooks != 0 && objs.Switch.Name != "" {
			t.Errorf("avoid %b: the switch phase is bounded by %s", avoid, objs.Switch.Name)
		}
	}
}

func TestLoadRefusesEmptyMaps(t *testing.T) {
	for _, o := range []Options{{}, {Cores: 1}, {Tasks: 1}, {Cores: -1, Tasks: 1}} {
		if objs, err := load(t, o); err == nil {
			objs.Close()
			t.Errorf("%+v: loaded", o)
		}
	}
}

// What could not be loaded is nil, so that nobody uses or closes it, also after a second try
// without fentry programs.
func TestLoadThatFailsReturnsNothing(t *testing.T) {
	bpftest.Require(t)
	kernel, err := ReadKernel()
	if err != nil {
		t.Fatal(err)
	}
	// A load that succeeds comes first: the library would remember what it finds out without files.
	whole, err := Load(kernel, Options{Cores: 1, Tasks: 1})
	if err != nil {
		t.Fatal(err)
	}
	whole.Close()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	// A few of the descriptors can be opened that maps and programs need.
	next, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = unix.Close(next)
	few := limit
	few.Cur = uint64(next) + 3
	for _, avoid := range []HookSet{0, PhaseTracepoints} {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
			t.Fatal(err)
		}
		objs, err := Load(kernel, Options{Cores: 1, Tasks: 1, Avoid: avoid})
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
		if err == nil {
			objs.Close()
			t.Fatalf("avoid %b: loaded with %d open files", avoid, few.Cur)
		}
		if objs != nil {
			t.Errorf("avoid %b: objects are returned beside the error %v", avoid, err)
		}
	}
}

func loadLightWay(t *testing.T, o LightOptions) *Light {
	t.Helper()
	bpftest.Require(t)
	kernel, err := ReadKernel()
	if err != nil {
		t.Fatal(err)
	}
	l, err := LoadLight(kernel, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// sched_switch is attached last, and wakeups are followed only where the kernel keeps no times.
func TestLoadLight(t *testing.T) {
	for _, o := range []LightOptions{
		{Cores: 1, Tasks: 1},
		{Cores: 1, Tasks: 1, OwnTimes: true},
		{Cores: 1, Tasks: 1, NoExchanges: true, CPUGroups: true},
		{Cores: 2, Tasks: 100_000, Avoid: PhaseTracepoints | FentryHooks},
	} {
		l := loadLightWay(t, o)
		wakeups := 0
		for _, h := range l.Hooks {
			if h.Program == nil {
				t.Errorf("%+v: hook %s has no program", o, h.Name)
			}
			if h.Name == "sched_wakeup" || h.Name == "sched_wakeup_new" {
				wakeups++
			}
		}
		if last := l.Hooks[len(l.Hooks)-1].Name; last != "sched_switch" {
			t.Errorf("%+v: %s is attached last", o, last)
		}
		if l.KernelTimes == (wakeups > 0) || o.OwnTimes && l.KernelTimes {
			t.Errorf("%+v: %d hooks of wakeups, kernel's times: %v", o, wakeups, l.KernelTimes)
		}
		if l.Pick.Name != "" && l.Pick.Program == nil || l.Pick.Set&o.Avoid != 0 {
			t.Errorf("%+v: pick by %+v", o, l.Pick)
		}
	}
}

// No core and no task are refused with a reason.
func TestLoadLightOfNothing(t *testing.T) {
	bpftest.Require(t)
	kernel, err := ReadKernel()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []LightOptions{{Cores: 0, Tasks: 1}, {Cores: 1, Tasks: 0}} {
		if l, err := LoadLight(kernel, o); err == nil {
			l.Close()
			t.Errorf("%+v is accepted", o)
		}
	}
}
