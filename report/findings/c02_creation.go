package findings

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/metric"
)

// lifeMean is the mean of one phase of the lives of the tasks that workers created.
func lifeMean(name string, phase func(*report.Created) histogram.Histogram) metric.Metric {
	return metric.New(name, report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		if t.Created == nil {
			return 0, false
		}
		return phase(t.Created).Mean()
	})
}

// lifeParts are the parts of a creation that are timed between the kernel's own events.
// They are means, which add up.
func lifeParts() []metric.Metric {
	return []metric.Metric{
		lifeMean("fork to first run mean", func(c *report.Created) histogram.Histogram { return c.Start }),
		lifeMean("first run to exit mean", func(c *report.Created) histogram.Histogram { return c.Run }),
		lifeMean("exit to last switch mean", func(c *report.Created) histogram.Histogram { return c.End }),
	}
}

// besides is what creating and joining a task takes besides its life, absent where the
// join did not wait for the end of that.
func besides() metric.Metric {
	return metric.New("create and join besides mean", report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		rest := metric.Creation().Of(t)
		for _, m := range lifeParts() {
			part := m.Of(t)
			rest.Known = rest.Known && part.Known
			rest.Value -= part.Value
		}
		return rest.Value, rest.Known && rest.Value >= 0
	})
}

func creating(e *evidence) string {
	l := whole("spawn")
	m := metric.Creation()
	f, ok := e.exceeds(l, "", m.Name+", processes ÷ threads", e.samples(l, report.Processes, m), e.samples(l, report.Threads, m), dearerBy)
	if !ok {
		return ""
	}
	both := e.record(l, m)
	facts := fmt.Sprintf("to create, run and join one takes %s against %s (%s ×)", both[0].Quantity(), both[1].Quantity(), span(f))
	words := []string{"until it runs", "until its exit", "until its end"}
	var said []string
	for i, part := range lifeParts() {
		if figures := e.record(l, part); len(figures) > 0 {
			said = append(said, quote(figures)+" "+words[i])
		}
	}
	if rest := e.record(l, besides()); len(rest) > 0 && len(said) == len(words) {
		said = append(said, quote(rest)+" in the calls around")
	}
	if len(said) > 0 {
		facts += ", on average " + clauses(said)
	}
	if executed := e.record(metric.Load{Name: "spawn", Variant: "exec"}, m); len(executed) > 0 {
		facts += fmt.Sprintf("; if it executes a program, %s", quote(executed))
	}
	facts += e.otherCreations()
	return facts
}

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
