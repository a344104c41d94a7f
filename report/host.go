package report

// Host describes the machine and its kernel. Reports are comparable if these properties are equal.
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
	// PCID and INVPCID are "on" if the kernel tags TLB entries by address space, and has the
	// instruction that removes the entries of one address space, otherwise "off". Without tags a
	// switch to another address space flushes the TLB. Both are empty if the CPU has no such flags,
	// as on arm64, whose TLB is always tagged, and in reports of versions that did not read them.
	PCID    string `json:"pcid,omitempty"`
	INVPCID string `json:"invpcid,omitempty"`
	// NestedPaging is how guest addresses are translated a second time: "none" without a
	// hypervisor, "ept" or "npt" if a guest can tell, which needs support for nested
	// virtualisation. It is empty if it cannot be told.
	NestedPaging string `json:"nested_paging,omitempty"`
}
