package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// inheritedWords are words of the probe that make something unusual that a program inherits. The
// probe shows what they change. The limits are below the usual ones, since not every root may
// raise a limit.
func inheritedWords() map[string][]string {
	each := map[string][]string{
		"nothing": nil,
		"signals ignored": {
			"ignore=1", "ignore=2", "ignore=3", "ignore=12", "ignore=13", "ignore=15", "ignore=17", "ignore=21",
			"ignore=22", "ignore=23", "ignore=32", "ignore=33", "ignore=34", "ignore=64",
		},
		"signals blocked": {
			"block=2", "block=10", "block=11", "block=17", "block=23", "block=27", "block=32", "block=33", "block=64",
		},
		"signals pending": {"pend=10", "pend=15", "pend=40", "pend=64", "pendthread=12", "pendthread=41"},
		"descriptors":     {"files", "nonblock=2", "close=0"},
		"no input":        {"close=0"},
		"no output":       {"close=1"},
		"no error output": {"close=2"},
		"no streams":      {"close=0", "close=1", "close=2"},
		"limits": {
			"limit=7,300,1000", "limit=4,0,0", "limit=3,4000000,100000000", "limit=12,7,9",
			"limit=1,1000000000,1000000000",
		},
		"scheduling": {"nice=3", "policy=3", "io=5", "core=0", "slack=12345"},
		"timers":     {"timer=0", "timer=1", "timer=2"},
		"family":     {"death=12", "reaper"},
		"memory":     {"thp", "personality=40000", "oom=111", "filter=0x23"},
		"umask":      {"umask=23"},
		"privileges": {"nonew", "securebits=4"},
		"variables":  {"env=A=1", "env=A=2", "env=novalue", "env=", "env==x", "env=PATH=/x", "env=A=3"},
		"variables of Go": {
			"env=GODEBUG=gctrace=1,inittrace=1,schedtrace=10", "env=GOGC=1", "env=GOMAXPROCS=1",
			"env=GOTRACEBACK=crash", "env=GOMEMLIMIT=1KiB", "env=GO",
		},
		"variables of ours":  {"env=SLICETRACE_TEST_PASSED=3,4"},
		"all that is harder": nil,
	}
	var all []string
	for name, words := range each {
		if !strings.HasPrefix(name, "no ") {
			all = append(all, words...)
		}
	}
	each["all that is harder"] = all
	return each
}

// given returns what the probe shows of what it was given, without what must differ between two
// runs, and what was written to standard error.
func given(t *testing.T, words []string, onTerminal, traced bool) (string, string) {
	t.Helper()
	before := append(append([]string{"probe", "with"}, words...), "--")
	errs, err := os.CreateTemp(t.TempDir(), "err")
	if err != nil {
		t.Fatal(err)
	}
	defer errs.Close()
	var x *terminal
	if onTerminal {
		x = openTerminal(t)
		x.read()
	}
	p := startProbe(t, x, errs, traced, before, []string{"show", "", "a b", "--rounds", "\xff"})
	text := p.rest(t)
	_ = p.Wait() // its state is returned
	said, err := os.ReadFile(errs.Name())
	if err != nil {
		t.Fatal(err)
	}
	text = strings.ReplaceAll(text, p.dir, "DIR")
	ownNumber := regexp.MustCompile(`(group|session|terminal) ` + strconv.Itoa(p.Process.Pid) + `\b`)
	text = ownNumber.ReplaceAllString(text, "$1 STARTED")
	// Pipes, terminals and files of /proc have numbers of their own.
	text = regexp.MustCompile(`file (\w+):\d+ `).ReplaceAllString(text, "file $1 ")
	return text, fmt.Sprintf("%s, then %v", said, p.ProcessState)
}

// A program inherits all that it would inherit if it were executed in place of the tool.
func TestProgramInheritsWhatItWouldWithoutUs(t *testing.T) {
	bpftest.Require(t)
	for name, words := range inheritedWords() {
		for place, terminal := range map[string]bool{"": false, ", on a terminal": true} {
			t.Run(name+place, func(t *testing.T) {
				t.Parallel()
				want, wantSaid := given(t, words, terminal, false)
				got, said := given(t, words, terminal, true)
				if lines := difference(want, got); lines != "" || said != wantSaid {
					t.Errorf("without the tool (-) and with it (+): %s\nthey said %q and %q", lines, wantSaid, said)
				}
				if !strings.Contains(want, "executed as ") {
					t.Errorf("the probe said %q, and %q", want, wantSaid)
				}
			})
		}
	}
}

// difference returns the lines that one text has more often than the other.
func difference(want, got string) string {
	count := make(map[string]int)
	for line := range strings.SplitSeq(want, "\n") {
		count[line]--
	}
	for line := range strings.SplitSeq(got, "\n") {
		count[line]++
	}
	var b strings.Builder
	for line, n := range count {
		if n != 0 {
			fmt.Fprintf(&b, "\n%+d: %s", n, line)
		}
	}
	return b.String()
}
