package render

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/slicetrace/slicetrace/report/recording"
)

// Perfetto writes a recording as a native Perfetto trace: the switches and wakeups of each core as
// ftrace events, the names of tasks as process trees, and the trials as slices on a track of their
// own. It needs memory for one block at a time and for the names of tasks. If the recording is cut
// short, it writes everything that is complete and then returns an error that wraps
// recording.ErrCut.
//
// Times are CLOCK_MONOTONIC. Perfetto assumes CLOCK_BOOTTIME for ftrace, and its FtraceClock has no
// value for CLOCK_MONOTONIC. So the clock snapshot sets the two equal, as they are on a machine
// that was never suspended.
func Perfetto(w io.Writer, r *recording.Reader) error {
	p := perfetto{out: bufio.NewWriterSize(w, 256<<10), header: r.Header()}
	p.sched = newSchedEncoder(&p.tasks)
	p.begin()
	err := p.frames(r)
	if flushErr := p.out.Flush(); flushErr != nil {
		err = flushErr
	}
	if err != nil {
		return fmt.Errorf("write Perfetto trace: %w", err)
	}
	return nil
}

// packetSequence is the number of the only sequence of packets; Perfetto requires one.
const packetSequence = 1

// trialsTrack identifies the track of trials within the trace.
const trialsTrack = 0x736c_6963_6574_7261 // "slicetra"

// perfetto writes packets. After an error it writes nothing more.
type perfetto struct {
	out    *bufio.Writer
	err    error
	header recording.Header
	tasks  taskNames
	sched  *schedEncoder
	packet []byte
	body   []byte
	part   []byte
}

// frames writes everything that r contains.
func (p *perfetto) frames(r *recording.Reader) error {
	for p.err == nil {
		frame, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch f := frame.(type) {
		case *recording.Block:
			p.body = p.sched.bundle(p.body[:0], f)
			p.write(appendMessage(p.packet[:0], packetFtraceEvents, p.body))
		case []recording.Task:
			p.processTrees(f)
		case recording.Mark:
			p.trial(f)
		}
	}
	return p.err
}

// write completes a packet and writes it.
func (p *perfetto) write(packet []byte) {
	p.packet = appendUint(packet, packetSequenceID, packetSequence)
	var head [2 * 10]byte
	start := protowire.AppendTag(head[:0], tracePacket, protowire.BytesType)
	if _, p.err = p.out.Write(protowire.AppendVarint(start, uint64(len(p.packet)))); p.err == nil {
		_, p.err = p.out.Write(p.packet)
	}
}

// at begins a packet with a time.
func (p *perfetto) at(monotonicNS int64) []byte {
	packet := appendInt(p.packet[:0], packetTimestamp, monotonicNS)
	return appendUint(packet, packetClockID, builtinClockMonotonic)
}

// begin writes the packets on which all others depend.
func (p *perfetto) begin() {
	h := p.header
	body := p.clock(nil, builtinClockBoottime, h.MonotonicNS)
	body = p.clock(body, builtinClockMonotonic, h.MonotonicNS)
	if !h.Created.IsZero() {
		body = p.clock(body, builtinClockRealtime, h.Created.UnixNano())
	}
	body = appendUint(body, snapshotPrimaryClock, builtinClockMonotonic)
	packet := appendMessage(nil, packetClockSnapshot, body)
	p.write(appendUint(packet, packetSequenceFlags, sequenceIncrementalStateCleared))

	// The kernel's release tells Perfetto what the bits of prev_state mean.
	utsname := appendString(nil, utsnameSysname, "Linux")
	utsname = appendString(utsname, utsnameRelease, Printable(h.Kernel))
	body = appendMessage(nil, systemUtsname, utsname)
	body = appendString(body, systemTracingService, Printable(h.Tool))
	p.write(appendMessage(nil, packetSystemInfo, body))

	body = appendUint(nil, trackUUID, trialsTrack)
	body = appendString(body, trackName, "slicetrace trials")
	p.write(appendMessage(nil, packetTrackDescriptor, body))
}

func (p *perfetto) clock(buf []byte, id uint64, ns int64) []byte {
	p.part = appendUint(p.part[:0], clockID, id)
	p.part = appendInt(p.part, clockTimestamp, ns)
	return appendMessage(buf, snapshotClocks, p.part)
}
