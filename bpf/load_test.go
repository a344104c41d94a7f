package bpf

import (
	"slices"
	"testing"

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
	kinds := []HookKind{Tracepoint, Fentry, Kprobe}
	for _, avoid := range []HookKinds{Tracepoints, Tracepoints | Fentries, Tracepoints | Fentries | Kprobes} {
		objs, err := load(t, Options{Cores: 1, Tasks: 1, Avoid: avoid})
		if err != nil {
			t.Fatal(err)
		}
		defer objs.Close()
		for phase, hook := range map[string]Hook{"pick": objs.Pick, "switch": objs.Switch} {
			t.Logf("avoid %b: %s by %q; fentry refused: %v", avoid, phase, hook.Name, objs.FentryRefused)
			allowed := slices.ContainsFunc(kinds, func(k HookKind) bool { return k == hook.Kind && !avoid.has(k) })
			if hook.Name != "" && !allowed {
				t.Errorf("avoid %b: %s is bounded by %s", avoid, phase, hook.Name)
			}
			if hook.Name == "" && hasKprobes() && !avoid.has(Kprobe) {
				t.Errorf("avoid %b: the kernel has kprobes, and %s is bounded by none", avoid, phase)
			}
			if hook.Name != "" && hook.Kind == Kprobe && !hasKprobes() {
				t.Errorf("avoid %b: the kernel has no kprobes, and %s is bounded by %s", avoid, phase, hook.Name)
			}
		}
		for _, name := range names(objs) {
			if name == "sched_entry_tp" || name == "sched_exit_tp" {
				t.Errorf("avoid %b: %s is attached to", avoid, name)
			}
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
