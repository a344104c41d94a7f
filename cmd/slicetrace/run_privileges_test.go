package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// status is the /proc status of a process or thread, by the names of its lines.
type status map[string]string

func parseStatus(text string) status {
	s := make(status)
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(line, ":"); ok {
			s[name] = strings.Join(strings.Fields(value), " ")
		}
	}
	return s
}

func statusOf(t *testing.T, file string) status {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return parseStatus(string(text))
}

// capabilities returns one of the sets of capabilities.
func (s status) capabilities(t *testing.T, set string) uint64 {
	t.Helper()
	mask, err := strconv.ParseUint(s[set], 16, 64)
	if err != nil {
		t.Fatalf("%s is %q", set, s[set])
	}
	return mask
}

// check compares lines of a status.
func (s status) check(t *testing.T, who string, want status) {
	t.Helper()
	for name, value := range want {
		if s[name] != value {
			t.Errorf("%s: %s is %q, want %q", who, name, s[name], value)
		}
	}
}

const noCapabilities = "0000000000000000"

// plain returns the status of a process that is started for an ordinary user: it has no
// privileges, and inherits everything else from this process.
func plain(t *testing.T) status {
	own := statusOf(t, "/proc/self/status")
	return status{
		"Uid": "65534 65534 65534 65534", "Gid": "65534 65534 65534 65534",
		"CapInh": noCapabilities, "CapPrm": noCapabilities, "CapEff": noCapabilities, "CapAmb": noCapabilities,
		"CapBnd": own["CapBnd"], "NoNewPrivs": own["NoNewPrivs"], "Umask": own["Umask"],
	}
}

// rootly returns the status of a process that is started as root.
func rootly(t *testing.T) status {
	own := statusOf(t, "/proc/self/status")
	return status{
		"Uid": "0 0 0 0", "Gid": "0 0 0 0", "CapInh": noCapabilities, "CapAmb": noCapabilities,
		"CapPrm": own["CapPrm"], "CapEff": own["CapPrm"], "CapBnd": own["CapBnd"],
		"NoNewPrivs": own["NoNewPrivs"], "Umask": own["Umask"],
	}
}

// sudo makes a command of the tool one that user nobody calls by sudo, in a directory of that
// user.
func sudo(t *testing.T, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	cmd.Env = append(cmd.Env, "SUDO_UID=65534", "SUDO_GID=65534")
	cmd.Dir = worldDir(t)
	return cmd
}

