package view

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// perCreation is one of a workload's own times as one operation has it on average.
func perCreation(name, counted string) metric.Metric {
	return metric.New(name, report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		ns, ok := metric.WorkloadFigure(t, counted)
		if !ok || t.Operations == 0 {
			return 0, false
		}
		return float64(ns) / float64(t.Operations), true
	})
}

// createCall is how long the system call that creates a task takes in the parent, and
// joinWait how long the parent then waits for its end. Together they are creation.
func createCall() metric.Metric { return perCreation("call that creates", "create_call_ns") }

func joinWait() metric.Metric { return perCreation("wait for its end", "join_wait_ns") }

// parentResident is the memory of the process that creates.
func parentResident() metric.Metric {
	return metric.New("resident memory of the parent", report.Bytes, func(t *report.Trial) (float64, bool) {
		bytes, ok := metric.WorkloadFigure(t, "parent_resident_bytes")
		return float64(bytes), ok
	})
}

// otherCreations says where the parent's time goes, how much memory the parent has, of
// which a fork's cost depends, and what other ways to create take.
func (e *evidence) otherCreations() string {
	facts := ""
	e.record(whole("spawn"), createCall())
	e.record(whole("spawn"), joinWait())
	for _, form := range []struct{ variant, words string }{
		{"vfork", "the same by vfork"},
		{"exec libc", "a fork that executes a program with a C library"},
	} {
		if took := e.record(metric.Load{Name: "spawn", Variant: form.variant}, metric.Creation()); len(took) > 0 {
			facts += fmt.Sprintf("; %s, %s", form.words, quote(took))
		}
	}
	small := e.samples(whole("spawn"), report.Processes, parentResident())
	large := metric.Load{Name: "spawn", Variant: "parent + 64 MiB"}
	took := e.record(large, metric.Creation())
	if memory := e.record(large, parentResident()); len(small.Values) > 0 && len(took) > 0 && len(memory) > 0 {
		facts += fmt.Sprintf("; the parent has %s of memory, and with %s a fork takes %s",
			report.Of(small.Summary().Center, small.Unit), quote(memory), quote(took))
	}
	return facts
}
