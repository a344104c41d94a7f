package bpf_test

import (
	"fmt"
	"log"

	"github.com/slicetrace/slicetrace/bpf"
)

// Which hooks this kernel has, in the order in which they are to be attached. The output is not
// checked, since this needs root.
func ExampleLoad() {
	kernel, err := bpf.ReadKernel()
	if err != nil {
		log.Fatal(err)
	}
	objs, err := bpf.Load(kernel, bpf.Options{Cores: 2, Tasks: 64})
	if err != nil {
		log.Fatal(err)
	}
	defer objs.Close()
	for _, hook := range objs.Hooks {
		fmt.Println(hook.Name)
	}
	fmt.Printf("the pick phase is timed from %q, the switch phase to %q\n", objs.Pick, objs.Switch)
}
