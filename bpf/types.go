package bpf

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// kernelTypesRead are the kernel's types whose fields the programs read: kernel.h
// and core_fixes.h have them, trimmed to those fields.
var kernelTypesRead = [...]string{
	"task_struct", "thread_info", "hrtimer", "pt_regs", "sched_info",
	"sched_entity", "cfs_rq", "rq", "css_set", "cgroup", "cgroup_subsys_state", "kernfs_node", "cred",
	"bpf_iter_meta",
	"task_struct___state", "task_struct___cpu",
}

// instead names, for a field that not every kernel has, the one that replaces it: see
// core_fixes.h.
var instead = map[string]string{
	"task_struct.__state":       "task_struct___state.state",
	"task_struct___state.state": "task_struct.__state",
	"thread_info.cpu":           "task_struct___cpu.cpu",
	"task_struct___cpu.cpu":     "thread_info.cpu",
}

// optional are the fields that the programs do without where a kernel lacks them.
var optional = map[string]bool{
	"sched_info.pcount":       true,
	"sched_info.run_delay":    true,
	"sched_info.last_arrival": true,
	"sched_info.last_queued":  true,

	"task_struct.throttled": true,
	"sched_entity.cfs_rq":   true,
	"cfs_rq.throttle_count": true,
	"cfs_rq.rq":             true,
	"cfs_rq.h_nr_queued":    true,
	"cfs_rq.h_nr_runnable":  true,
	"cfs_rq.h_nr_delayed":   true,
	"task_struct.cgroups":   true,
}

// checkTypes compares the fields of the programs' trimmed types with the kernel's. Loading
// adjusts the programs to where a field is, but not to how wide it is: a field of another
// width would be misread without an error.
func checkTypes(programs, kernel *btf.Spec) error {
	var fields []string
	problems := make(map[string]error)
	for _, name := range kernelTypesRead {
		for _, trimmed := range structsNamed(programs, name) {
			for _, m := range trimmed.Members {
				field := name + "." + m.Name
				fields = append(fields, field)
				problems[field] = checkField(kernel, name, m)
			}
		}
	}
	for _, field := range fields {
		err := problems[field]
		if errors.Is(err, errNoField) {
			other := instead[field]
			if optional[field] || other != "" && !errors.Is(problems[other], errNoField) {
				continue
			}
		}
		if err != nil {
			return fmt.Errorf("kernel's types differ from those that the programs were built for:"+
				" %s: %w: report it with the kernel's version", field, err)
		}
	}
	return nil
}

var errNoField = errors.New("it has no such field")

// checkField returns nil if one of the kernel's types of that name has the field, as wide
// as the programs read it. They may read only the start of an array. A struct within is
// trimmed too: its fields are checked under its own name.
func checkField(kernel *btf.Spec, name string, want btf.Member) error {
	name, _, _ = strings.Cut(name, "___") // a CO-RE flavour
	wide, err := btf.Sizeof(want.Type)
	if err != nil {
		return err
	}
	problem := errNoField
	for _, t := range structsNamed(kernel, name) {
		got, ok := findMember(t, want.Name)
		if !ok {
			continue
		}
		size, err := btf.Sizeof(got.Type)
		if err != nil {
			return err
		}
		_, isArray := btf.As[*btf.Array](got.Type)
		_, isStruct := btf.As[*btf.Struct](got.Type)
		bits := want.BitfieldSize != 0 // which the programs read wherever they are
		if bits == (got.BitfieldSize != 0) && (bits || size == wide || isArray && size > wide || isStruct) {
			return nil
		}
		problem = fmt.Errorf("it has %d bytes, not %d", size, wide)
	}
	return problem
}

// structsNamed returns the structs of exactly that name. A look-up by name also finds
// CO-RE flavours of it.
func structsNamed(spec *btf.Spec, name string) []*btf.Struct {
	var found []*btf.Struct
	types, _ := spec.AnyTypesByName(name) // fails only if there is no such type
	for _, t := range types {
		if s, ok := t.(*btf.Struct); ok && s.Name == name {
			found = append(found, s)
		}
	}
	return found
}

// findMember looks into unnamed structs and unions too, as CO-RE does.
func findMember(t btf.Type, name string) (btf.Member, bool) {
	var members []btf.Member
	switch t := btf.UnderlyingType(t).(type) {
	case *btf.Struct:
		members = t.Members
	case *btf.Union:
		members = t.Members
	}
	for _, m := range members {
		if m.Name == name {
			return m, true
		}
		if m.Name != "" {
			continue
		}
		if found, ok := findMember(m.Type, name); ok {
			return found, true
		}
	}
	return btf.Member{}, false
}
