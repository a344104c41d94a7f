package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A line without anything special to a shell becomes the words that a shell would make of it; others are left to
// a shell.
func TestCommandLines(t *testing.T) {
	for line, want := range map[string][]string{
		"make -j2":              {"make", "-j2"},
		"  a \t b  ":            {"a", "b"},
		`a 'b c' "d e" f\ g`:    {"a", "b c", "d e", "f g"},
		`a '' ""`:               {"a", "", ""},
		`a 'x|y' "x;y" \$z`:     {"a", "x|y", "x;y", "$z"},
		`a "x\"y\z" 'x\y' é`:    {"a", `x"y\z`, `x\y`, "é"},
		`a b\`:                  {"a", `b\`},
		`a b="c d" -e=f`:        {"a", "b=c d", "-e=f"},
		"a 'b\nc'":              {"a", "b\nc"},
		`/bin/echo a"b"'c'd`:    {"/bin/echo", "abcd"},
		`a "it's" 'say "this"'`: {"a", "it's", `say "this"`},
	} {
		got, err := argvOf(line)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v", line, got, err)
		}
		// What a shell makes of the same line. It shows each word on a line of its own.
		shown, err := exec.Command("/bin/sh", "-c", `printf '<%s>' `+line).Output()
		if words := "<" + strings.Join(want, "><") + ">"; err != nil || string(shown) != words {
			t.Errorf("%q: a shell makes %s of it, %v", line, shown, err)
		}
	}
	for _, line := range []string{
		"a | b", "a; b", "a && b", "a > b", "a $x", "a `b`", `a "$x"`, "a *", "a ~", "a\nb", "x=1 a", "cd /", "! a",
		"(a)", "a #b", "exit 3", "'' a", "{ a; }", "a [bc]", "a \\\nb",
	} {
		if got, err := argvOf(line); err != nil || !slices.Equal(got, []string{"/bin/sh", "-c", line}) {
			t.Errorf("%q: %q, %v", line, got, err)
		}
	}
	for _, line := range []string{"", "  ", "a 'b", `a "b`} {
		if got, err := argvOf(line); err == nil {
			t.Errorf("%q: %q", line, got)
		}
	}
}
