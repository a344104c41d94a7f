package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/table"
)

// exportOptions are export's flags.
type exportOptions struct {
	tables []string
	format string
	output string
	host   string
	schema bool
}

// The formats that export writes.
const (
	exportCSV      = "csv"
	exportParquet  = "parquet"
	exportPerfetto = "perfetto"
	exportPprof    = "pprof"
	exportFolded   = "folded"
)

func exportFormats() []string {
	return []string{exportCSV, exportParquet, exportPerfetto, exportPprof, exportFolded}
}

func newExport(s streams) *cobra.Command {
	o := &exportOptions{}
	names := table.Names()
	ofReport := strings.Join(names[:8], ", ") + ",\n" + strings.Join(names[8:], ", ")
	ofRecording := strings.Join(render.RecordingTableNames(), ", ")
	cmd := &cobra.Command{
		Use:   "export REPORT... | RECORDING | --schema",
		Short: "Write reports or a recording as tables (CSV, Parquet), a Perfetto trace or a profile",
		Long: `export writes tables. Figures are whole numbers with the unit in the column's name
(in table findings the unit is beside the figure), and each row is one observation. CSV
follows RFC 4180; with several reports its first column names the file. Column trial
numbers a report's trials in the order in which they ran. The tables of a report are
` + ofReport + `.
The last three are of what was watched on a running system, and empty for other reports.

With --format parquet and -o FOLDER, every table named, or all, of every report becomes
a file FOLDER/TABLE/host=HOST/date=DATE/REPORT.parquet, so that the reports of many
machines can be queried as one table. HOST is the same for machines of one kind,
unless --host names it. Exporting a report again replaces its files. With a single table
and a name that ends in .parquet, or an existing file's, everything goes into that file.

The tables of a recording are ` + ofRecording + `.
Rows are in the order of the file: those of one core are in order of time, those of
several cores alternate in blocks. Times are CLOCK_MONOTONIC; names are those that tasks
had at that time. With --format perfetto the whole recording becomes a trace for
ui.perfetto.dev.

The stacks of a report (run --why) become a profile of the time off cores with --format
pprof, for go tool pprof, speedscope or Parca. With --format folded they become lines
process;thread;state;outermost;...;innermost NANOSECONDS for flamegraph.pl; the state is
blocked, runnable or throttled.

--schema reads no file and writes the JSON Schema of reports. With --table it writes the
columns of that table and their types as a Table Schema.`,
		Example: `  slicetrace export REPORT --table cores > cores.csv
  slicetrace export slicetrace-*.json --table trials -o trials.csv
  slicetrace export slicetrace-*.json --format parquet -o fleet --host web-17
  slicetrace export REPORT --format parquet --table cores -o cores.parquet
  slicetrace export RECORDING --table switches | head
  slicetrace export RECORDING --table switches --format parquet -o switches.parquet
  slicetrace export RECORDING --format perfetto -o run.perfetto-trace
  slicetrace export why.json --format pprof -o blocked.pb.gz
  slicetrace export why.json --format folded | flamegraph.pl --countname ns > blocked.svg
  slicetrace export --schema > report-schema.json
  slicetrace export --schema --table core_times`,
		Args: usageArgs(o.filesOrSchema),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.output == standardOutput {
				o.output = ""
			}
			if o.schema {
				return o.exportSchema(cmd.Context(), s)
			}
			return o.export(cmd.Context(), s, args)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.tables, "table", nil,
		"the table to write, one of those above; into a folder several (default: all)")
	f.StringVar(&o.format, "format", exportCSV, "the format to write: "+strings.Join(exportFormats(), ", "))
	f.StringVarP(&o.output, "output", "o", "",
		"write to this file, or for parquet to this folder, instead of standard output")
	f.StringVar(&o.host, "host", "",
		"with parquet in a folder: the machine's name (default: derived from its CPU and memory)")
	f.BoolVar(&o.schema, "schema", false, "write the JSON Schema of reports, or the columns of the table named")
	complete(cmd, "format", exportFormats())
	// The call fails only for a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc("table", completeTable)
	return cmd
}

