package report

import (
	"bufio"
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/segmentio/encoding/json"
	"golang.org/x/sync/errgroup"

	"github.com/slicetrace/slicetrace/report/internal/asciijson"
)

// MaxFileBytes is the size above which Decode refuses a report. It is some ten times what a
// thousand trials on a hundred cores need.
const MaxFileBytes = 256 << 20

// ErrSchema is wrapped by Decode's error if a report has another schema version.
var ErrSchema = errors.New("other schema version")

// Encode writes the report as one line of JSON: its histograms are too long for people to read. An
// empty list is written as [], also if Decode read null, which earlier versions wrote. The trials,
// which are most of a report, are written one by one, so that little memory is needed.
func Encode(w io.Writer, r *Report) error {
	out := bufio.NewWriterSize(w, 1<<16)
	err := encode(out, r)
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return fmt.Errorf("encode report: %w", err)
	}
	return nil
}

func encode(out *bufio.Writer, r *Report) error {
	frame := r.withLists(true)
	frame.Trials = nil
	text, err := asciijson.Marshal(frame)
	if err != nil {
		return err
	}
	// This cannot be inside a string, whose quotes would be escaped.
	before, after, _ := bytes.Cut(text, []byte(`"trials":null`))
	// Errors of these writes are returned by the last write too.
	_, _ = out.Write(before)
	_, _ = out.WriteString(`"trials":[`)
	for i := range r.Trials {
		if i > 0 {
			_ = out.WriteByte(',')
		}
		trial, err := asciijson.Marshal(r.Trials[i].withLists(true))
		if err != nil {
			return err
		}
		_, _ = out.Write(trial)
	}
	_ = out.WriteByte(']')
	_, err = out.Write(append(after, '\n'))
	return err
}

