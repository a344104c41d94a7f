package hostinfo

import (
	"testing"
	"testing/fstest"
)

func TestAtLeast(t *testing.T) {
	for _, c := range []struct {
		release string
		want    bool
	}{
		{"6.6.0", true}, {"6.6-rc1", true}, {"6.10.3", true}, {"7.0", true}, {"7", true},
		{"6.5.13", false}, {"5.15.0-91-generic", false}, {"6", false}, {"", false}, {"x.y", false},
	} {
		if got := (kernelID{release: c.release}).atLeast(6, 6); got != c.want {
			t.Errorf("%q is at least 6.6: %t, want %t", c.release, got, c.want)
		}
	}
}

func TestPreemption(t *testing.T) {
	lazyArch := func(options ...string) kernelConfig {
		config := kernelConfig{"ARCH_HAS_PREEMPT_LAZY": "y"}
		for _, option := range options {
			config[option] = "y"
		}
		return config
	}
	const dynamic = "#1 SMP PREEMPT_DYNAMIC Debian"
	for _, c := range []struct {
		name, release, version, cmdline string
		config                          kernelConfig
		want                            string
	}{
		{"configured", "6.12.1", dynamic, "", lazyArch("PREEMPT_VOLUNTARY", "PREEMPT_DYNAMIC"), "voluntary"},
		{"configured full", "5.15.2", dynamic, "", kernelConfig{"PREEMPT": "y"}, "full"},
		{"chosen at boot", "6.18.1", dynamic, "quiet preempt=lazy", lazyArch("PREEMPT_NONE"), "lazy"},
		{"chosen twice", "6.18.1", dynamic, "preempt=lazy preempt=full", lazyArch("PREEMPT_NONE"), "full"},
		{"chosen without config", "6.18.1", dynamic, "preempt=none", nil, "none"},
		{"dynamic without config", "6.18.1", dynamic, "", nil, ""},
		{"misspelt", "6.18.1", dynamic, "preempt=ful full preempt=lazyish", lazyArch("PREEMPT_NONE"), "none"},
		{"lazy before its time", "6.1.1", dynamic, "preempt=lazy", kernelConfig{"PREEMPT_NONE": "y"}, "none"},
		{"none after its time", "7.2.13", dynamic, "preempt=none", lazyArch("PREEMPT_LAZY"), "lazy"},
		{"voluntary after its time", "7.2.13", dynamic, "preempt=voluntary", lazyArch("PREEMPT"), "full"},
		{"none without lazy", "7.2.13", dynamic, "preempt=none", kernelConfig{"PREEMPT": "y"}, "none"},
		{"not dynamic", "6.1.1", "#1 SMP PREEMPT x", "preempt=none", kernelConfig{"PREEMPT": "y"}, "full"},
		{
			"dynamic by config alone", "5.12.1", "#1 SMP", "preempt=none",
			kernelConfig{"PREEMPT": "y", "PREEMPT_DYNAMIC": "y"}, "none",
		},
		{
			"realtime", "6.12.48-rt", "#1 SMP PREEMPT_RT Debian", "preempt=full",
			lazyArch("PREEMPT_RT", "PREEMPT_LAZY"), "rt",
		},
		{"word alone, full", "6.1.1", "#1 SMP PREEMPT x", "", nil, "full"},
		{"word alone, full or lazy", "6.13.1", "#1 SMP PREEMPT x", "", nil, ""},
		{"no word, no config", "6.1.1", "#1 SMP x", "", nil, ""},
	} {
		tree := sysTree{fstest.MapFS{"proc/cmdline": {Data: []byte(c.cmdline + "\n")}}}
		got := preemption(tree, kernelID{release: c.release, version: c.version}, c.config)
		if got != c.want {
			t.Errorf("%s: preemption is %q, want %q", c.name, got, c.want)
		}
	}
}

func TestPreemptionSaidByTheKernel(t *testing.T) {
	kernel := kernelID{release: "6.18.1", version: "#1 SMP PREEMPT_DYNAMIC"}
	config := kernelConfig{"PREEMPT_NONE": "y"}
	for _, c := range []struct{ file, content, want string }{
		{schedDebugDir + "/preempt", "none voluntary full (lazy) \n", "lazy"},
		{schedDebugDir + "/preempt", "(none) voluntary full lazy \n", "none"},
		{"sys/kernel/realtime", "1\n", "rt"},
		{"sys/kernel/realtime", "0\n", "none"},
	} {
		tree := sysTree{fstest.MapFS{c.file: {Data: []byte(c.content)}}}
		if got := preemption(tree, kernel, config); got != c.want {
			t.Errorf("with %s %q preemption is %q, want %q", c.file, c.content, got, c.want)
		}
	}
}

func TestSchedulerWithSchedExt(t *testing.T) {
	for _, c := range []struct{ state, switchAll, want string }{
		{"enabled", "1", "sched_ext:simple"},
		{"enabled", "0", "EEVDF + sched_ext:simple"},
		{"disabled", "0", "EEVDF"},
		{"disabling", "1", "EEVDF"},
	} {
		tree := sysTree{fstest.MapFS{
			schedExtDir + "/state":      {Data: []byte(c.state + "\n")},
			schedExtDir + "/switch_all": {Data: []byte(c.switchAll + "\n")},
			schedExtDir + "/root/ops":   {Data: []byte("simple\n")},
		}}
		if got := scheduler(tree, kernelID{release: "6.12.0"}); got != c.want {
			t.Errorf("scheduler while %s (switch_all %s) is %q, want %q", c.state, c.switchAll, got, c.want)
		}
	}
}
