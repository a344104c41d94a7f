package collector_test

import (
	"fmt"
	"slices"
	"testing"
	"text/tabwriter"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/workloads"
)

// BenchmarkLightParts prints what each part of the light way's program takes of a switch of a pinned
// ping-pong: the difference in the program's time, as the kernel measures it, without that part. The
// variants take turns within each round; medians over rounds are given with their 95 % interval.
func BenchmarkLightParts(b *testing.B) {
	bpftest.Require(b)
	stats := enableStats(b)
	defer stats.Close()
	variants := []tracer{{"empty", attachEmptySwitch}, {"all parts", attachLiveWithout(0)}}
	for _, v := range []struct {
		name string
		part bpf.LightPart
	}{
		{"migrations", bpf.PartMoves}, {"classes", bpf.PartClass}, {"run queue", bpf.PartQueue},
		{"tasks' distributions", bpf.PartDists}, {"all distributions", bpf.PartHists}, {"causes", bpf.PartCause},
		{"tasks", bpf.PartTasks}, {"tasks, classes, run queue", bpf.PartTasks | bpf.PartClass | bpf.PartQueue},
	} {
		variants = append(variants, tracer{"without " + v.name, attachLiveWithout(v.part)})
	}
	for _, mode := range []workloads.Mode{workloads.Threads, workloads.Processes} {
		b.Run(string(mode), func(b *testing.B) {
			for range b.N {
				took := make(map[string][]float64)
				for range overheadRounds {
					for _, v := range variants {
						took[v.name] = append(took[v.name], programTime(b, mode, []workloads.CPU{0}, v))
					}
				}
				text, w := table()
				fmt.Fprintln(w, "\tns/switch\tless than with all parts\t")
				writeParts(w, variants, took)
				b.Log("\n" + text.String())
			}
			b.ReportMetric(0, "ns/op") // of no meaning here
		})
	}
}

func writeParts(w *tabwriter.Writer, variants []tracer, took map[string][]float64) {
	all := took["all parts"]
	for _, v := range variants {
		less := slices.Clone(all)
		for i := range less {
			less[i] -= took[v.name][i]
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t\n", v.name, summary(took[v.name], "%.0f"), summary(less, "%.0f"))
	}
	w.Flush()
}

func attachLiveWithout(left bpf.LightPart) func(testing.TB) (workloads.Observer, func()) {
	return func(t testing.TB) (workloads.Observer, func()) {
		l, err := collector.OpenLive(collector.LiveOptions{LeftOut: left})
		if err != nil {
			t.Fatal(err)
		}
		return nil, func() {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
