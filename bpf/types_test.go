package bpf

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// The fields that the programs read are in this kernel, as wide as they are read.
func TestTypesOfThisKernel(t *testing.T) {
	kernel, err := ReadKernel()
	if err != nil {
		_, missing := os.Stat("/sys/kernel/btf/vmlinux")
		bpftest.Lacks(t, missing == nil, "no type information: %v", err)
	}
	read := make(map[string]bool)
	for _, object := range []string{"slicetrace", "light"} { // another architecture has other pt_regs
		types := loadSpec(t, object+"_"+hostTarget+"_bpfel.o").Types
		if err := checkTypes(types, kernel.types); err != nil {
			t.Errorf("%s: %v", object, err)
		}
		for _, name := range kernelTypesRead {
			n := len(structsNamed(types, name))
			read[name] = read[name] || n == 1
			if n > 1 {
				t.Errorf("%s has several types %s", object, name)
			}
		}
	}
	for _, name := range kernelTypesRead {
		if !read[name] {
			t.Errorf("the programs read no type %s", name)
		}
	}
}

// fakeStruct has members of the given sizes, all in one place.
func fakeStruct(name string, sizes map[string]uint32) *btf.Struct {
	s := &btf.Struct{Name: name, Size: 64}
	for _, field := range slices.Sorted(maps.Keys(sizes)) {
		var member btf.Type = &btf.Int{Name: "word", Size: sizes[field]}
		if words := sizes[field] / 8; words > 2 {
			index := &btf.Int{Name: "index", Size: 4}
			member = &btf.Array{Index: index, Type: &btf.Int{Name: "word", Size: 8}, Nelems: words}
		}
		s.Members = append(s.Members, btf.Member{Name: field, Type: member})
	}
	return s
}

// fakeKernel has the types that the programs read, with change applied.
func fakeKernel(t *testing.T, change func(task, thread, stamps map[string]uint32)) *btf.Spec {
	t.Helper()
	task := map[string]uint32{
		"__state": 4, "flags": 4, "exit_state": 4, "pid": 4, "tgid": 4, "mm": 8, "active_mm": 8,
		"nvcsw": 8, "nivcsw": 8, "comm": 16, "thread_info": 16, "prio": 4, "throttled": 1,
		"start_time": 8, "group_leader": 8, "cred": 8, "cgroups": 8, "stack": 8,
	}
	thread := map[string]uint32{"flags": 8, "status": 4, "cpu": 4}
	stamps := map[string]uint32{"pcount": 8, "run_delay": 8, "last_arrival": 8, "last_queued": 8}
	change(task, thread, stamps)
	thin := fakeStruct("task_struct", task)
	// The counters are in an unnamed struct, as in randomised layouts.
	inner := &btf.Struct{Size: 64}
	thin.Members = slices.DeleteFunc(thin.Members, func(m btf.Member) bool {
		if strings.HasSuffix(m.Name, "csw") {
			inner.Members = append(inner.Members, m)
			return true
		}
		return false
	})
	info := fakeStruct("sched_info", stamps)
	entity := fakeStruct("sched_entity", map[string]uint32{"cfs_rq": 8, "sum_exec_runtime": 8})
	queue := fakeStruct("cfs_rq", map[string]uint32{
		"throttle_count": 4, "rq": 8, "h_nr_queued": 4, "h_nr_runnable": 4, "h_nr_delayed": 4,
	})
	thin.Members = append(thin.Members, btf.Member{Type: inner}, btf.Member{Name: "sched_info", Type: info},
		btf.Member{Name: "se", Type: entity},
		btf.Member{Name: "in_iowait", Type: &btf.Int{Name: "unsigned int", Size: 4}, BitfieldSize: 1})
	core := fakeStruct("rq", map[string]uint32{"nr_running": 4, "clock": 8})
	core.Members = append(core.Members, btf.Member{Name: "cfs", Type: queue})
	set := fakeStruct("css_set", map[string]uint32{"dfl_cgrp": 8})
	word := &btf.Int{Name: "word", Size: 8}
	set.Members = append(set.Members, btf.Member{
		Name: "subsys", Type: &btf.Array{Index: word, Type: word, Nelems: 14},
	})
	b, err := btf.NewBuilder([]btf.Type{
		thin, fakeStruct("thread_info", thread), fakeStruct("hrtimer", map[string]uint32{"function": 8}),
		fakeStruct("pt_regs", map[string]uint32{
			"orig_ax": 8, "ip": 8, "sp": 8, "bp": 8, "di": 8, "syscallno": 4, "pstate": 8, "pc": 8, "regs": 31 * 8,
		}),
		info, entity, queue, core, set, fakeStruct("mm_struct", map[string]uint32{"start_stack": 8}),
		fakeStruct("cgroup", map[string]uint32{"kn": 8}), fakeStruct("kernfs_node", map[string]uint32{"id": 8}),
		fakeStruct("cgroup_subsys_state", map[string]uint32{"cgroup": 8}),
		fakeStruct("cred", map[string]uint32{"euid": 4}), fakeStruct("bpf_iter_meta", map[string]uint32{"seq": 8}),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := b.Marshal(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := btf.LoadSpecFromReader(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func TestCheckTypes(t *testing.T) {
	type fields = map[string]uint32
	for name, c := range map[string]struct {
		change func(task, thread, stamps fields)
		says   string
	}{
		"as built":    {func(_, _, _ fields) {}, ""},
		"before 6.18": {func(task, _, _ fields) { delete(task, "throttled") }, ""},
		"before 5.14": {func(task, _, _ fields) { delete(task, "__state"); task["state"] = 8 }, ""},
		"before 5.16": {func(task, thread, _ fields) { delete(thread, "cpu"); task["cpu"] = 4 }, ""},
		"no stamps":   {func(_, _, stamps fields) { clear(stamps) }, ""},
		"narrower stamp": {
			func(_, _, stamps fields) { stamps["last_queued"] = 4 },
			"sched_info.last_queued: it has 4 bytes, not 8",
		},
		"narrower counter": {func(task, _, _ fields) { task["nvcsw"] = 4 }, "task_struct.nvcsw: it has 4 bytes, not 8"},
		"no flags": {
			func(task, _, _ fields) { delete(task, "flags") },
			"task_struct.flags: it has no such field",
		},
		"no state at all": {func(task, _, _ fields) { delete(task, "__state") }, "it has no such field"},
		"wider state": {
			func(task, _, _ fields) { task["__state"] = 8 },
			"task_struct.__state: it has 8 bytes, not 4",
		},
	} {
		for _, object := range objectFiles {
			if !strings.HasPrefix(object, "slicetrace_") && !strings.HasPrefix(object, "light_") {
				continue
			}
			err := checkTypes(loadSpec(t, object).Types, fakeKernel(t, c.change))
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%s: %s: error is %v, want %q", object, name, err, c.says)
			}
		}
	}
}
