package histogram

import "testing"

// The parser is for what MarshalJSON writes: were it not taken, nothing but time would tell.
func TestWhatIsWrittenIsParsed(t *testing.T) {
	for _, counts := range [][]uint64{nil, {3: 1}, {0: 200, 500: 1, lastBucket: 1 << 40}} {
		text, err := New(counts, 7, 9).MarshalJSON()
		if p := (parser{rest: text}); err != nil || !p.parse() {
			t.Errorf("%s takes the long way, %v", text, err)
		}
	}
}
