package render

import "google.golang.org/protobuf/encoding/protowire"

// Field numbers of Perfetto's published protos (protos/perfetto/trace/...). Their types are in
// testdata/perfetto.proto.
const (
	tracePacket = 1

	packetFtraceEvents    = 1
	packetProcessTree     = 2
	packetClockSnapshot   = 6
	packetTimestamp       = 8
	packetSequenceID      = 10
	packetTrackEvent      = 11
	packetSequenceFlags   = 13
	packetSystemInfo      = 45
	packetClockID         = 58
	packetTrackDescriptor = 60

	snapshotClocks       = 1
	snapshotPrimaryClock = 2
	clockID              = 1
	clockTimestamp       = 2

	systemUtsname        = 1
	systemTracingService = 4
	utsnameSysname       = 1
	utsnameRelease       = 3

	treeProcesses  = 1
	treeThreads    = 2
	processPID     = 1
	processPPID    = 2
	processCmdline = 3
	threadTID      = 1
	threadName     = 2
	threadTGID     = 3

	bundleCPU          = 1
	bundleEvent        = 2
	bundleLostEvents   = 3
	bundleCompactSched = 4

	ftraceTimestamp        = 1
	ftracePID              = 2
	ftraceSchedSwitch      = 4
	ftraceSchedWaking      = 20
	ftraceTaskNewtask      = 235
	ftraceSchedProcessFree = 240

	switchPrevComm  = 1
	switchPrevPID   = 2
	switchPrevPrio  = 3
	switchPrevState = 4
	switchNextComm  = 5
	switchNextPID   = 6
	switchNextPrio  = 7

	wakingComm      = 1
	wakingPID       = 2
	wakingPrio      = 3
	wakingSuccess   = 4
	wakingTargetCPU = 5

	newtaskPID        = 1
	newtaskComm       = 2
	newtaskCloneFlags = 3

	processFreeComm = 1
	processFreePID  = 2
	processFreePrio = 3

	// The columns of CompactSched, each of which is packed, and its table of names.
	compactSwitchTimestamp     = 1
	compactSwitchPrevState     = 2
	compactSwitchNextPID       = 3
	compactSwitchNextPrio      = 4
	compactInternTable         = 5
	compactSwitchNextCommIndex = 6
	compactWakingTimestamp     = 7
	compactWakingPID           = 8
	compactWakingTargetCPU     = 9
	compactWakingPrio          = 10
	compactWakingCommIndex     = 11
	compactColumns             = 12

	trackUUID = 1
	trackName = 2

	trackEventDebugAnnotations = 4
	trackEventType             = 9
	trackEventTrackUUID        = 11
	trackEventCategories       = 22
	trackEventName             = 23
	annotationUint             = 3
	annotationString           = 6
	annotationName             = 10
)

// Values of Perfetto's enumerations.
const (
	builtinClockRealtime  = 1
	builtinClockMonotonic = 3
	builtinClockBoottime  = 6

	sequenceIncrementalStateCleared = 1

	typeSliceBegin = 1
	typeSliceEnd   = 2
)

func appendUint(buf []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(buf, field, protowire.VarintType), v)
}

// appendInt appends an int32 or int64. Negative values take ten bytes.
func appendInt(buf []byte, field protowire.Number, v int64) []byte {
	return appendUint(buf, field, uint64(v))
}

// appendString appends a string, which must be valid UTF-8.
func appendString(buf []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(buf, field, protowire.BytesType), s)
}

// appendMessage appends a message, or a packed column, that is already encoded.
func appendMessage(buf []byte, field protowire.Number, body []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(buf, field, protowire.BytesType), body)
}
