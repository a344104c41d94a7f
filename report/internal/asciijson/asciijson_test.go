package asciijson

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestWriteJSONEscapesWhatDoesNotPrint(t *testing.T) {
	for text, want := range map[string]string{
		"plain µs → ×": `"plain µs → ×"`,
		"a\u202eb":     `"a\u202eb"`,
		"\u0085":       `"\u0085"`,
		"z\u200bw":     `"z\u200bw"`,
		"\U000e0001":   `"\udb40\udc01"`,
		"\u3164":       `"\u3164"`,
		"bad\xffend":   `"bad\ufffdend"`,
		"\x1b[31m<":    `"\u001b[31m\u003c"`,
		"":             `""`,
	} {
		var out bytes.Buffer
		if err := Write(&out, text); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSuffix(out.String(), "\n"); got != want {
			t.Errorf("%q is written %s, want %s", text, got, want)
		}
		var back string
		if err := json.Unmarshal(out.Bytes(), &back); err != nil || back != strings.ToValidUTF8(text, "\ufffd") {
			t.Errorf("%q is read back as %q, %v", text, back, err)
		}
	}
}
