package report

// Host is the fingerprint: what must be alike for two reports to be comparable.
// A field that could not be read is empty or nil.
type Host struct {
	Kernel       string   `json:"kernel"`
	Arch         string   `json:"arch"`
	CPUModel     string   `json:"cpu_model"`
	CPUs         int      `json:"cpus"`
	SMT          string   `json:"smt"`
	HZ           int      `json:"hz"`
	Preemption   string   `json:"preemption"`
	Scheduler    string   `json:"scheduler"`
	BaseSliceNS  *int64   `json:"base_slice_ns,omitempty"`
	PTI          string   `json:"pti"`
	Mitigations  []string `json:"mitigations"`
	Clocksource  string   `json:"clocksource"`
	Hypervisor   string   `json:"hypervisor"`
	Governor     string   `json:"governor"`
	MemoryBytes  int64    `json:"memory_bytes"`
	Distribution string   `json:"distribution"`
	// PCID and INVPCID are "on" where the kernel tags what the TLB holds by address
	// space, and has the instruction that drops one space's entries, else "off": without
	// tags a switch to another address space empties the TLB. Empty where the CPU has no
	// such flags, as on arm64, whose TLB is always tagged, and in reports of versions
	// that did not look.
	PCID    string `json:"pcid,omitempty"`
	INVPCID string `json:"invpcid,omitempty"`
	// NestedPaging says what translates the addresses that page tables here hold once
	// more: "none" without a hypervisor, "ept" or "npt" where a guest can tell, which is
	// where it may run guests of its own. Empty where it cannot be told.
	NestedPaging string `json:"nested_paging,omitempty"`
}
