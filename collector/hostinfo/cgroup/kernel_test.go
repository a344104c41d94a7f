package cgroup

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// eachHierarchy runs a test with the kernel's groups, in each hierarchy that is mounted, with ids
// opened and searched. top is a new group's directory, and name its path in the hierarchy.
func eachHierarchy(t *testing.T, test func(t *testing.T, r *Resolver, top, name string)) {
	bpftest.Require(t)
	ran := false
	for _, version := range []int{1, 2} {
		r, err := NewResolver(Options{Version: version})
		if err != nil {
			continue // it is not mounted, or a test below runs with the other one
		}
		h := r.Hierarchy()
		closeNow(t, r)
		for _, byHandle := range []bool{true, false} {
			if byHandle && !h.ByHandle {
				continue
			}
			ran = true
			t.Run(fmt.Sprintf("version %d, by handle %v", version, byHandle), func(t *testing.T) {
				r, err := NewResolver(Options{Version: version})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { closeNow(t, r) })
				r.hierarchy.ByHandle = byHandle
				name := fmt.Sprintf("/slicetrace-test-%d-%d", os.Getpid(), time.Now().UnixNano())
				makeGroup(t, r.dir+name)
				test(t, r, r.dir+name, name)
			})
		}
	}
	if !ran {
		bpftest.Unavailable(t, "no hierarchy of control groups is mounted")
	}
}

func closeNow(t testing.TB, r *Resolver) {
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func makeGroup(t testing.TB, dir string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		bpftest.Unavailable(t, fmt.Sprintf("no control group can be made: %v", err))
	}
	t.Cleanup(func() { removeGroup(t, dir) })
}

// removeGroup waits for processes that are about to end.
func removeGroup(t testing.TB, dir string) {
	t.Helper()
	err := os.Remove(dir)
	for range 100 {
		if err == nil || errors.Is(err, os.ErrNotExist) {
			return
		}
		time.Sleep(10 * time.Millisecond)
		err = os.Remove(dir)
	}
	t.Errorf("remove control group: %v", err)
}

func TestGroupsOfTheKernel(t *testing.T) {
	eachHierarchy(t, func(t *testing.T, r *Resolver, top, name string) {
		service := top + "/nginx.service"
		makeGroup(t, service)
		makeGroup(t, service+"/a (deleted)") // as the kernel marks a removed directory
		id, odd := idOf(t, service), idOf(t, service+"/a (deleted)")
		if g := r.Group(id); g.State != Present || g.Path != name+"/nginx.service" || g.Name != "nginx.service" {
			t.Errorf("service: %+v", g)
		}
		if g := r.Group(odd); g.State != Present || g.Path != name+"/nginx.service/a (deleted)" ||
			g.Owner != name+"/nginx.service" {
			t.Errorf("part of the service: %+v", g)
		}
		if g := r.Group(idOf(t, r.dir)); g.Kind != Root && r.Hierarchy().Whole {
			t.Errorf("topmost group: %+v", g)
		}
		c := &clock{time.Now().Add(time.Minute)}
		r.now = c.now
		if g := r.Group(1 << 62); g.State != Gone || !strings.HasSuffix(g.Name, "(gone)") {
			t.Errorf("no group: %+v", g)
		}
		if c := r.Counters(id); c.Usage == nil && c.Throttled == nil {
			t.Errorf("counters: %+v", c)
		}
		var chain []string
		for _, g := range r.Parents(odd) {
			chain = append(chain, g.Path)
		}
		if got, want := strings.Join(chain, " "), name+"/nginx.service "+name+" /"; got != want {
			t.Errorf("parents %s, want %s", got, want)
		}
		removeGroup(t, service+"/a (deleted)")
		removeGroup(t, service)
		if c := r.Counters(id); c != (Counters{}) {
			t.Errorf("counters of a removed group: %+v", c)
		}
		if g := r.Group(id); g.State != Gone || g.Name != "nginx.service" {
			t.Errorf("removed: %+v", g)
		}
		makeGroup(t, service)
		if c := r.Counters(id); c != (Counters{}) {
			t.Errorf("counters of a removed group whose name is in use again: %+v", c)
		}
		c.pass(time.Second)
		if g := r.Group(idOf(t, service)); g.State != Present || g.Name != "nginx.service" {
			t.Errorf("made again: %+v", g)
		}
	})
}