// withFileCapabilities makes a command of the tool one that user nobody calls, of a program file
// with CAP_BPF and CAP_PERFMON.
func withFileCapabilities(t *testing.T, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	dir := worldDir(t)
	program := filepath.Join(dir, "slicetrace")
	copyFile(t, "/proc/self/exe", program, 0o755)
	// VFS_CAP_REVISION_2, effective; then permitted and inheritable, twice 32 bits.
	caps := make([]byte, 20)
	binary.LittleEndian.PutUint32(caps, 0x02000001)
	binary.LittleEndian.PutUint32(caps[12:], 1<<(unix.CAP_BPF-32)|1<<(unix.CAP_PERFMON-32))
	if err := unix.Setxattr(program, "security.capability", caps, 0); err != nil {
		bpftest.Unavailable(t, "files here cannot have capabilities: "+err.Error())
	}
	work := filepath.Join(dir, "work")
	if err := os.Mkdir(work, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(work, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	cmd.Path, cmd.Dir = program, work
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return cmd
}

// withAmbient makes a command of the tool one that nobody calls with CAP_BPF and CAP_PERFMON as
// ambient capabilities.
func withAmbient(t *testing.T, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	return asNobody(t, cmd, unix.CAP_BPF, unix.CAP_PERFMON)
}

// asItIs leaves a command of the tool one that root calls without sudo.
func asItIs(_ *testing.T, cmd *exec.Cmd) *exec.Cmd { return cmd }

func copyFile(t *testing.T, from, to string, mode os.FileMode) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(out, in)
	if closeErr := out.Close(); err != nil || closeErr != nil {
		t.Fatal(err, closeErr)
	}
	if err := os.Chmod(to, mode); err != nil {
		t.Fatal(err)
	}
}

// maskOf returns a set of capabilities as a bit mask.
func maskOf(capabilities ...int) (mask uint64) {
	for _, c := range capabilities {
		mask |= 1 << c
	}
	return mask
}

// Every thread of a run keeps only the privileges that it needs, and its workers get none.
func TestRunGivesUpPrivileges(t *testing.T) {
	bpftest.Require(t)
	args := []string{"run", "spin", "pipe", "--rounds", "1", "--duration", "1h", "--record", "r.rec"}
	for name, c := range map[string]struct {
		start func(*testing.T, *exec.Cmd) *exec.Cmd
		args  []string
		keeps []int
		work  status
	}{
		"sudo":                  {sudo, args, neededCapabilities(true), plain(t)},
		"sudo --keep-root":      {sudo, append(slices.Clone(args), "--keep-root"), neededCapabilities(true), rootly(t)},
		"root without sudo":     {asItIs, args, neededCapabilities(false), rootly(t)},
		"a file's capabilities": {withFileCapabilities, args, []int{unix.CAP_BPF, unix.CAP_PERFMON}, plain(t)},
		"ambient capabilities":  {withAmbient, args, []int{unix.CAP_BPF, unix.CAP_PERFMON}, plain(t)},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := c.start(t, tool(t, c.args...))
			got := finish(t, cmd, func() {
				hosts := awaitWork(t, cmd, anyTrial)
				checkThreads(t, cmd.Process.Pid, maskOf(c.keeps...))
				for _, pid := range hosts {
					checkWorker(t, pid, c.work, cmd.Dir)
				}
				_ = cmd.Process.Signal(syscall.SIGTERM)
			})
			got.checkOneSentence(t, "interrupted before the first trial")
			if left := got.files(t); len(left) > 0 {
				t.Errorf("left %v", left)
			}
		})
	}
}

// checkThreads checks that all threads of a tool have just these capabilities.
func checkThreads(t *testing.T, pid int, most uint64) {
	t.Helper()
	own := statusOf(t, "/proc/self/status")
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(files) < 3 {
		t.Fatalf("%d threads, %v", len(files), err)
	}
	for _, file := range files {
		s := statusOf(t, file)
		if permitted := s.capabilities(t, "CapPrm"); permitted != most&own.capabilities(t, "CapPrm") {
			t.Errorf("%s: permitted are %#x, want %#x", file, permitted, most)
		}
		if effective := s.capabilities(t, "CapEff"); effective&^most != 0 {
			t.Errorf("%s: effective are %#x, more than %#x", file, effective, most)
		}
		s.check(t, file, status{
			"CapInh": noCapabilities, "CapAmb": noCapabilities,
			"CapBnd": own["CapBnd"], "NoNewPrivs": own["NoNewPrivs"],
		})
	}
}

// checkWorker checks the status of all threads of a worker host, and that it has no descriptor
// of the tracer's open.
func checkWorker(t *testing.T, pid int, want status, dir string) {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(threads) == 0 {
		t.Fatalf("no threads, %v", err)
	}
	for _, thread := range threads {
		statusOf(t, thread).check(t, thread, want)
	}
	// The shared memory and the pipe for errors are the host's; the rest is what Go opens.
	files := []string{os.DevNull, "anon_inode:[eventpoll]", "anon_inode:[eventfd]"}
	prefixes := []string{"/memfd:slicetrace-", "pipe:", "/sys/fs/cgroup"}
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil || len(links) < 4 {
		t.Fatalf("%d descriptors, %v", len(links), err)
	}
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil {
			t.Fatal(err)
		}
		isPrefix := func(prefix string) bool { return strings.HasPrefix(target, prefix) }
		if !slices.Contains(files, target) && !slices.ContainsFunc(prefixes, isPrefix) {
			t.Errorf("worker has %s open: %s", link, target)
		}
	}
	environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil || bytes.Contains(environment, []byte("SUDO_")) || bytes.Contains(environment, []byte(dir)) {
		t.Errorf("worker's environment is %q, %v", environment, err)
	}
}

