package findings

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/metric"
)

// lifeMean is the mean of one phase in the lives of the tasks that workers created.
func lifeMean(name string, phase func(*report.Created) histogram.Histogram) metric.Metric {
	return metric.New(name, report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		if t.Created == nil {
			return 0, false
		}
		return phase(t.Created).Mean()
	})
}

// lifeParts are the phases of a created task's life, which are timed between events of the kernel.
// They are means, which can be added.
func lifeParts() []metric.Metric {
	return []metric.Metric{
		lifeMean("fork to first run mean", func(c *report.Created) histogram.Histogram { return c.Start }),
		lifeMean("first run to exit mean", func(c *report.Created) histogram.Histogram { return c.Run }),
		lifeMean("exit to last switch mean", func(c *report.Created) histogram.Histogram { return c.End }),
	}
}

// besides is the time to create and join a task that is not part of its life. It is absent if the
// join did not wait for the end of its life.
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
	name := m.Name + ", processes ÷ threads"
	f, ok := e.exceeds(l, "", name, e.samples(l, report.Processes, m), e.samples(l, report.Threads, m), clearlyMore)
	if !ok {
		return ""
	}
	both := e.record(l, m)
	facts := fmt.Sprintf("to create, run and join one takes %s against %s (%s ×)",
		both[0].Quantity(), both[1].Quantity(), span(f))
	words := []string{"until it runs", "from then until its exit", "from its exit until its last switch"}
	var said []string
	for i, part := range lifeParts() {
		if figures := e.record(l, part); len(figures) > 0 {
			said = append(said, quote(figures)+" "+words[i])
		}
	}
	if rest := e.record(l, besides()); len(rest) > 0 && len(said) == len(words) {
		said = append(said, quote(rest)+" in the calls that create and join it")
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

// perCreation is one of the workload's own times, divided by the number of operations.
func perCreation(name, counted string) metric.Metric {
	return metric.New(name, report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		ns, ok := metric.WorkloadFigure(t, counted)
		if !ok || t.Operations == 0 {
			return 0, false
		}
		return float64(ns) / float64(t.Operations), true
	})
}

// createCall is the duration of the system call that creates a task, in the parent. joinWait is how
// long the parent then waits for the task's end. Together they are the time of a creation.
func createCall() metric.Metric { return perCreation("call that creates", "create_call_ns") }

func joinWait() metric.Metric { return perCreation("wait for its end", "join_wait_ns") }

// parentResident is the memory of the process that creates tasks.
func parentResident() metric.Metric {
	return metric.New("resident memory of the parent", report.Bytes, func(t *report.Trial) (float64, bool) {
		bytes, ok := metric.WorkloadFigure(t, "parent_resident_bytes")
		return float64(bytes), ok
	})
}

// otherCreations describes other ways to create a task, and how much memory the parent has, since
// the cost of a fork depends on it.
func (e *evidence) otherCreations() string {
	facts := ""
	e.record(whole("spawn"), createCall())
	e.record(whole("spawn"), joinWait())
	for _, other := range []struct{ variant, words string }{
		{"vfork", "the same by vfork"},
		{"exec libc", "a fork that executes a program with a C library"},
	} {
		if took := e.record(metric.Load{Name: "spawn", Variant: other.variant}, metric.Creation()); len(took) > 0 {
			facts += fmt.Sprintf("; %s, %s", other.words, quote(took))
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
