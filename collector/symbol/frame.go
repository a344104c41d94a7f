package symbol

// Frame is one function on a stack. A frame without a name has a Reason.
//
// Function, Module and File come from files and memory of the process, which may hold anything:
// they are valid UTF-8 of bounded length, but renderers must escape control characters, as in
// names of tasks.
type Frame struct {
	Function string // demangled, without parameters; "" if there is a Reason
	Module   string // the file's base name; of kernel addresses, the module or "kernel"
	File     string // the source file, known for Go only
	Line     int    // 0 if unknown
	Inlined  bool   // the compiler put this function's code into the function of a later frame
	Address  uint64 // as it stood in the stack
	Reason   Reason // why there is no name
}

// Reason says why a frame has no name.
type Reason uint8

const (
	Named      Reason = iota // it has one
	Ended                    // the process ended before its mappings were read
	Executed                 // the process executed another program before they were read
	NoMapping                // no mapping that the process had holds the address
	Gone                     // the file was deleted, and cannot be reached through the process
	Replaced                 // another file is at the path
	Unreadable               // the mappings, the file or the memory may not be read
	NotELF                   // the file is no ELF file
	Malformed                // the ELF file contradicts itself
	TooLarge                 // its tables exceed what this package holds
	Stripped                 // the file has no symbols of functions
	NoSymbol                 // the file has symbols, but none there
	NoPerfMap                // generated code of a process that writes no perf map
	NotInMap                 // generated code that the perf map does not list
	Hidden                   // the kernel hides its addresses
	NotKernel                // no function of the kernel or its modules is there
)

var reasons = [...]string{
	Named:      "",
	Ended:      "the process ended before its mappings were read",
	Executed:   "the process executed another program before its mappings were read",
	NoMapping:  "no mapping of the process holds the address",
	Gone:       "the file was deleted",
	Replaced:   "another file is at the path now",
	Unreadable: "the process's mappings, file or memory may not be read",
	NotELF:     "the file is no ELF file",
	Malformed:  "the ELF file is malformed",
	TooLarge:   "the file's tables are too large",
	Stripped:   "the file has no symbols (stripped)",
	NoSymbol:   "no symbol of the file covers the address",
	NoPerfMap:  "generated code (JIT) without a perf map",
	NotInMap:   "generated code (JIT) that the perf map does not list",
	Hidden:     "the kernel hides its addresses",
	NotKernel:  "no function of the kernel is at the address",
}

// String returns the reason in words, "" for Named.
func (r Reason) String() string {
	if int(r) < len(reasons) {
		return reasons[r]
	}
	return "unknown reason"
}

// Error makes a Reason an error within the package: what stops the reading of a file is what its
// frames say.
func (r Reason) Error() string { return r.String() }
