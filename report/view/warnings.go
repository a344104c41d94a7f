package view

import (
	"fmt"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/words"
)

// unusual lists the settings that do not have their usual values.
func unusual(s report.Settings) []string {
	var out []string
	for _, kind := range s.InOrder() {
		if value := s[kind.Name]; kind.Usual != "" && value != kind.Usual {
			out = append(out, spaced(kind.Name)+" "+value)
		}
	}
	return out
}

// settingWarnings describe settings that distort figures, and settings that changed during the run,
// with the trials.
func settingWarnings(r *report.Report) []string {
	var out []string
	for _, kind := range r.Settings.InOrder() {
		if value := r.Settings[kind.Name]; kind.Warning != "" && value != kind.Usual {
			out = append(out, fmt.Sprintf(kind.Warning, value))
		}
	}
	out = append(out, throttlingWarnings(r)...)
	return append(out, changeWarnings(r)...)
}

// throttlingWarnings say for how long a quota kept the work from running.
func throttlingWarnings(r *report.Report) []string {
	var sum report.Throttling
	trials := 0
	for i := range r.Trials {
		if held := r.Trials[i].Throttling; held != nil && held.Times > 0 {
			sum.Times += held.Times
			sum.NS += held.NS
			trials++
		}
	}
	if trials == 0 {
		return nil
	}
	quota := r.Settings["cpu_quota"]
	if quota == "" || quota == report.NoSetting {
		quota = "set meanwhile"
	}
	return []string{fmt.Sprintf("the CPU quota of the cgroup (%s) kept tasks from running %s, "+
		"for %s of core time, in %d of %s: rates and shares depend on the quota as much as on the machine",
		quota, times(sum.Times), report.Of(float64(sum.NS), report.Nanoseconds),
		trials, words.Plural(len(r.Trials), "trial"))}
}

func times(n uint64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// changeWarnings has a sentence for each setting that changed.
func changeWarnings(r *report.Report) []string {
	var out []string
	for _, d := range r.Drifts() {
		name := spaced(d.Name)
		switch {
		case d.Inside.Name != "":
			more := ""
			if n := len(d.Trials) - 1; n > 0 {
				more = fmt.Sprintf(" (and again in %s)", words.Plural(n, "more trial"))
			}
			out = append(out, fmt.Sprintf("%s changed while work ran: %s, then %s in %s%s", name,
				orDash(d.Inside.Start), orDash(d.Inside.End), d.Inside.Name, more))
		case len(d.Trials) == 0:
			out = append(out, fmt.Sprintf("%s was %s when the run began and %s at its end",
				name, orDash(d.Began), strings.Join(d.Values, ", ")))
		default:
			out = append(out, fmt.Sprintf("%s changed: %s; %s", name, whenChanged(r, d), report.ChangeOf(d.Name)))
		}
	}
	return out
}

// whenChanged says which value a setting had when. It names the trials with the rarer values.
func whenChanged(r *report.Report, d *report.Drift) string {
	noun := "trial"
	if r.Setup.Watch != nil {
		noun = "interval"
	}
	began, later := orDash(d.Began), strings.Join(d.Values, ", ")
	all := words.Plural(len(r.Trials), noun)
	switch as := d.Unchanged; {
	case len(as) == 0:
		return fmt.Sprintf("%s before the first %s, then %s in all %s", began, noun, later, all)
	case len(as) < len(d.Trials):
		return fmt.Sprintf("%s when the run began and in %d of %s (%s), %s in the other %d", began, len(as), all,
			words.List(as, 4), later, len(d.Trials))
	}
	return fmt.Sprintf("%s when the run began, but %s in %d of %s (%s)", began, later, len(d.Trials), all,
		words.List(d.Trials, 4))
}

func spaced(name string) string { return strings.ReplaceAll(name, "_", " ") }
