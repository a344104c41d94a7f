// Vet runs the analyzers of "go vet" on the builds for other systems, from the sources. "go vet"
// itself would first compile the standard library and every dependency for each of those systems,
// which takes eight times as long.
//
// Usage, once it is built: GOOS=darwin vet PACKAGE...
package main

import (
	"golang.org/x/tools/go/analysis/multichecker"
	"golang.org/x/tools/go/analysis/suite/vet"
)

func main() { multichecker.Main(vet.Suite...) }
