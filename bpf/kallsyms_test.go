package bpf

import (
	"strings"
	"testing"
)

// scanSymbol finds one of two functions.
func scanSymbol(kallsyms string) string {
	functions := []string{"rcu_note_context_switch", "finish_task_switch"}
	return scanSymbols(strings.NewReader(kallsyms), functions)["finish_task_switch"]
}

func TestScanSymbol(t *testing.T) {
	for name, c := range map[string]struct{ kallsyms, want string }{
		"plain":            {"ffffffff813ae200 T finish_task_switch\n", "finish_task_switch"},
		"compiler suffix":  {"ffffffff813ae200 t finish_task_switch.isra.0\n", "finish_task_switch.isra.0"},
		"hidden addresses": {"0000000000000000 t finish_task_switch.isra.0\n", "finish_task_switch.isra.0"},
		"cold part first": {
			"ffff t finish_task_switch.isra.0.cold\nffff t finish_task_switch.isra.0\n", "finish_task_switch.isra.0",
		},
		"only a cold part":    {"ffff t finish_task_switch.cold\n", ""},
		"longer name":         {"ffff t finish_task_switch_late\n", ""},
		"data of that name":   {"ffff d finish_task_switch\n", ""},
		"in a module":         {"ffff t finish_task_switch\t[evil]\n", ""},
		"missing":             {"ffff T schedule\n", ""},
		"empty":               {"", ""},
		"line without a name": {"ffff T\n\nffff t finish_task_switch.part.0\n", "finish_task_switch.part.0"},
		"after another": {
			"ffff T rcu_note_context_switch\nffff t finish_task_switch.isra.0\n", "finish_task_switch.isra.0",
		},
		"prefix of another name": {"ffff t xfinish_task_switch\n", ""},
	} {
		if got := scanSymbol(c.kallsyms); got != c.want {
			t.Errorf("%s: found %q, want %q", name, got, c.want)
		}
	}
}

func FuzzScanSymbol(f *testing.F) {
	f.Add("ffffffff813ae200 t finish_task_switch.isra.0\nffff t finish_task_switch.cold\n")
	f.Add("ffff T\n\nffff t finish_task_switch\t[module]\n")
	f.Add("ffff t finish_task_switch.llvm.123.cold.1")
	f.Fuzz(func(t *testing.T, kallsyms string) {
		got := scanSymbol(kallsyms)
		if got == "" {
			return
		}
		suffix, ok := strings.CutPrefix(got, "finish_task_switch")
		if !ok || suffix != "" && suffix[0] != '.' || strings.Contains(suffix, ".cold") ||
			!strings.Contains(kallsyms, got) {
			t.Errorf("found %q", got)
		}
	})
}
