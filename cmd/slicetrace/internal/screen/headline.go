package screen

import (
	"fmt"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/view/live"
)

// headline writes the first line in as many words as fit.
func (s *screen) headline() string {
	if s.data.Trial() == nil {
		return s.paint(fit("slicetrace top · waiting for the first interval", s.width), heading)
	}
	h := s.data.Headline()
	as := heading
	if h.Losses.Any() || s.data.Frozen() {
		as = alarm
	}
	state := ""
	switch {
	case s.data.Frozen():
		state = "frozen"
	case s.over:
		state = "ended"
	}
	forms := headlineForms(h, state)
	for _, form := range forms {
		if textWidth(form) <= s.width {
			return s.paint(form, as)
		}
	}
	return s.paint(fit(forms[len(forms)-1], s.width), as)
}

// headlineForms says the same in ever fewer words. state is a word that says why the figures do not
// change, "" if they do.
func headlineForms(h live.Headline, state string) []string {
	every := tidy(h.Interval.String())
	rate, switching := figure(h.Switches), switchingText(h, "")
	own := h.OwnCost.String()
	atLeast := ""
	if h.OwnCostPartly {
		own, atLeast = "≥ "+own, "≥"
	}
	short := ""
	if state != "" {
		state, short = state+" · ", strings.ToUpper(state)+" "
	}
	tight := func(q report.Quantity) string { return strings.ReplaceAll(figure(q), " ", "") }
	cores := fmt.Sprintf("%d cores", h.Cores)
	if h.Cores == 1 {
		cores = "1 core"
	}
	long := fmt.Sprintf("every %s · %s switches/s · %s · own cost %s · %s",
		every, rate, switchingText(h, "of core time in "), own, lossText(h.Losses))
	return []string{
		fmt.Sprintf("slicetrace top · %s%s, %d tasks · %s", state, cores, h.Tasks, long),
		fmt.Sprintf("slicetrace top · %s%s · %s", state, cores, long),
		fmt.Sprintf("%s%s · %s · %s switches/s · %s · own cost %s · %s",
			state, cores, every, rate, switching, own, lossText(h.Losses)),
		fmt.Sprintf("%s%s · %s · %s/s · %s · own %s · %s",
			short, cores, every, rate, switching, own, lossCount(h.Losses)),
		fmt.Sprintf("%s%dc %s %s/s %s own %s%s %s", short, h.Cores, strings.ReplaceAll(every, " ", ""),
			tight(h.Switches), tight(h.Switching), atLeast, tight(h.OwnCost), lossCount(h.Losses)),
		fmt.Sprintf("%s%s %s/s %s %dc own %s%s", short, lossCount(h.Losses),
			tight(h.Switches), tight(h.Switching), h.Cores, atLeast, tight(h.OwnCost)),
	}
}

// fewTimed is below how many timed switches their number is said.
const fewTimed = 200

// switchingText says which share of core time switches take, and from how many timed switches that is known
// if these are few; or why it is not known.
func switchingText(h live.Headline, what string) string {
	share := h.Switching.String()
	switch {
	case !h.Switching.Known && !h.TimedAtAll:
		return "switching not timed"
	case !h.Switching.Known:
		return "switching: too few timed yet (" + scaled(report.Of(float64(h.Timed), report.Count)) + ")"
	case h.Timed >= fewTimed:
		return share + " " + what + "switching"
	case h.SwitchingReach.Known:
		share += " ± " + h.SwitchingReach.String()
	}
	return fmt.Sprintf("%s %sswitching (%d timed)", share, what, h.Timed)
}

// lossText says what is missing from the figures since the start.
func lossText(l live.Losses) string {
	if !l.Any() {
		return "nothing lost"
	}
	var parts []string
	add := func(n uint64, what string) {
		if n > 0 {
			parts = append(parts, report.Of(float64(n), report.Count).String()+what)
		}
	}
	if l.Tasks == 1 {
		parts = append(parts, "1 task has no place: use --max-tasks")
	} else {
		add(l.Tasks, " tasks have no place: use --max-tasks")
	}
	add(l.Slices, " slices only in their cores' times")
	add(l.Untimed, " switches not timed")
	add(l.Unwatched, " switches not watched")
	return "lost: " + strings.Join(parts, ", ")
}

// lossCount is lossText in few letters.
func lossCount(l live.Losses) string {
	return "lost " + strings.ReplaceAll(scaled(report.Of(float64(l.Total()), report.Count)), " ", "")
}
