package histogram

import "testing"

// The parser accepts what MarshalJSON writes. If it did not, the only effect would be that
// decoding is slow.
func TestWhatIsWrittenIsParsed(t *testing.T) {
	for _, counts := range [][]uint64{nil, {3: 1}, {0: 200, 500: 1, lastBucket: 1 << 40}} {
		text, err := New(counts, 7, 9).MarshalJSON()
		if p := (parser{rest: text}); err != nil || !p.parse() {
			t.Errorf("%s is not parsed, %v", text, err)
		}
	}
}