// A task's group is the one that it is in now, and is not known once the task has ended.
func TestGroupOfATask(t *testing.T) {
	eachHierarchy(t, func(t *testing.T, r *Resolver, top, _ string) {
		cmd := exec.Command("sleep", "100")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		end := func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // the error says that it was killed
		}
		defer end()
		pid := cmd.Process.Pid
		if id, known := r.OfTask(pid); !known || id == idOf(t, top) {
			t.Errorf("at first: %d, %v", id, known)
		}
		if err := os.WriteFile(top+"/cgroup.procs", fmt.Append(nil, pid), 0o644); err != nil {
			t.Fatal(err)
		}
		if id, known := r.OfTask(pid); !known || id != idOf(t, top) {
			t.Errorf("in the group: %d, %v, want %d", id, known, idOf(t, top))
		}
		end()
		if id, known := r.OfTask(pid); known {
			t.Errorf("at last: %d", id)
		}
	})
}

// A group that is removed before it is looked for, or after it was opened for that.
func TestRemovedWhileItIsFound(t *testing.T) {
	eachHierarchy(t, func(t *testing.T, r *Resolver, top, name string) {
		dir := top + "/short.service"
		makeGroup(t, dir)
		id := idOf(t, dir)
		fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		removeGroup(t, dir)
		if path, state := r.pathOf(fd); state != Gone || path != name+"/short.service" {
			t.Errorf("removed after it was opened: %q, %v", path, state)
		}
		if g := r.Group(id); g.State != Gone || g.Name != fmt.Sprintf("cgroup %d (gone)", id) {
			t.Errorf("%+v", g)
		}
		if c := r.Counters(id); c != (Counters{}) {
			t.Errorf("counters %+v", c)
		}
	})
}

// The files that stay open are bounded, and the figures do not depend on it.
func TestOpenFilesAreBounded(t *testing.T) {
	const groups, most = 40, 20
	eachHierarchy(t, func(t *testing.T, r *Resolver, top, _ string) {
		r.maxOpen = most
		c := &clock{time.Now()}
		r.now = c.now
		var ids []uint64
		for i := range groups {
			dir := fmt.Sprintf("%s/%d", top, i)
			makeGroup(t, dir)
			ids = append(ids, idOf(t, dir))
		}
		read := func(ids []uint64) {
			t.Helper()
			for _, id := range ids {
				if c := r.Counters(id); c.Usage == nil && c.Throttled == nil {
					t.Errorf("group %d has no counters", id)
				}
			}
		}
		before := openFiles(t)
		for range 3 {
			read(ids)
		}
		if n := openFiles(t) - before; n > most || n != r.open || n < most-4 {
			t.Errorf("%d files are open, %d are counted, of at most %d", n, r.open, most)
		}
		kept := r.known[ids[0]].files
		c.pass(idleBefore)
		read(ids[groups-5:])
		if kept == nil || r.known[ids[0]].files != nil || r.known[ids[groups-1]].files == nil {
			t.Error("files that are not read any more made no room")
		}
		for i := range groups {
			removeGroup(t, fmt.Sprintf("%s/%d", top, i))
		}
		for _, id := range ids {
			r.Counters(id)
		}
		if n := openFiles(t) - before; n != 0 || r.open != 0 {
			t.Errorf("%d files of removed groups are open, %d are counted", n, r.open)
		}
	})
}

