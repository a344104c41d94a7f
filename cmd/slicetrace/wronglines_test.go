package main

import (
	"slices"
	"strings"
	"testing"
)

// wrongLine is a command line that is wrong: the exit status and a part of what is said about it.
type wrongLine struct {
	args   string
	status int
	says   string
}

var wrongRuns = []wrongLine{
	{"run --nonsense", 2, "unknown flag: --nonsense"},
	{"run pip", 2, `did you mean "pipe"?`},
	{"run make -j2", 2, "unknown shorthand flag"},
	{"run make", 2, "slicetrace run -- make"},
	{"run --rounds 0", 2, "rounds"},
	{"run --rounds -3", 2, "rounds"},
	{"run --rounds x", 2, "rounds"},
	{"run --duration 0s", 2, "duration"},
	{"run --duration -1s", 2, "duration"},
	{"run --duration 1ms", 2, "too short to measure anything"},
	{"run --operations -1", 2, "operations"},
	{"run --workers -1", 2, "workers"},
	{"run --workers 0", 2, "workers"},
	{"run --operations 0", 2, "operations"},
	{"run --cores=", 2, "empty"},
	{"run pipe pipe", 2, "twice"},
	{"run --max-tasks 9", 2, "--max-tasks"},
	{"run --block 1ms", 2, "--block is for --why"},
	{"run --block 1ms -- true", 2, "--block is for --why"},
	{"run --why --block -1ms -- true", 2, "0 or more"},
	{"run --walks 100 -- true", 2, "--walks is for --why"},
	{"run --why --walks 19 -- true", 2, "at least 20"},
	{"run --all --block 1ms", 2, "--block is for --why"},
	{"run --all --why --block -1ms", 2, "0 or more"},
	{"run pipe --workers 3", 2, "even"},
	{"run --workers 100000000", 2, "workers"},
	{"run --cores 4000", 2, "4000"},
	{"run --cores 9999", 2, "9999"},
	{"run --cores 0,0", 2, "twice"},
	{"run --cores 3-1", 2, "3-1"},
	{"run --cores x", 2, `"x"`},
	{"run --mode fibres", 2, "fibres"},
	{"run --mode threads,threads", 2, "twice"},
	{"run --format xml", 2, "xml"},
	{"run --phases fast", 2, "the phases are pick and switch"},
	{"run --phases pick,none -- true", 2, "or all or none on their own"},
	{"run --phases pick,pick", 2, "twice"},
	{"run --phases=", 2, "empty"},
	{"run --", 2, "no program after --"},
	{"run pipe -- true", 2, "pipe"},
	{"run --rounds 0 -- true", 2, "from 1 to 1000"},
	{"run --rounds 3 --", 2, "no program"},
	{"run --command true -- true", 2, "--command and a program after --"},
	{"run pipe --command true", 2, "either bundled workloads or programs"},
	{"run pipe --warmup 1", 2, "--warmup is for programs"},
	{"run --label x", 2, "--label is for programs"},
	{"run --command true --duration 1s", 2, "--duration is for bundled workloads"},
	{"run --command true --command true", 2, "its own --label"},
	{"run --command true --label a --label b", 2, "programs: 1, labels: 2"},
	{"run --command true --metric x", 2, "a group for the number"},
	{"run --command true --metric (", 2, "missing closing"},
	{"run --command true --metric-less-is-better", 2, "is for --metric"},
	{"run --command a'b", 2, "the quote ' has no end"},
	{"run --command true --prepare b'", 2, "the quote ' has no end"},
	{"run --command true --warmup -1", 2, "from 0 to 1000"},
	{"run --command true --untraced -1", 2, "0 or more"},
	{"run --command true --why --untraced 2", 2, "keep the tracer attached"},
	{"run --command true --max-tasks 0", 2, "--max-tasks 0"},
	{"run --all --command true", 2, "--command has no meaning"},
	{"run --max-tasks 0 -- true", 2, "--max-tasks"},
	{"run --claims pipe", 2, "--claims"},
	{"run --when wait>20ms --record r.rec -- true", 2, "--when needs --keep"},
	{"run --times 2 -- true", 2, "--times is for --keep"},
	{"run --keep 5s --when wait>20ms -- true", 2, "--keep needs --record"},
	{"run --keep 5s --record r.rec -- true", 2, "--keep needs --when"},
	{"run --keep 5s --when wait>20ms --all", 2, "--keep needs --record"},
	{"run --keep 5s --record r.rec --all", 2, "--keep needs --when"},
	{"run --when wait>20ms --record r.rec --all", 2, "--when needs --keep"},
	{"run --times 2 --record r.rec --pid 1", 2, "--times is for --keep"},
	{"run --keep 1s --when blocked>1s --record r.rec --comm x", 2, "keep more"},
	{"run --keep 5s --when wait<20ms --record r.rec -- true", 2, "write it like wait>20ms"},
	{"run --keep 5s --when idle>20ms --record r.rec -- true", 2, "only wait, slice and blocked"},
	{"run --keep 5s --when wait>20 --record r.rec pipe", 2, "write it like wait>20ms"},
	{"run --keep 1s --when blocked>1s --record r.rec -- true", 2, "keep more"},
	{"run --keep 1ms --when SIGUSR1 --record r.rec -- true", 2, "100ms to 1h0m0s"},
	{"run --keep 2h --when SIGUSR1 --record r.rec -- true", 2, "100ms to 1h0m0s"},
	{"run --keep 1s --when SIGUSR1 --times 0 --record r.rec -- true", 2, "1 to 10000"},
}