// A traced program gets an ordinary user's rights or root's, and none of the tracer's
// descriptors.
func TestCommandGetsNoPrivileges(t *testing.T) {
	bpftest.Require(t)
	args := []string{"run", "-q", "-o", "r.json", "--record", "r.rec"}
	program := []string{"sh", "-c", "cat /proc/$$/status; ls -l /proc/$$/fd"}
	direct, err := exec.Command(program[0], program[1:]...).Output()
	if err != nil {
		t.Fatal(err)
	}
	inherited := descriptors(string(direct))
	for name, c := range map[string]struct {
		start func(*testing.T, *exec.Cmd) *exec.Cmd
		flags []string
		want  status
	}{
		"sudo":                  {sudo, nil, plain(t)},
		"sudo --keep-root":      {sudo, []string{"--keep-root"}, rootly(t)},
		"root without sudo":     {asItIs, nil, rootly(t)},
		"a file's capabilities": {withFileCapabilities, nil, plain(t)},
		"ambient capabilities":  {withAmbient, nil, plain(t)},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := c.start(t, tool(t, slices.Concat(args, c.flags, []string{"--"}, program)...))
			got := finish(t, cmd)
			if got.status != 0 {
				t.Fatalf("status %d: %s", got.status, got.err)
			}
			parseStatus(got.out).check(t, "program", c.want)
			if numbers := descriptors(got.out); !slices.Equal(numbers, inherited) {
				t.Errorf("program has the descriptors %v, without us %v: %s", numbers, inherited, got.out)
			}
			for _, file := range []string{"r.json", "r.rec"} {
				info, err := os.Stat(filepath.Join(got.dir, file))
				if err != nil {
					t.Fatal(err)
				}
				if info.Mode() != 0o644 {
					t.Errorf("%s has mode %v", file, info.Mode())
				}
			}
		})
	}
}

// descriptors returns the numbers in the output of ls -l /proc/PID/fd.
func descriptors(list string) []string {
	var numbers []string
	for line := range strings.Lines(list) {
		if before, _, ok := strings.Cut(line, " -> "); ok {
			fields := strings.Fields(before)
			numbers = append(numbers, fields[len(fields)-1])
		}
	}
	return numbers
}

// A setuid program that CMD executes has the rights that it has without the tool.
func TestCommandCanExecuteSetuidPrograms(t *testing.T) {
	bpftest.Require(t)
	cat, err := exec.LookPath("cat")
	if err != nil {
		bpftest.Unavailable(t, err.Error())
	}
	dir := worldDir(t)
	program := filepath.Join(dir, "cat")
	copyFile(t, cat, program, 0o755|os.ModeSetuid)
	var mount unix.Statfs_t
	if err := unix.Statfs(dir, &mount); err != nil || mount.Flags&unix.ST_NOSUID != 0 {
		bpftest.Unavailable(t, "no setuid programs in the temporary directory")
	}
	got := finish(t, sudo(t, tool(t, "run", "-q", "--", program, "/proc/self/status")))
	want := rootly(t)
	want["Uid"], want["Gid"] = "65534 0 0 0", "65534 65534 65534 65534"
	parseStatus(got.out).check(t, "setuid program", want)
	checkHonest(t, got.saved(t))
}

// The work has the caller's groups and not root's.
func TestCommandHasTheCallersGroups(t *testing.T) {
	bpftest.Require(t)
	want, err := exec.Command("id", "-G", "nobody").Output()
	if err != nil {
		bpftest.Unavailable(t, "no user called nobody")
	}
	got := finish(t, sudo(t, tool(t, "run", "-q", "--", "id", "-G")))
	if got.out != string(want) {
		t.Errorf("groups %q, want %q", got.out, want)
	}
}
