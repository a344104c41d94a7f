package symbol

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

const (
	mostKernelSymbols = 4 << 20
	// mostPastLast bounds a function whose end no list says: the last of a module.
	mostPastLast = 1 << 20
	// coreModule is the module of functions that are in none.
	coreModule = "kernel"
)

// Kernel names addresses of the kernel. It is a copy of the kernel's list at one time: programs
// and modules that were loaded later are not in it.
type Kernel struct {
	list    []kernelFunction // by address
	text    []byte           // the names, one after another
	modules []string
	ends    []uint64 // of modules, 0 where unknown
	core    []bounds // the kernel's own code
	reason  Reason   // why there is no list
	remedy  string
}

type kernelFunction struct {
	start  uint64
	name   uint32
	size   uint16
	module uint16
}

type bounds struct{ start, end uint64 }

// ReadKernel reads the kernel's list of functions, which takes some tenths of a second. If the
// kernel hides its addresses, Remedy says what to do.
func ReadKernel() *Kernel {
	symbols, err := os.Open("/proc/kallsyms")
	if err != nil {
		k := &Kernel{reason: Hidden}
		k.remedy = "/proc/kallsyms cannot be read: mount /proc, with a kernel that has CONFIG_KALLSYMS"
		if errors.Is(err, fs.ErrPermission) {
			k.remedy = "/proc/kallsyms may not be read: run as root"
		}
		return k
	}
	defer symbols.Close()
	modules, err := os.Open("/proc/modules")
	if err != nil {
		return readKernel(symbols, strings.NewReader(""))
	}
	defer modules.Close()
	return readKernel(symbols, modules)
}

// Remedy says why the kernel's functions, or some, have no names and what to do about it, "" if they have.
func (k *Kernel) Remedy() string { return k.remedy }

// readKernel reads lines "address type name [module]", and /proc/modules for where modules end.
func readKernel(symbols, modules io.Reader) *Kernel {
	k := &Kernel{modules: []string{coreModule}}
	byName := map[string]uint16{coreModule: 0}
	marks := map[string]uint64{}
	scan := bufio.NewScanner(symbols)
	lines := 0
	for scan.Scan() && len(k.list) < mostKernelSymbols {
		s, ok := parseKernelSymbol(scan.Bytes())
		if !ok {
			continue
		}
		if lines++; s.address == 0 {
			continue
		}
		if s.module == "" {
			s.module = coreModule
			switch s.name {
			case "_text", "_stext", "_etext", "_sinittext", "_einittext":
				marks[s.name] = s.address
			}
		}
		index, known := byName[s.module]
		if !known && len(k.modules) < 1<<16 {
			index = uint16(len(k.modules))
			byName[s.module] = index
			k.modules = append(k.modules, s.module)
		}
		k.list = append(k.list, kernelFunction{s.address, uint32(len(k.text)), uint16(len(s.name)), index})
		k.text = append(k.text, s.name...)
	}
	if len(k.list) == 0 {
		k.hide(lines > 0)
	}
	if err := scan.Err(); err != nil {
		k.remedy = "not all of /proc/kallsyms could be read: " + err.Error()
	}
	if len(k.list) == 0 {
		return k
	}
	// Of several names at one address, the kernel itself shows the first in its list.
	slices.SortStableFunc(k.list, func(a, b kernelFunction) int { return cmp.Compare(a.start, b.start) })
	k.list = slices.CompactFunc(k.list, func(a, b kernelFunction) bool { return a.start == b.start })
	start, end := marks["_stext"], marks["_etext"]
	if text := marks["_text"]; start == 0 || text != 0 && text < start {
		start = text
	}
	k.core = []bounds{{start, end}, {marks["_sinittext"], marks["_einittext"]}}
	k.ends = make([]uint64, len(k.modules))
	for name, end := range moduleEnds(modules) {
		if index, known := byName[name]; known {
			k.ends[index] = end
		}
	}
	return k
}

// hide notes why no function has an address.
func (k *Kernel) hide(listed bool) {
	if k.reason = Hidden; !listed {
		k.remedy = "the kernel lists no functions in /proc/kallsyms: use one that has CONFIG_KALLSYMS"
		return
	}
	k.remedy = "the kernel hides its addresses (kernel.kptr_restrict): run as root, or with CAP_SYSLOG"
	value, err := os.ReadFile("/proc/sys/kernel/kptr_restrict")
	if err == nil && strings.TrimSpace(string(value)) == "2" {
		k.remedy = "the kernel hides its addresses from everybody: sysctl kernel.kptr_restrict=1, then run as root"
	}
}

// kernelSymbol is a line of the kernel's list.
type kernelSymbol struct {
	address      uint64
	name, module string
}

// parseKernelSymbol reads such a line. It is false for what is no code.
func parseKernelSymbol(line []byte) (s kernelSymbol, ok bool) {
	fields := bytes.Fields(line)
	if len(fields) < 3 || len(fields[1]) != 1 || !bytes.ContainsAny(fields[1], "tTwW") ||
		len(fields[2]) > longestShown {
		return s, false
	}
	var err error
	if s.address, err = strconv.ParseUint(string(fields[0]), 16, 64); err != nil {
		return s, false
	}
	if s.name = string(fields[2]); len(fields) > 3 {
		s.module = string(bytes.Trim(fields[3], "[]"))
	}
	return s, true
}

// moduleEnds reads lines "name size uses users state address" of /proc/modules.
func moduleEnds(r io.Reader) map[string]uint64 {
	ends := map[string]uint64{}
	for scan := bufio.NewScanner(r); scan.Scan(); {
		fields := strings.Fields(scan.Text())
		if len(fields) < 6 {
			continue
		}
		size, err := strconv.ParseUint(fields[1], 10, 64)
		start, err2 := strconv.ParseUint(fields[5], 0, 64)
		if err == nil && err2 == nil && start != 0 {
			ends[fields[0]] = start + size
		}
	}
	return ends
}

// Frames returns the frames of a kernel stack. As in user stacks, the addresses after the first
// are those to which calls return.
func (k *Kernel) Frames(stack []uint64) []Frame {
	frames := make([]Frame, 0, len(stack))
	for i, address := range stack {
		called := address
		if i > 0 {
			called--
		}
		frame := Frame{Address: address, Module: coreModule, Reason: k.reason}
		if k.reason == Named {
			frame.Function, frame.Module, frame.Reason = k.find(called)
		}
		frames = append(frames, frame)
	}
	return frames
}

// find returns the function at an address and its module.
func (k *Kernel) find(address uint64) (name, module string, reason Reason) {
	i, exact := slices.BinarySearchFunc(k.list, address, func(f kernelFunction, a uint64) int {
		return cmp.Compare(f.start, a)
	})
	if !exact {
		i--
	}
	if i < 0 {
		return "", coreModule, NotKernel
	}
	f := k.list[i]
	if f.module == 0 {
		if !k.inCore(address, f.start) {
			return "", coreModule, NotKernel
		}
	} else if end := k.ends[f.module]; address-f.start >= mostPastLast || end > f.start && address >= end {
		return "", coreModule, NotKernel
	}
	return shownName(string(k.text[f.name:][:f.size])), shorten(k.modules[f.module]), Named
}

// inCore reports whether an address belongs to the kernel's own code. A list without the marks of
// its bounds only bounds the function.
func (k *Kernel) inCore(address, start uint64) bool {
	marked := false
	for _, b := range k.core {
		if b.start != 0 && b.end != 0 {
			if marked = true; address >= b.start && address < b.end {
				return true
			}
		}
	}
	return !marked && address-start < mostPastLast
}