var wrongTops = []wrongLine{
	{"top extra", 2, "extra"},
	{"top --nonsense", 2, "unknown flag: --nonsense"},
	{"top --format xml", 2, "screen, text, csv and jsonl"},
	{"top --format screen", 2, "text, csv and jsonl need no terminal"},
	{"top --why --format text", 2, "slicetrace run --all --why saves"},
	{"top --by core", 2, "task, process, program, group"},
	{"top --phases every", 2, "sampled, all or none"},
	{"top --count 0", 2, "at least 1"},
	{"top --count -1", 2, "at least 1"},
	{"top --rows 0", 2, "at least 1"},
	{"top --max-tasks 0", 2, "1 to 4194304"},
	{"top --max-tasks 4194305", 2, "1 to 4194304"},
	{"top --interval 49ms", 2, "50ms to 10m0s"},
	{"top --interval 10m1s", 2, "50ms to 10m0s"},
	{"top --interval -1s", 2, "50ms to 10m0s"},
	{"top --interval 1", 2, "interval"},
	{"top --wait", 2, "name what to wait for"},
	{"top --pid 0", 2, "the number of a process"},
	{"top --pid -1", 2, "the number of a process"},
	{"top --pid postgres", 2, "--comm takes names"},
	{"top --pid 4711,x", 2, "--pid x"},
	{"top --pid 4294967297", 2, "the number of a process"},
	{"top --pid=", 2, "empty"},
	{"top --comm [a", 2, "no pattern"},
	{"top --comm ok,[a", 2, "--comm [a"},
	{"top --comm=", 2, "empty"},
	{"top --cgroup [", 2, "malformed"},
	{"top --cgroup=", 2, "empty"},
	{"top --uid nobody-of-this-name", 2, "no such user"},
	{"top --uid 4294967296", 2, "no such user"},
	{"top --uid -1", 2, "no such user"},
	{"top --uid=", 2, "empty"},
}

var otherWrongLines = []wrongLine{
	{"rum", 2, `did you mean "run"?`},
	{"--nonsense", 2, "unknown flag: --nonsense"},
	{"chekc", 2, `did you mean "check"?`},
	{"tpo", 2, `did you mean "top"?`},
	{"report", 2, "accepts between 1 and 2 arg"},
	{"explain C18", 2, "slicetrace explain lists them all"},
	{"explain switch", 2, "which one?"},
	{"explain C4 --no-picture --recording r", 2, "exclude each other"},
	{"explain C4 --no-picture --report none.json", 1, "none.json"},
	{"explain C4 --recording none.rec", 1, "none.rec"},
	{"report a b", 2, "--html FILE"},
	{"report a --html=", 2, "empty"},
	{"report a --recording r", 2, "--html FILE"},
	{"report a --html p --window-start 1s", 2, "--recording FILE"},
	{"report a --html p --recording r --window-start -1s", 2, "negative"},
	{"report a --html p --recording r --window-length 0s", 2, "positive"},
	{"report a --html p --format json", 2, "--format"},
	{"report no-such-file --html p", 1, "no-such-file"},
	{"report no-such-file", 1, "no-such-file"},
	{"export no-such-file", 2, "name a table"},
	{"export no-such-file --table cores", 1, "no-such-file"},
	{"list extra", 2, "extra"},
}

// A wrong command line leads to an error of one sentence and the exit status that scripts expect,
// whether or not this process may trace.
func TestWrongCommandLines(t *testing.T) {
	for _, c := range slices.Concat(wrongRuns, wrongTops, otherWrongLines) {
		t.Run(c.args, func(t *testing.T) {
			got := call(t, strings.Fields(c.args)...)
			if got.status != c.status {
				t.Errorf("status %d, want %d", got.status, c.status)
			}
			got.checkOneSentence(t, c.says)
			if got.out != "" || len(got.files(t)) > 0 {
				t.Errorf("standard output %q, files %v", got.out, got.files(t))
			}
		})
	}
}
