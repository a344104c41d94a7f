package report

// Verdict is the conclusion about a claim.
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

// Finding is what a report concludes about one claim.
type Finding struct {
	// Claim is the claim's name, C1 to C17.
	Claim   string  `json:"claim"`
	Verdict Verdict `json:"verdict"`
	// Reason explains why the claim was not measured and what to do about it; "" if it was.
	Reason string `json:"reason,omitempty"`
	// Figures are those on which the verdict is based.
	Figures []NamedFigure `json:"figures,omitempty"`
	// Effect is the figure that tells the size of the effect, nil if the claim was not measured.
	Effect *NamedFigure `json:"effect,omitempty"`
	// Sentence states the verdict and its figures for a reader.
	Sentence string `json:"sentence"`
}

// NamedFigure is the median of a metric over rounds, or the ratio of two.
type NamedFigure struct {
	Name string `json:"name"`
	// Workload, Variant and Mode are what it was measured in; Mode is "" if modes are compared.
	Workload string `json:"workload"`
	Variant  string `json:"variant,omitempty"`
	Mode     Mode   `json:"mode,omitempty"`
	// Unit is the unit of Median and of Low and High, the 95 % confidence interval. Low and High
	// are nil if there are too few rounds. For a ratio, Median is the Hodges-Lehmann estimate over
	// the rounds that have both figures.
	Unit   Unit     `json:"unit"`
	Median float64  `json:"median"`
	Low    *float64 `json:"low,omitempty"`
	High   *float64 `json:"high,omitempty"`
	// P is the p-value of the signed-rank test: the probability that two figures of the same rounds
	// differ as much although they are alike. It is nil if nothing was compared.
	P *float64 `json:"p,omitempty"`
	// N is the number of rounds.
	N int `json:"n"`
	// Worst is the figure of the worst round, and Broken the number of rounds that break a bound
	// that holds for each round. They are nil if the bound holds for the median.
	Worst  *float64 `json:"worst,omitempty"`
	Broken *int     `json:"broken,omitempty"`
}

// Quantity returns the median with its unit.
func (f NamedFigure) Quantity() Quantity { return Of(f.Median, f.Unit) }
