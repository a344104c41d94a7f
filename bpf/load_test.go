package bpf

import (
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
	for _, h := range objs.Hooks {
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

func TestLoadWithoutNewTracepoints(t *testing.T) {
	objs, err := load(t, Options{Cores: 1, Tasks: 1, NoPick: true, NoTracepointExit: true})
	if err != nil {
		t.Fatal(err)
	}
	defer objs.Close()
	if objs.Pick != "" {
		t.Errorf("pick is said to come from %q", objs.Pick)
	}
	if kprobe := hasKprobes(); (objs.Switch != "") != kprobe {
		t.Errorf("the switch phase is said to come from %q, kprobes %t", objs.Switch, kprobe)
	}
	for _, name := range names(objs) {
		if name == "sched_entry_tp" || name == "sched_exit_tp" {
			t.Errorf("%s is attached to", name)
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