// EncodeTrial writes one trial as a line of JSON, as it is in the trials of a report that Encode writes.
func EncodeTrial(w io.Writer, t *Trial) error {
	text, err := asciijson.Marshal(t.withLists(true))
	if err == nil {
		_, err = w.Write(append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("encode trial: %w", err)
	}
	return nil
}

// Decode reads one report. It returns an error for another schema version (ErrSchema), for
// truncated or oversized input and for figures that no measurement can produce. It does not trust
// its input and never panics.
func Decode(in io.Reader) (*Report, error) {
	data, err := readAtMost(in, MaxFileBytes)
	if err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	r, err := unmarshal(data)
	if err != nil || r.Schema != SchemaVersion {
		return nil, whyUndecodable(data, err)
	}
	if err := r.Validate(); err != nil {
		return nil, fmt.Errorf("check report: %w; the file was altered or damaged", err)
	}
	return r, nil
}

// rawReport is a report whose trials are still text.
type rawReport struct {
	Report
	Trials []json.RawMessage `json:"trials"`
}

// unmarshal decodes the trials, which are most of a report, on several cores at once.
func unmarshal(data []byte) (*Report, error) {
	if text, ok := splitWritten(data); ok {
		// A wrong cut yields invalid JSON.
		if r, err := text.report(); err == nil {
			return r, nil
		}
	}
	var text rawReport
	rest, err := json.Parse(data, &text, json.DontCopyRawMessage)
	if err == nil && len(rest) > 0 {
		err = errors.New("more text follows the report")
	}
	if err != nil {
		return nil, err
	}
	return text.report()
}

// splitWritten cuts a report that Encode wrote into its trials by searching for the text between
// them. A parser would look at every character, while the other cores wait. It finds trials only
// inside the list of trials. In a report that something else wrote, its cuts can be wrong: the
// parts are then invalid JSON.
func splitWritten(data []byte) (text rawReport, ok bool) {
	const before, after, between = `"trials":[`, `],"quality":`, `},{"workload":`
	head, rest, ok := bytes.Cut(data, []byte(before))
	if !ok {
		return text, false
	}
	trials, tail, ok := bytes.Cut(rest, []byte(after))
	if !ok {
		return text, false
	}
	// A random number replaces the trials to check that they are the report's own list. No file can
	// contain that number.
	sign := strconv.FormatUint(rand.Uint64(), 10)
	frame := slices.Concat(head, []byte(before+sign+after), tail)
	rest, err := json.Parse(frame, &text, 0)
	if err != nil || len(rest) > 0 || len(text.Trials) != 1 || string(text.Trials[0]) != sign {
		return text, false
	}
	text.Trials = text.Trials[:0]
	for {
		end := bytes.Index(trials, []byte(between))
		if end < 0 {
			text.Trials = append(text.Trials, trials)
			return text, true
		}
		text.Trials = append(text.Trials, trials[:end+1])
		trials = trials[end+2:]
	}
}

func (text *rawReport) report() (*Report, error) {
	r := &text.Report
	if text.Trials != nil {
		r.Trials = make([]Trial, len(text.Trials))
	}
	var group errgroup.Group
	parts := min(runtime.GOMAXPROCS(0), 8)
	for part := range parts {
		group.Go(func() error {
			for i := part; i < len(r.Trials); i += parts {
				if err := json.Unmarshal(text.Trials[i], &r.Trials[i]); err != nil {
					return fmt.Errorf("trial %d: %w", i, err)
				}
			}
			return nil
		})
	}
	return r, group.Wait()
}

// whyUndecodable explains why data is not a report of this version. err is the decoder's error, if
// there was one. The version is checked first: if it differs, nothing else has to fit.
func whyUndecodable(data []byte, err error) error {
	var head struct {
		Schema *int `json:"schema"`
	}
	if headErr := json.Unmarshal(data, &head); headErr != nil {
		return fmt.Errorf("decode report: %s; name a complete file that slicetrace run saved",
			whatIsWrong(data, headErr))
	}
	switch {
	case head.Schema == nil:
		return errors.New("decode report: no schema version; name a file that slicetrace run saved")
	case *head.Schema != SchemaVersion:
		return fmt.Errorf("decode report: %w: the file has %d, this slicetrace reads %d; "+
			"use the slicetrace that wrote it, or measure again", ErrSchema, *head.Schema, SchemaVersion)
	}
	return fmt.Errorf("decode report: %s; name a file that slicetrace run saved", whatIsWrong(data, err))
}

// whatIsWrong explains, in terms of the file, why it could not be decoded.
func whatIsWrong(data []byte, err error) string {
	var kind *json.UnmarshalTypeError
	start := bytes.TrimSpace(data)
	switch {
	case len(start) == 0:
		return "the file is empty"
	case bytes.HasPrefix(data, []byte("slicetrace")) || start[0] != '{' && !utf8.Valid(start):
		return "the file is not text; recordings and Parquet tables, for example, are not"
	case start[0] != '{':
		return "the file is not a report: it does not begin with {"
	case !errors.As(err, &kind) && !stdjson.Valid(data) && start[len(start)-1] != '}':
		return "the file ends too early, or something follows the report in it"
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Sprintf("the value of %q has a type that no report has there", kind.Field)
	case errors.As(err, &kind):
		return "the file has a value of a type that no report has there"
	case !stdjson.Valid(data):
		return "the file is damaged, or it is not a single report: it is not valid JSON"
	}
	return err.Error()
}

// readAtMost reads all of in, or fails if it is longer than limit bytes.
func readAtMost(in io.Reader, limit int64) ([]byte, error) {
	var buffer bytes.Buffer
	if f, ok := in.(*os.File); ok {
		// Make room for the whole file at once, and for the read that finds its end.
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			buffer.Grow(int(min(info.Size(), limit)) + bytes.MinRead)
		}
	}
	n, err := buffer.ReadFrom(io.LimitReader(in, limit+1))
	if err == nil && n > limit {
		return nil, fmt.Errorf("longer than %d bytes; name a file that slicetrace run saved", limit)
	}
	return buffer.Bytes(), err
}

// ReadFile decodes the report in the named file.
func ReadFile(name string) (*Report, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open report: %w", err)
	}
	defer f.Close()
	r, err := Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}
