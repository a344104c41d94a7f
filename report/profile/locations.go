package profile

import "encoding/binary"

// stack returns the locations of a stack, the innermost first.
func (p *pprof) stack(number int) []int64 {
	if known, ok := p.stacks[number]; ok {
		return known
	}
	var locations []int64
	frames := p.report.Stacks[number]
	for len(frames) > 0 {
		// A function and all that the compiler put into it are at one address: one location with several lines.
		end := 1
		for end < len(frames) && p.report.Frames[frames[end-1]].Inlined {
			end++
		}
		locations = append(locations, p.location(frames[:end]))
		frames = frames[end:]
	}
	if len(locations) == 0 {
		locations = []int64{p.noStack()} // pprof would drop a sample without locations from its sums
	}
	p.stacks[number] = locations
	return locations
}

// location returns the number of a location with these functions, and appends it if it is new.
func (p *pprof) location(frames []int) int64 {
	var key []byte
	for _, f := range frames {
		key = binary.AppendUvarint(key, uint64(f))
	}
	id, isNew := p.locations.of(string(key))
	if !isNew {
		return id
	}
	outermost := &p.report.Frames[frames[len(frames)-1]]
	var m message
	m.number(locationID, id)
	m.number(locationMappingID, p.mappings[mappingName(outermost)])
	m.number(locationAddress, int64(outermost.Address))
	for _, f := range frames {
		frame := &p.report.Frames[f]
		p.line(&m, functionName(frame), clean(frame.File), frame.Line)
	}
	p.body.bytes(profileLocation, m)
	return id
}

// noStack returns the number of the location that stands for a stack without functions.
func (p *pprof) noStack() int64 {
	id, isNew := p.locations.of("")
	if isNew {
		var m message
		m.number(locationID, id)
		p.line(&m, noStack, "", 0)
		p.body.bytes(profileLocation, m)
	}
	return id
}

// line appends a function to a location.
func (p *pprof) line(location *message, name, file string, line int) {
	id, isNew := p.functions.of(function{name, file})
	if isNew {
		var m message
		m.number(functionID, id)
		m.number(functionFunction, p.text(name))
		m.number(functionFilename, p.text(file))
		p.body.bytes(profileFunction, m)
	}
	var m message
	m.number(lineFunctionID, id)
	m.number(lineLine, int64(line))
	location.bytes(locationLine, m)
}
