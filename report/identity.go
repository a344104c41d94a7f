package report

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
)

// ID identifies the kind of machine. It is the same for equal machines, and stays the same when a
// machine gets another kernel: "m" and 12 hexadecimal digits of SHA-256 over architecture, CPU
// model, number of CPUs, hypervisor and memory in whole GiB. Because of the letter, programs that
// guess types do not take it for a number.
func (h Host) ID() string {
	const gib = 1 << 30
	parts := []any{h.Arch, h.CPUModel, h.CPUs, h.Hypervisor, (h.MemoryBytes + gib/2) / gib}
	return "m" + digest(parts)[:12]
}

// ID identifies the report among all others: the time at which it was created, and 8 hexadecimal
// digits of SHA-256 over what was measured.
func (r *Report) ID() string {
	measured := r.withLists(false)
	measured.Findings = nil // they are computed, and later versions may compute them differently
	measured.Trials = make([]Trial, len(r.Trials))
	for i := range r.Trials {
		measured.Trials[i] = r.Trials[i].withLists(false)
	}
	return r.Created.UTC().Format("20060102T150405Z") + "-" + digest(measured)[:8]
}

func digest(v any) string {
	// Encoding cannot fail: reports that were read, texts and numbers can always be encoded.
	text, _ := json.Marshal(v)
	return fmt.Sprintf("%x", sha256.Sum256(text))
}
