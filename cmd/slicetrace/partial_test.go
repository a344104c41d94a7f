package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/workloads"
)

// incident is something that happens to a run during one of its trials.
type incident struct {
	// args follow run; prepare, if not nil, is called before the tool starts.
	args    string
	prepare func(*testing.T, *exec.Cmd) any
	// The round and mode of the trial, and what happens to the hosts of its workers.
	round  int
	mode   workloads.Mode
	happen func(t *testing.T, cmd *exec.Cmd, hosts []int, prepared any)
	// trials are the trials of the saved report, as "round mode variant"; nil if nothing is
	// saved.
	trials []string
	// said are parts of the report's notes and of its text or, if nothing is saved, of the
	// error.
	said []string
	// found is a part of the sentence of one of its findings.
	found string
}

// A part of a run that fails does not affect the rest: what was measured is saved, with a note
// that names the trial and the cause, and the exit status is 1.
func TestWhatWasMeasuredIsKept(t *testing.T) {
	bpftest.Require(t)
	killed := func(_ *testing.T, _ *exec.Cmd, hosts []int, _ any) { _ = unix.Kill(hosts[0], unix.SIGKILL) }
	interrupted := func(_ *testing.T, cmd *exec.Cmd, _ []int, _ any) { _ = cmd.Process.Signal(unix.SIGTERM) }
	for name, c := range map[string]incident{
		// A variant that has worked before is tried again in the next round.
		"a worker is killed": {
			args: "socket --rounds 3", round: 2, mode: workloads.Threads, happen: killed,
			trials: []string{"1 processes", "1 threads", "2 processes", "3 processes", "3 threads"},
			said: []string{
				"socket in threads, round 2, failed: host of all 4 workers of socket (pid ",
				"was ended by signal 9 (killed)",
			},
			found: "socket in threads failed in round 2.",
		},
		// A variant that never has worked is not: it would fail in each round.
		"a worker is killed in the first round": {
			args: "socket --rounds 2", round: 1, mode: workloads.Processes, happen: killed,
			trials: []string{"1 threads", "2 threads"},
			said:   []string{"socket in processes, round 1, failed and is left out of the later rounds: "},
			found:  "socket in processes failed in round 1 and later",
		},
		"a recording goes on": {
			args: "socket --rounds 1 --record r.rec", round: 1, mode: workloads.Threads, happen: killed,
			trials: []string{"1 processes"},
			said:   []string{"socket in threads, round 1, failed: host of "},
		},
		"nothing was measured": {
			args: "socket --rounds 1 --mode threads", round: 1, mode: workloads.Threads, happen: killed,
			said: []string{
				"run socket in threads: host of all 4 workers of socket (pid ",
				"was ended by signal 9 (killed)",
			},
		},
		// The run ends, since figures of fewer cores cannot be compared with the earlier ones.
		"a core is taken from the control group": {
			args: "socket --rounds 3", prepare: inCPUSet, round: 2, mode: workloads.Threads, happen: takeLastCore,
			trials: []string{"1 processes", "1 threads"},
			said: []string{
				"the run ended early: core ",
				" is offline or this process may not run on it (cpuset, taskset): name cores out of ",
				": 1 of 3 rounds finished and are kept",
			},
		},
		// The trials of an unfinished round are kept if it is the first.
		"interrupted in the first round": {
			args: "socket --rounds 2", round: 1, mode: workloads.Threads, happen: interrupted,
			trials: []string{"1 processes"},
			said:   []string{"interrupted: none of 2 rounds finished; of the first, 1 of 2 trials did"},
		},
		"interrupted in the second round": {
			args: "socket --rounds 3", round: 2, mode: workloads.Processes, happen: interrupted,
			trials: []string{"1 processes", "1 threads"},
			said:   []string{"interrupted: 1 of 3 rounds finished and are kept"},
		},
		// One variant cannot run, but the others can.
		"no program may be executed": {
			args: "spawn --rounds 2", prepare: withoutExecution,
			trials: []string{
				"1 processes", "1 processes parent + 64 MiB", "1 threads",
				"2 processes", "2 processes parent + 64 MiB", "2 threads",
			},
			said: []string{
				"spawn exec in processes, round 1, failed and is left out of the later rounds: host of worker ",
				"make a program to execute: execute: permission denied in memory, ",
				": set vm.memfd_noexec to 0, or TMPDIR",
			},
			found: "spawn exec in processes failed in round 1 and later",
		},
	} {
		t.Run(name, func(t *testing.T) { c.check(t) })
	}
}

