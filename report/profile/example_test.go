package profile_test

import (
	"log"
	"os"

	"github.com/slicetrace/slicetrace/report/profile"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// Folded stacks have a line for each stack, in nanoseconds.
func ExampleFolded() {
	r := reporttest.Blocked()
	r.Trials[0].Why.Waits = r.Trials[0].Why.Waits[2:]
	if err := profile.Folded(os.Stdout, r); err != nil {
		log.Fatal(err)
	}
	// Output:
	// [pid 4101];sh;blocked;[no stack] 1500000
	// [pid 4101];sh;runnable;[no stack] 999
	// make;jobs;runnable;main.(*pool).run;main.step_[i];[unknown];preempt_schedule_irq_[k];schedule_[k] 50000000
}
