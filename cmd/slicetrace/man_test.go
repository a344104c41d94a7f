package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// plainRoff returns the text of a man page without its markup, with single spaces.
func plainRoff(page []byte) string {
	macro := regexp.MustCompile(`(?m)^\.(SH|SS|TH|TP|PP|EX|EE|RS|RE|nh|nf|fi|IP|br)\b`)
	text := macro.ReplaceAllString(string(page), " ")
	text = regexp.MustCompile(`\\f[BIPR]|\\&`).ReplaceAllString(text, "")
	text = strings.NewReplacer(`\-`, "-", `\e`, `\`, `\[rs]`, `\`, `\(aq`, "'", `\[aq]`, "'").Replace(text)
	return strings.Join(strings.Fields(text), " ")
}

// manFiles makes the man pages in a new directory, without privileges, and returns it.
func manFiles(t *testing.T, environment ...string) string {
	t.Helper()
	cmd := tool(t, "man", "man1")
	if os.Geteuid() == 0 {
		asNobody(t, cmd)
	}
	cmd.Env = append(cmd.Env, environment...)
	got := finish(t, cmd)
	if got.status != exitDone || got.out != "" || got.err != "" {
		t.Fatalf("status %d: %q, %q", got.status, got.out, got.err)
	}
	return filepath.Join(got.dir, "man1")
}

// Each command has a page with its texts and all its flags.
func TestManPages(t *testing.T) {
	dir := manFiles(t)
	root := theTool()
	root.InitDefaultCompletionCmd()
	root.InitDefaultVersionFlag()
	var files []string
	for _, cmd := range commands(root) {
		cmd.InitDefaultHelpFlag()
		file := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
		files = append(files, file)
		page, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Error(err)
			continue
		}
		checkManPage(t, cmd, page)
	}
	slices.Sort(files)
	if diff := cmp.Diff(files, tree(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if len(files) < 8 {
		t.Errorf("only %d pages", len(files))
	}
	alone, err := os.ReadFile(filepath.Join(dir, "slicetrace.1"))
	if got := call(t, "man"); err != nil || got.out != string(alone) {
		t.Errorf("standard output has %d bytes, the page %d: %v", len(got.out), len(alone), err)
	}
}

func checkManPage(t *testing.T, cmd *cobra.Command, page []byte) {
	t.Helper()
	title := strings.ToUpper(strings.ReplaceAll(cmd.CommandPath(), " ", "-"))
	head, _, _ := strings.Cut(plainRoff(page), " NAME ")
	if want := `"` + title + `" "1" "" "slicetrace ` + version() + `" "User Commands"`; head != want {
		t.Errorf("%s: the page begins with %q", cmd.CommandPath(), head)
	}
	text := plainRoff(page)
	wanted := []string{cmd.Short, cmd.UseLine()}
	for line := range strings.Lines(cmd.Long + "\n" + cmd.Example) {
		wanted = append(wanted, strings.TrimLeft(line, "# "))
	}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		_, usage := pflag.UnquoteUsage(f)
		wanted = append(wanted, "--"+f.Name, usage)
	})
	for _, want := range wanted {
		if want = strings.Join(strings.Fields(want), " "); !strings.Contains(text, want) {
			t.Errorf("%s: the page lacks %q", cmd.CommandPath(), want)
		}
	}
	if strings.Contains(text, "Auto generated") {
		t.Errorf("%s: the page names its generator", cmd.CommandPath())
	}
}

// The pages depend neither on the day nor on the place.
func TestManPagesAreReproducible(t *testing.T) {
	first := manFiles(t)
	second := manFiles(t, "SOURCE_DATE_EPOCH=86400", "TZ=Asia/Tokyo", "LC_ALL=de_DE.UTF-8", "HOME=/elsewhere")
	if diff := cmp.Diff(contents(t, first), contents(t, second)); diff != "" {
		t.Errorf("the pages differ (-first +second):\n%s", diff)
	}
}

// The programs that show man pages accept them without a warning.
func TestManPagesAreAccepted(t *testing.T) {
	dir := manFiles(t)
	checkers := [][]string{
		{"groff", "-man", "-Tutf8", "-ww", "-z"},
		{"man", "--warnings=w", "-l"},
		{"mandoc", "-T", "lint", "-W", "error"},
	}
	used := 0
	for _, checker := range checkers {
		program, err := exec.LookPath(checker[0])
		if err != nil {
			t.Log(err)
			continue
		}
		used++
		for _, file := range tree(t, dir) {
			cmd := exec.Command(program, append(checker[1:], filepath.Join(dir, file))...)
			cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "MANPAGER=cat")
			var said bytes.Buffer
			cmd.Stderr = &said
			if err := cmd.Run(); err != nil || said.Len() > 0 {
				t.Errorf("%v: %v: %s", cmd.Args, err, said.String())
			}
		}
	}
	if used == 0 {
		bpftest.Unavailable(t, "no program shows man pages: install groff")
	}
}

// Under sudo, the pages belong to the caller.
func TestManPagesUnderSudo(t *testing.T) {
	bpftest.Require(t)
	got := finish(t, sudo(t, tool(t, "man", "man1")))
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	for _, name := range []string{"man1", "man1/slicetrace.1"} {
		info, err := os.Stat(filepath.Join(got.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if st := info.Sys().(*syscall.Stat_t); st.Uid != nobody || st.Gid != nobody {
			t.Errorf("%s belongs to %d:%d", name, st.Uid, st.Gid)
		}
	}
}

func TestManRefuses(t *testing.T) {
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"man", "a", "b"}, exitUsage, "accepts at most 1 arg"},
		{[]string{"man", "no/such"}, exitFailed, "choose a folder in one that exists"},
		{[]string{"man", "/dev/null"}, exitFailed, "not a directory"},
	} {
		got := call(t, c.args...)
		got.checkOneSentence(t, c.says)
		if got.status != c.status || len(got.files(t)) > 0 {
			t.Errorf("%v: status %d, left %v", c.args, got.status, got.files(t))
		}
	}
}

// The scripts that completion prints are accepted by their shells.
func TestCompletionScripts(t *testing.T) {
	for shell, has := range map[string]string{
		"bash": "complete -o default -F __start_slicetrace slicetrace",
		"zsh":  "#compdef slicetrace",
		"fish": "complete -c slicetrace",
	} {
		t.Run(shell, func(t *testing.T) {
			got := call(t, "completion", shell)
			if got.status != exitDone || got.err != "" || !strings.Contains(got.out, has) {
				t.Errorf("status %d, %q; the script lacks %q", got.status, got.err, has)
			}
			program, err := exec.LookPath(shell)
			if err != nil && shell == "bash" {
				bpftest.Unavailable(t, err.Error())
			}
			if err != nil {
				bpftest.Lacks(t, false, "the shell that would check the script: %v", err)
			}
			cmd := exec.Command(program, "-n")
			cmd.Stdin = strings.NewReader(got.out)
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%s -n: %v: %s", shell, err, out)
			}
		})
	}
}
