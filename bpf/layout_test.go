package bpf

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/google/go-cmp/cmp"
)

// objectFiles are the compiled programs for both architectures.
var objectFiles = func() []string {
	var files []string
	for _, name := range []string{
		"slicetrace", "light", "floor", "others", "baseline/empty", "baseline/stamps", "baseline/slowdown",
	} {
		for _, target := range []string{"x86", "arm64"} {
			files = append(files, name+"_"+target+"_bpfel.o")
		}
	}
	return files
}()

// hostTarget is this architecture in an object's name.
var hostTarget = map[string]string{"amd64": "x86", "arm64": "arm64"}[runtime.GOARCH]

func loadSpec(t *testing.T, object string) *ebpf.CollectionSpec {
	t.Helper()
	spec, err := ebpf.LoadCollectionSpec(object)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// decoded are the C types by name, and the Go types that their bytes are read as.
var decoded = map[string]reflect.Type{
	"cpu_state":     reflect.TypeFor[CPUState](),
	"sums":          reflect.TypeFor[Sums](),
	"snapshot":      reflect.TypeFor[Snapshot](),
	"class_hists":   reflect.TypeFor[ClassHists](),
	"hist":          reflect.TypeFor[Hist](),
	"exited_counts": reflect.TypeFor[ExitedCounts](),
	"watched_task":  reflect.TypeFor[WatchedTask](),
	"task_exit":     reflect.TypeFor[TaskExit](),
	"events":        reflect.TypeFor[Events](),
	"event":         reflect.TypeFor[Event](),
	"event_buf":     reflect.TypeFor[EventBuf](),
	"task_name":     reflect.TypeFor[TaskName](),
	"globals":       reflect.TypeFor[Globals](),
	"places":        reflect.TypeFor[Places](),
	"wanted":        reflect.TypeFor[Wanted](),
}

// decodedLight are those of the light way.
var decodedLight = map[string]reflect.Type{
	"cpu_state":    reflect.TypeFor[CPUState](),
	"sums":         reflect.TypeFor[Sums](),
	"watched_task": reflect.TypeFor[WatchedTask](),
	"globals":      reflect.TypeFor[Globals](),
	"places":       reflect.TypeFor[Places](),
	"final_state":  reflect.TypeFor[FinalState](),
	"task_facts":   reflect.TypeFor[TaskFacts](),
	"dists":        reflect.TypeFor[Dists](),
	"ended_key":    reflect.TypeFor[EndedKey](),
	"ended_sums":   reflect.TypeFor[EndedSums](),
	"core_place":   reflect.TypeFor[CorePlace](),
	"clock_pair":   reflect.TypeFor[ClockPair](),
	"visited":      reflect.TypeFor[Visited](),
}

// The Go types that memory is decoded as have the layout of the compiled programs.
func TestLayoutsAreThoseOfTheObjects(t *testing.T) {
	for _, target := range []string{"x86", "arm64"} {
		spec := loadSpec(t, "slicetrace_"+target+"_bpfel.o")
		checkTypesOf(t, target, spec, decoded)
		light := loadSpec(t, "light_"+target+"_bpfel.o")
		checkTypesOf(t, target, light, decodedLight)
		if size := light.Maps["st_page"].ValueSize; size != uint32(reflect.TypeFor[CorePage]().Size()) {
			t.Errorf("%s: st_page holds %d bytes, not a CorePage", target, size)
		}
		for name, want := range map[string]reflect.Type{
			"st_cpus": decoded["cpu_state"], "st_sums": decoded["sums"], "st_snapshot_buf": decoded["snapshot"],
			"st_tasks": decoded["watched_task"], "st_event_bufs": decoded["event_buf"],
		} {
			m := spec.Maps[name]
			if m.ValueSize != uint32(want.Size()) || len(differences(name, want, m.Value)) > 0 {
				t.Errorf("%s: map %s holds %v of %d bytes, not %v of %d",
					target, name, m.Value, m.ValueSize, want, want.Size())
			}
		}
		if v := spec.Variables["st_globals"]; v.Size() != uint32(decoded["globals"].Size()) {
			t.Errorf("%s: st_globals has %d bytes", target, v.Size())
		}
	}
}

func checkTypesOf(t *testing.T, target string, spec *ebpf.CollectionSpec, decoded map[string]reflect.Type) {
	t.Helper()
	for name, typ := range decoded {
		var c *btf.Struct
		if err := spec.Types.TypeByName(name, &c); err != nil {
			t.Errorf("%s: type %s: %v", target, name, err)
			continue
		}
		for _, difference := range differences(name, typ, c) {
			t.Errorf("%s: %s", target, difference)
		}
	}
}

// differences compares a Go type with a C type, field by field, down to the integers.
func differences(path string, g reflect.Type, c btf.Type) []string {
	c = btf.UnderlyingType(c)
	size, err := btf.Sizeof(c)
	if err != nil || uintptr(size) != g.Size() {
		return []string{fmt.Sprintf("%s: %d bytes in C (%v), %d in Go", path, size, err, g.Size())}
	}
	switch c := c.(type) {
	case *btf.Int:
		return unlike(path, g, c, isInteger(g, c.Encoding == btf.Signed || c.Encoding == btf.Char))
	case *btf.Enum:
		return unlike(path, g, c, isInteger(g, c.Signed))
	case *btf.Array:
		if g.Kind() != reflect.Array || g.Len() != int(c.Nelems) {
			return unlike(path, g, c, false)
		}
		return differences(path+"[]", g.Elem(), c.Type)
	case *btf.Struct:
		return structDifferences(path, g, c)
	}
	return unlike(path, g, c, false)
}

func isInteger(g reflect.Type, signed bool) bool {
	switch g.Kind() {
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return !signed
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return signed
	}
	return false
}

func unlike(path string, g reflect.Type, c btf.Type, same bool) []string {
	if same {
		return nil
	}
	return []string{fmt.Sprintf("%s: %v in C, %v in Go", path, c, g)}
}

func structDifferences(path string, g reflect.Type, c *btf.Struct) []string {
	if g.Kind() != reflect.Struct {
		return unlike(path, g, c, false)
	}
	var fields []reflect.StructField
	for _, f := range reflect.VisibleFields(g) {
		if f.Name != "_" { // padding
			fields = append(fields, f)
		}
	}
	if len(fields) != len(c.Members) {
		return []string{fmt.Sprintf("%s: %d fields in C, %d in Go", path, len(c.Members), len(fields))}
	}
	var found []string
	for i, m := range c.Members {
		f := fields[i]
		if union, ok := m.Type.(*btf.Union); ok && m.Name == "" { // Go has its first field
			m.Name, m.Type = union.Members[0].Name, union.Members[0].Type
		}
		inner := path + "." + m.Name
		if plain(m.Name) != plain(f.Name) || m.Offset.Bytes() != uint32(f.Offset) || m.BitfieldSize != 0 {
			found = append(found,
				fmt.Sprintf("%s at %d in C, %s at %d in Go", inner, m.Offset.Bytes(), f.Name, f.Offset))
		}
		found = append(found, differences(inner, f.Type, m.Type)...)
	}
	return found
}

// plain is what the names of a field have in common in both languages.
func plain(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// The comparison finds differences of each kind.
func TestDifferencesAreFound(t *testing.T) {
	u64, u32 := &btf.Int{Name: "u64", Size: 8}, &btf.Int{Name: "u32", Size: 4}
	c := &btf.Struct{Name: "pair", Size: 16, Members: []btf.Member{
		{Name: "a_b", Type: u64}, {Name: "c", Type: u32, Offset: 64}, {Name: "d", Type: u32, Offset: 96},
	}}
	if got := differences("pair", reflect.TypeFor[struct {
		AB   uint64
		C, D uint32
	}](), c); len(got) > 0 {
		t.Errorf("the same type differs: %v", got)
	}
	for name, typ := range map[string]reflect.Type{
		"order": reflect.TypeFor[struct {
			AB   uint64
			D, C uint32
		}](),
		"offset": reflect.TypeFor[struct {
			C, D uint32
			AB   uint64
		}](),
		"size": reflect.TypeFor[struct {
			AB uint64
			C  uint32
		}](),
		"sign": reflect.TypeFor[struct {
			AB int64
			C  uint32
			D  uint32
		}](),
		"array": reflect.TypeFor[struct {
			AB uint64
			C  [2]uint16
			D  uint32
		}](),
	} {
		if len(differences("pair", typ, c)) == 0 {
			t.Errorf("another %s is not noticed", name)
		}
	}
}

// The bindings of both architectures are the same, so a test on one speaks for the other.
func TestBindingsAreAlike(t *testing.T) {
	for name, end := range map[string]string{
		"slicetrace": "// loadSlicetrace returns",
		"light":      "// loadLight returns",
	} {
		var types []string
		for _, target := range []string{"x86", "arm64"} {
			text, err := os.ReadFile(name + "_" + target + "_bpfel.go")
			if err != nil {
				t.Fatal(err)
			}
			_, rest, _ := strings.Cut(string(text), "package bpf")
			declared, _, ok := strings.Cut(rest, end)
			if !ok {
				t.Fatalf("bindings of %s for %s have no types", name, target)
			}
			types = append(types, declared)
		}
		if diff := cmp.Diff(types[0], types[1]); diff != "" {
			t.Errorf("types of %s (-x86 +arm64):\n%s", name, diff)
		}
	}
}
