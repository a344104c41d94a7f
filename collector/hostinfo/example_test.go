package hostinfo_test

import (
	"fmt"
	"log"

	"github.com/slicetrace/slicetrace/collector/hostinfo"
)

// The kernel writes lists of cores in this form, in sysfs and in control groups.
func ExampleParseCPUs() {
	cores, err := hostinfo.ParseCPUs("0-3,8\n")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(cores)
	// Output: [0 1 2 3 8]
}