func (c *incident) check(t *testing.T) {
	cmd := tool(t, append([]string{"run", "-o", "r.json", "--duration", "200ms"}, strings.Fields(c.args)...)...)
	var prepared any
	if c.prepare != nil {
		prepared = c.prepare(t, cmd)
	}
	got := finish(t, cmd, func() {
		if c.happen != nil {
			hosts := awaitWork(t, cmd, func(trial workloads.Trial) bool {
				return trial.Round == c.round && trial.Mode == c.mode
			})
			c.happen(t, cmd, hosts, prepared)
		}
	})
	if got.status != exitFailed {
		t.Errorf("status %d, want %d: %s", got.status, exitFailed, got.err)
	}
	if c.trials == nil {
		for _, want := range c.said {
			got.checkOneSentence(t, want)
		}
		if left := got.files(t); len(left) > 0 {
			t.Errorf("left %v", left)
		}
		return
	}
	r, err := report.ReadFile(filepath.Join(got.dir, "r.json"))
	if err != nil {
		t.Fatalf("%v; the tool said %s", err, got.err)
	}
	var trials []string
	for _, trial := range r.Trials {
		trials = append(trials, strings.TrimSpace(fmt.Sprint(trial.Round, " ", trial.Mode, " ", trial.Variant)))
	}
	slices.Sort(trials)
	if diff := cmp.Diff(c.trials, trials); diff != "" {
		t.Errorf("trials (-want +got):\n%s", diff)
	}
	checkCounts(t, r)
	// What the first screen has no room for is on standard error.
	notes, text := strings.Join(r.Warnings, "\n"), strings.Join(strings.Fields(got.out+got.err), " ")
	for _, want := range c.said {
		if !strings.Contains(notes, want) || !strings.Contains(text, strings.TrimSpace(want)) {
			t.Errorf("%q is not in the notes %q and in the text", want, notes)
		}
	}
	isFound := func(f report.Finding) bool { return strings.Contains(f.Sentence, c.found) }
	if c.found != "" && !slices.ContainsFunc(r.Findings, isFound) {
		t.Errorf("no finding says %q", c.found)
	}
	if strings.Contains(c.args, "--record") {
		marks, _, end := readRecording(t, filepath.Join(got.dir, "r.rec"))
		if len(marks) != len(r.Trials) || r.Recording == nil || end.Switches != r.Recording.Switches {
			t.Errorf("the recording has %d marks and the end %+v, the report says %+v", len(marks), end, r.Recording)
		}
	}
	checkNoWorkers(t, cmd)
}

// cpuSet is a control group, and the list of its cores without the last.
type cpuSet struct {
	group *bpftest.Group
	rest  string
}

// inCPUSet runs the tool in a control group with this process's cores.
func inCPUSet(t *testing.T, cmd *exec.Cmd) any {
	bpftest.NeedTwoCores(t, "of which the test takes one away")
	cores := bpftest.AllowedCores[int](t)
	list := strings.ReplaceAll(strings.Trim(fmt.Sprint(cores), "[]"), " ", ",")
	group := bpftest.NewGroup(t, "cpuset")
	group.Set(t, "cpuset.cpus", list)
	if !group.V2 {
		group.Set(t, "cpuset.mems", "0")
	}
	group.Hold(t, cmd)
	return cpuSet{group, list[:strings.LastIndexByte(list, ',')]}
}

func takeLastCore(t *testing.T, _ *exec.Cmd, _ []int, prepared any) {
	set := prepared.(cpuSet)
	set.group.Set(t, "cpuset.cpus", set.rest)
}

// noExecutionVariable makes the tool and its children unable to execute a descriptor, as a
// security module may.
const noExecutionVariable = "SLICETRACE_TEST_NO_EXECUTION"

func withoutExecution(_ *testing.T, cmd *exec.Cmd) any {
	cmd.Env = append(cmd.Env, noExecutionVariable+"=1")
	return nil
}

// refuseExecution has the kernel answer EACCES to execveat for the whole process.
func refuseExecution() error {
	const number = 0 // its offset in struct seccomp_data
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: number},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: unix.SYS_EXECVEAT},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EACCES)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return fmt.Errorf("refuse execution: %w", errno)
	}
	return nil
}
