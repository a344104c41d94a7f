package profile

import "google.golang.org/protobuf/encoding/protowire"

// Field numbers of profile.proto, which github.com/google/pprof publishes.
const (
	profileSampleType        = 1
	profileSample            = 2
	profileMapping           = 3
	profileLocation          = 4
	profileFunction          = 5
	profileStringTable       = 6
	profileTimeNanos         = 9
	profileDurationNanos     = 10
	profilePeriodType        = 11
	profilePeriod            = 12
	profileComment           = 13
	profileDefaultSampleType = 14

	valueTypeType = 1
	valueTypeUnit = 2

	sampleLocationID = 1
	sampleValue      = 2
	sampleLabel      = 3

	labelKey    = 1
	labelString = 2
	labelNumber = 3

	mappingID              = 1
	mappingFilename        = 5
	mappingHasFunctions    = 7
	mappingHasFilenames    = 8
	mappingHasLineNumbers  = 9
	mappingHasInlineFrames = 10

	locationID        = 1
	locationMappingID = 2
	locationAddress   = 3
	locationLine      = 4

	lineFunctionID = 1
	lineLine       = 2

	functionID       = 1
	functionFunction = 2
	functionFilename = 4
)

// message is an encoded message, or a part of one.
type message []byte

// number appends a field with a number. Zero is what a field without a value has.
func (m *message) number(field protowire.Number, v int64) {
	if v != 0 {
		*m = protowire.AppendVarint(protowire.AppendTag(*m, field, protowire.VarintType), uint64(v))
	}
}

// bytes appends a field that is a message or a string.
func (m *message) bytes(field protowire.Number, body []byte) {
	*m = protowire.AppendBytes(protowire.AppendTag(*m, field, protowire.BytesType), body)
}

// packed appends a field with several numbers.
func (m *message) packed(field protowire.Number, values []int64) {
	var body []byte
	for _, v := range values {
		body = protowire.AppendVarint(body, uint64(v))
	}
	m.bytes(field, body)
}

// numbering numbers different keys from 1, in the order in which they first come.
type numbering[K comparable] map[K]int64

// of returns the key's number, and whether it is a new one.
func (n numbering[K]) of(key K) (number int64, isNew bool) {
	number, known := n[key]
	if !known {
		number = int64(len(n)) + 1
		n[key] = number
	}
	return number, !known
}