// export checks the flags and exports the files: one recording, or reports.
func (o *exportOptions) export(ctx context.Context, s streams, names []string) error {
	if !slices.Contains(exportFormats(), o.format) {
		return usagef("--format %q: export writes %s", o.format, strings.Join(exportFormats(), ", "))
	}
	for i, name := range o.tables {
		if slices.Contains(o.tables[:i], name) {
			return usagef("--table names %s twice: name it once", name)
		}
	}
	if o.format == exportCSV && len(o.tables) == 0 {
		return usagef("name a table with --table: %s; of a recording: %s",
			strings.Join(table.Names(), ", "), strings.Join(render.RecordingTableNames(), ", "))
	}
	in, err := openInput(names[0])
	if err != nil {
		return err
	}
	defer in.Close()
	if write := o.stackFormat(); write != nil {
		return o.exportStacks(ctx, s, in, names, write)
	}
	if len(names) == 1 && in.recording {
		return o.exportRecording(ctx, s, in)
	}
	if err := noRecordings(names); err != nil {
		return err
	}
	return o.exportReports(ctx, s, in, names)
}

// oneTable returns the single table that --table must name.
func (o *exportOptions) oneTable(known []string) (string, error) {
	switch {
	case len(o.tables) == 0:
		return "", usagef("name a table with --table: %s", strings.Join(known, ", "))
	case len(o.tables) > 1:
		return "", usagef("--table %s: name one table, or write parquet to a folder with -o",
			strings.Join(o.tables, ","))
	}
	return o.tables[0], nil
}

// tableWriter returns a writer of one table in the format asked for.
func (o *exportOptions) tableWriter(w io.Writer) render.TableWriter {
	if o.format == exportParquet {
		return render.NewParquet(w)
	}
	return render.NewCSV(w)
}

// writeOutput calls write for the file that -o names, which is made whole or not at all,
// even if a signal interrupts; without -o, for standard output.
func (o *exportOptions) writeOutput(
	ctx context.Context, s streams, inputs []string, write func(io.Writer) error,
) error {
	targets, err := openOutputs(s, inputs, outputFlag{"-o", o.output})
	if err != nil {
		return err
	}
	target, stream := targets[0], s.out
	if target != nil {
		stream = target.Stream()
	} else {
		warnIfClosed(s)
	}
	if o.format != exportCSV && o.format != exportFolded {
		if err := notForATerminal("--format "+o.format, stream); err != nil {
			return err
		}
	}
	switch {
	case target == nil:
		return write(stream)
	case stream != nil: // what has gone to a stream cannot be taken back
		return target.Write(write)
	}
	return interruptible(ctx, func(ctx context.Context) error {
		return target.Write(func(w io.Writer) error { return write(contextWriter{ctx, w}) })
	})
}

// interruptible ends do's context at a signal, so that do can remove a file that it has
// half written. A signal that is ignored, as under nohup, stays ignored.
func interruptible(ctx context.Context, do func(context.Context) error) error {
	signals := slices.DeleteFunc([]os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}, signal.Ignored)
	if len(signals) == 0 { // NotifyContext would take an empty list to mean all signals
		return do(ctx)
	}
	ctx, stop := signal.NotifyContext(ctx, signals...)
	defer stop()
	err := do(ctx)
	if err != nil && ctx.Err() != nil {
		return errors.New("interrupted: the file was not complete and is removed")
	}
	return err
}

// contextWriter is a writer that fails once its context has ended.
type contextWriter struct {
	ctx context.Context
	w   io.Writer
}

func (w contextWriter) Write(p []byte) (int, error) {
	if w.ctx.Err() != nil {
		return 0, errors.New("interrupted")
	}
	return w.w.Write(p)
}
