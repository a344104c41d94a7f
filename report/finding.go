package report

// Verdict is what the measured figures say of a claim.
type Verdict string

// The verdicts.
const (
	Supported    Verdict = "supported"
	Contradicted Verdict = "contradicted"
	Inconclusive Verdict = "inconclusive"
	NotMeasured  Verdict = "not measured"
)

// Verdicts returns all verdicts.
func Verdicts() []Verdict { return []Verdict{Supported, Contradicted, Inconclusive, NotMeasured} }

// Finding is what a report says of one claim.
type Finding struct {
	// Claim is the claim's name, C1 to C17.
	Claim   string  `json:"claim"`
	Verdict Verdict `json:"verdict"`
	// Reason says why the claim was not measured and what to do, "" when it was.
	Reason string `json:"reason,omitempty"`
	// Figures are those that the verdict rests on.
	Figures []NamedFigure `json:"figures,omitempty"`
	// Effect is the figure that says how much, nil when the claim was not measured.
	Effect *NamedFigure `json:"effect,omitempty"`
	// Sentence tells a reader the verdict and its figures.
	Sentence string `json:"sentence"`
}

// NamedFigure is the median of a metric over rounds, or the ratio of two.
type NamedFigure struct {
	Name string `json:"name"`
	// Workload, Variant and Mode say where it was measured; Mode is "" when
	// modes are compared.
	Workload string `json:"workload"`
	Variant  string `json:"variant,omitempty"`
	Mode     Mode   `json:"mode,omitempty"`
	// Unit is that of Median, Low and High, the 95 % confidence interval. Low
	// and High are nil where the rounds are too few for one. Of a ratio, Median is the
	// Hodges-Lehmann estimate over the rounds that have both figures.
	Unit   Unit     `json:"unit"`
	Median float64  `json:"median"`
	Low    *float64 `json:"low,omitempty"`
	High   *float64 `json:"high,omitempty"`
	// P is the signed-rank test's probability that two figures of the same rounds which
	// differ so much are alike; nil where nothing was compared.
	P *float64 `json:"p,omitempty"`
	// N is the number of rounds.
	N int `json:"n"`
	// Worst is the figure of the round that keeps a bound least, and Broken the number
	// of rounds that break it, where each round is asked; nil where the median is.
	Worst  *float64 `json:"worst,omitempty"`
	Broken *int     `json:"broken,omitempty"`
}

// Quantity returns the median with its unit.
func (f NamedFigure) Quantity() Quantity { return Of(f.Median, f.Unit) }