func openFiles(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// A container that is given a part of the hierarchy cannot see other groups. It can count what
// happens in them, and name those that have processes.
func TestOutside(t *testing.T) {
	eachHierarchy(t, func(t *testing.T, r *Resolver, top, name string) {
		for _, dir := range []string{"/mine", "/mine/part", "/other.service"} {
			makeGroup(t, top+dir)
		}
		root := t.TempDir()
		write(t, root+"/proc/self/mountinfo", fmt.Sprintf("1 2 0:3 %s/mine /groups rw - %s cgroup rw,cpu\n",
			name, map[int]string{1: "cgroup", 2: "cgroup2"}[r.hierarchy.Version]))
		if err := os.Mkdir(root+"/groups", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := unix.Mount(top+"/mine", root+"/groups", "", unix.MS_BIND, ""); err != nil {
			bpftest.Unavailable(t, fmt.Sprintf("nothing can be mounted: %v", err))
		}
		t.Cleanup(func() {
			if err := unix.Unmount(root+"/groups", 0); err != nil {
				t.Error(err)
			}
		})
		byHandle := r.hierarchy.ByHandle
		in := fakeResolver(t, root, Options{}, &clock{time.Now()})
		in.hierarchy.ByHandle = byHandle
		if h := in.Hierarchy(); h.Whole || !strings.HasSuffix(h.String(), "of which a part is visible") {
			t.Errorf("hierarchy %+v", h)
		}
		if g := in.Group(idOf(t, top+"/mine/part")); g.State != Present || g.Path != "/part" {
			t.Errorf("visible: %+v", g)
		}
		empty := in.Group(idOf(t, top))
		other := idOf(t, top+"/other.service")
		if !byHandle {
			if g := in.Group(other); g.State != Hidden || g.Path != "" || !strings.Contains(g.Name, "not visible") {
				t.Errorf("searched for: %+v", g)
			}
			return
		}
		label := fmt.Sprintf("cgroup %d (not visible here)", empty.ID)
		if empty.State != Outside || empty.Path != "" || empty.Name != label {
			t.Errorf("without a process: %+v", empty)
		}
		sleep := exec.Command("sleep", "1000")
		start(t, sleep, top+"/other.service")
		if g := in.Group(other); g.State != Outside || g.Name != "other.service" || g.Path != name+"/other.service" {
			t.Errorf("with a process: %+v", g)
		}
		if c := in.Counters(other); c.Usage == nil && c.Throttled == nil {
			t.Errorf("counters: %+v", c)
		}
	})
}

// start runs a command in a group until the test ends.
func start(t *testing.T, cmd *exec.Cmd, dir string) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it ends in no other way
		_ = cmd.Wait()
	})
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), fmt.Append(nil, cmd.Process.Pid), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A parent's quota holds its children back: the parent's counters show it, and the child's Held.
func TestQuotaOfAParent(t *testing.T) {
	bpftest.Require(t)
	group := bpftest.NewGroup(t, "cpu")
	group.LimitTime(t, 5*time.Millisecond, 50*time.Millisecond)
	version := 1
	if group.V2 {
		version = 2
	}
	r, err := NewResolver(Options{Version: version})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeNow(t, r) })
	p, err := ParsePattern(fmt.Sprintf("slicetrace-test-%d", os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	found, err := r.Match(p)
	if err != nil || len(found) != 1 {
		t.Fatalf("%+v, %v", found, err)
	}
	parent := found[0]
	if group.V2 {
		group.Set(t, "cgroup.subtree_control", "+cpu")
	}
	dir := filepath.Join(r.dir, parent.Path, "child")
	makeGroup(t, dir)
	child := idOf(t, dir)
	q, ok := r.Quota(child)
	if !ok || q.Group.ID != parent.ID || q.Time != 5*time.Millisecond || q.Period != 50*time.Millisecond {
		t.Errorf("quota %+v, %v", q, ok)
	}
	start(t, exec.Command("/bin/sh", "-c", "while :; do :; done"), dir)
	time.Sleep(bpftest.WorkFor(time.Second))
	above, below := r.Counters(parent.ID), r.Counters(child)
	if above.Throttled == nil || *above.Throttled < 5 || *above.ThrottledTime < 100*time.Millisecond {
		t.Errorf("the parent's counters: %+v", above)
	}
	if *above.Throttled > *above.Periods {
		t.Errorf("%d of %d periods were throttled", *above.Throttled, *above.Periods)
	}
	if below.Throttled == nil || *below.Throttled != 0 || *below.ThrottledTime != 0 {
		t.Errorf("the child's counters: %+v", below)
	}
	if _, err := os.Stat(filepath.Join(dir, "cpu.stat.local")); err == nil &&
		(below.Held == nil || *below.Held < 100*time.Millisecond) {
		t.Errorf("the child was held for %v", below.Held)
	}
}

// The pressure of a group with two tasks for one core is nearly all the time.
func TestPressure(t *testing.T) {
	bpftest.Require(t)
	r, err := NewResolver(Options{Version: 2})
	if err != nil {
		bpftest.Lacks(t, false, "cgroup version 2: %v", err)
	}
	t.Cleanup(func() { closeNow(t, r) })
	dir := fmt.Sprintf("%s/slicetrace-test-pressure-%d", r.dir, os.Getpid())
	makeGroup(t, dir)
	if _, err := os.ReadFile(dir + "/cpu.pressure"); err != nil {
		bpftest.Lacks(t, false, "pressure stall information: %v", err)
	}
	id := idOf(t, dir)
	before := r.Counters(id)
	for range 2 {
		start(t, exec.Command("taskset", "-c", "0", "/bin/sh", "-c", "while :; do :; done"), dir)
	}
	time.Sleep(bpftest.WorkFor(time.Second))
	after := r.Counters(id)
	if before.Some == nil || after.Some == nil || *after.Some-*before.Some < 200*time.Millisecond {
		t.Errorf("pressure before and after: %+v %+v", before, after)
	}
	if after.Usage == nil || *after.Usage < 50*time.Millisecond || *after.Usage > 5*time.Second {
		t.Errorf("CPU time %+v", after.Usage)
	}
	top := r.Counters(idOf(t, r.dir))
	if r.Hierarchy().Whole && (top.Full != nil || top.Some == nil || top.Throttled != nil) {
		t.Errorf("the topmost group's counters: %+v", top)
	}
}
