package report

// ThrottledNS is how long CPU quotas kept the trial's workers and the tasks that they created, or
// the tasks of a running system, from running.
func (t *Trial) ThrottledNS() int64 {
	var ns int64
	for a := range t.System.Activities() {
		ns += a.ThrottledNS
	}
	for i := range t.Workers {
		ns += t.Workers[i].ThrottledNS
	}
	if t.Created != nil {
		ns += t.Created.ThrottledNS
	}
	return ns
}
