package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/explain"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/view"
)

// explainOptions are the flags of explain.
type explainOptions struct {
	report, recording, html string
	noPicture               bool
}

func newExplain(s streams) *cobra.Command {
	var o explainOptions
	cmd := &cobra.Command{
		Use:   "explain [TOPIC]...",
		Short: "Explain a claim or a word, with this machine's figures and a picture of slices",
		Long: `explain teaches what reports measure: a claim of the textbooks (C1 to C17), or a word
such as pick, slice or concurrency. Of a claim it says what it means, how it is
measured, what a report of this machine found, what to try and what to read. Without
a topic it lists them all.

The figures are those of --report, or else of the newest slicetrace-*.json in this
folder. As root, explain also runs the claim's work for a second or two, and draws who
had which core when, processes above threads; --no-picture leaves that out.

With --html the topics become one page, all claims and words unless some are named.`,
		Example: `  slicetrace explain
  slicetrace explain pick
  sudo slicetrace explain C9
  sudo slicetrace explain --html lecture.html`,
		Args: usageArgs(cobra.ArbitraryArgs),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var names []cobra.Completion
			for _, l := range explain.Lessons() {
				names = append(names, cobra.CompletionWithDesc(l.ID, l.Title))
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), s, args) },
	}
	f := cmd.Flags()
	f.StringVar(&o.report, "report", "", "take the figures from this report, a `FILE` of run "+
		"(default: the newest slicetrace-*.json here)")
	f.StringVar(&o.recording, "recording", "", "draw slices of this recording, a `FILE` of run --record, "+
		"instead of making one")
	f.BoolVar(&o.noPicture, "no-picture", false, "run nothing, and draw no slices")
	f.StringVar(&o.html, "html", "", "write a page to this `FILE`, or - for standard output")
	// The calls fail only for a flag that does not exist.
	_ = cmd.MarkFlagFilename("report", "json")
	_ = cmd.MarkFlagFilename("recording")
	_ = cmd.MarkFlagFilename("html", "html")
	return cmd
}

func (o *explainOptions) run(ctx context.Context, s streams, args []string) error {
	if o.noPicture && o.recording != "" {
		return usagef("--no-picture and --recording exclude each other: give one of them")
	}
	var topics []explain.Topic
	for _, arg := range args {
		t, err := explain.Find(arg)
		if err != nil {
			return &statusError{exitUsage, err}
		}
		topics = append(topics, t)
	}
	if o.html != "" {
		return o.writePage(ctx, s, topics)
	}
	warnIfClosed(s)
	if len(topics) == 0 {
		return render.SummaryText(s.out, explain.Contents(), textOptions(s.out, view.Brief))
	}
	summaries, err := o.summaries(ctx, s, topics)
	if err != nil {
		return err
	}
	for i, summary := range summaries {
		if i > 0 {
			fmt.Fprintln(s.out)
		}
		if err := render.SummaryText(s.out, summary, textOptions(s.out, view.Brief)); err != nil {
			return err
		}
	}
	return nil
}

// writePage writes the page of the topics, of all if there are none.
func (o *explainOptions) writePage(ctx context.Context, s streams, topics []explain.Topic) error {
	inputs := slices.DeleteFunc([]string{o.report, o.recording}, isEmpty)
	targets, err := openOutputs(s, inputs, outputFlag{"--html", o.html})
	if err != nil {
		return err
	}
	title := "Processes, threads and time slices, measured on this machine"
	if len(topics) == 0 {
		topics = explain.All()
	} else {
		title = "Explained: " + strings.Join(topicNames(topics), ", ")
	}
	summaries, err := o.summaries(ctx, s, topics)
	if err != nil {
		return err
	}
	var page bytes.Buffer // complete before it is written: a stream cannot be taken back
	if err := render.Lessons(&page, title, summaries); err != nil {
		return err
	}
	return targets[0].Write(func(w io.Writer) error {
		_, err := page.WriteTo(w)
		return err
	})
}

func isEmpty(s string) bool { return s == "" }

func topicNames(topics []explain.Topic) (names []string) {
	for _, t := range topics {
		names = append(names, t.Name())
	}
	return names
}

// summaries prepares the topics, with what is known of this machine.
func (o *explainOptions) summaries(ctx context.Context, s streams, topics []explain.Topic) ([]*view.Summary, error) {
	r, name, err := o.reportOf()
	if err != nil {
		return nil, err
	}
	artist := &artist{options: o, messages: s.err}
	defer artist.close()
	var summaries []*view.Summary
	for _, t := range topics {
		m := explain.Machine{Report: r, Name: name}
		if r == nil {
			m.Notes = append(m.Notes, "No report of this machine is here: sudo slicetrace run makes one.")
		}
		if t.Lesson != nil && !o.noPicture {
			var note string
			if m.Picture, note, err = artist.draw(ctx, t.Lesson); err != nil {
				return nil, err
			}
			if note != "" {
				m.Notes = append(m.Notes, note)
			}
		}
		summaries = append(summaries, t.Summary(m))
	}
	return summaries, nil
}

// reportOf reads the report that has the figures, and returns nil if there is none.
func (o *explainOptions) reportOf() (r *report.Report, name string, err error) {
	if o.report != "" {
		r, err := readReport(o.report)
		return r, o.report, err
	}
	r, name = newestReport(func(*report.Report) bool { return true })
	return r, name, nil
}

// artist draws claims' pictures, from the recording that was given or from one of its own of each workload.
type artist struct {
	options  *explainOptions
	messages io.Writer
	folder   string
	recorded map[string]string // files, by workload
}

// draw returns a claim's picture, or why there is none.
func (a *artist) draw(ctx context.Context, l *explain.Lesson) (picture *view.Lanes, note string, err error) {
	name := a.options.recording
	if name == "" {
		if err := collector.CheckAllowed(); err != nil {
			return nil, "No picture of slices: as root, explain records one.", nil
		}
		if name, err = a.record(ctx, l.Scene()); err != nil {
			return nil, "No picture of slices: " + oneLine(err) + ".", ctx.Err()
		}
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, "", fmt.Errorf("open recording: %w", err)
	}
	defer f.Close()
	picture, err = l.Picture(f)
	if errors.Is(err, explain.ErrNoScene) {
		return nil, fmt.Sprintf("No picture of slices: %s has none of %s.", name, l.Scene()), nil
	}
	return picture, "", err
}

// record runs a workload for a second or so, and returns the name of the recording.
func (a *artist) record(ctx context.Context, workload string) (string, error) {
	if name, ok := a.recorded[workload]; ok {
		return name, nil
	}
	if a.folder == "" {
		var err error
		if a.folder, err = os.MkdirTemp("", "slicetrace-"); err != nil {
			return "", err
		}
		a.recorded = make(map[string]string)
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	fmt.Fprintf(a.messages, "Recording %s…\n", workload)
	name := filepath.Join(a.folder, workload+".rec")
	cmd := exec.CommandContext(ctx, self, "run", "-q", workload, "--rounds", "1", "--duration", "250ms",
		"-o", filepath.Join(a.folder, workload+".json"), "--record", name)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s was not recorded: %w: %s", workload, err, strings.TrimSpace(string(out)))
	}
	a.recorded[workload] = name
	return name, nil
}

// close removes the recordings.
func (a *artist) close() {
	if a.folder != "" {
		_ = os.RemoveAll(a.folder) // what is left is among temporary files
	}
}
