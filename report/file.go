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

// MaxFileBytes is the size beyond which Decode refuses a report: some ten
// times what a thousand trials on a hundred cores need.
const MaxFileBytes = 256 << 20

// ErrSchema is wrapped by Decode's error for a report of another schema version.
var ErrSchema = errors.New("other schema version")

// Encode writes the report as one line of JSON: its histograms are too long to
// be read as they stand. A list without entries is [], also where Decode found null,
// which earlier versions wrote. The trials, which are most of it, are written one by one,
// so that little memory is needed.
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
	// Inside a string the quotes would be escaped.
	before, after, _ := bytes.Cut(text, []byte(`"trials":null`))
	// What could not be written is an error of the last write too.
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

// Decode reads one report. It refuses another schema version (ErrSchema),
// truncated or oversized input and figures that no measurement could have
// made; it trusts nothing and never panics.
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

// unmarshal reads the trials, which are most of a report, on several cores at once.
func unmarshal(data []byte) (*Report, error) {
	if text, ok := splitWritten(data); ok {
		// What was cut in the wrong places is no JSON.
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

// splitWritten cuts a report that Encode wrote into its trials without a parser's
// look at every character, for which the other cores would have to wait. It finds no
// trials where there are none, but where it cuts, in another text, need not be where
// one ends.
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
	// A sign in the trials' place says whether it is theirs. No file can have it.
	sign := strconv.FormatUint(rand.Uint64(), 10)
	frame := slices.Concat(head, []byte(before+sign+after), tail)
	if rest, err := json.Parse(frame, &text, 0); err != nil || len(rest) > 0 || len(text.Trials) != 1 || string(text.Trials[0]) != sign {
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

// whyUndecodable says why data is no report of this version, of which err is
// what the decoder said, if anything. The version comes first: where it is
// another one, nothing else need fit.
func whyUndecodable(data []byte, err error) error {
	var head struct {
		Schema *int `json:"schema"`
	}
	if headErr := json.Unmarshal(data, &head); headErr != nil {
		return fmt.Errorf("decode report: %s; name a complete file that slicetrace run saved", whatIsWrong(data, headErr))
	}
	switch {
	case head.Schema == nil:
		return errors.New("decode report: no schema version; name a file that slicetrace run saved")
	case *head.Schema != SchemaVersion:
		return fmt.Errorf("decode report: %w: the file has %d, this slicetrace reads %d; use the slicetrace that wrote it, or measure again",
			ErrSchema, *head.Schema, SchemaVersion)
	}
	return fmt.Errorf("decode report: %s; name a file that slicetrace run saved", whatIsWrong(data, err))
}

// whatIsWrong says in the file's terms why it could not be decoded.
func whatIsWrong(data []byte, err error) string {
	var kind *json.UnmarshalTypeError
	start := bytes.TrimSpace(data)
	switch {
	case len(start) == 0:
		return "the file is empty"
	case bytes.HasPrefix(data, []byte("slicetrace")) || start[0] != '{' && !utf8.Valid(start):
		return "the file is not text, as recordings and Parquet tables are not"
	case start[0] != '{':
		return "the file is not a report: it does not begin with {"
	case !errors.As(err, &kind) && !stdjson.Valid(data) && start[len(start)-1] != '}':
		return "the file ends too early, or something follows the report in it"
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Sprintf("what the file has as %q is of a kind that no report has there", kind.Field)
	case errors.As(err, &kind):
		return "the file has something of a kind that no report has in its place"
	case !stdjson.Valid(data):
		return "the file is damaged, or not one report: it is no JSON text"
	}
	return err.Error()
}

// readAtMost reads all of in, or fails when that is more than limit bytes.
func readAtMost(in io.Reader, limit int64) ([]byte, error) {
	var buffer bytes.Buffer
	if f, ok := in.(*os.File); ok {
		// Room for all of it at once, and for the read that finds the end.
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
