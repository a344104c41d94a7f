package report

import (
	"strings"
	"testing"
)

func TestReadAtMost(t *testing.T) {
	if data, err := readAtMost(strings.NewReader("abc"), 3); err != nil || string(data) != "abc" {
		t.Errorf("read %q, %v", data, err)
	}
	if data, err := readAtMost(strings.NewReader("abcd"), 3); err == nil {
		t.Errorf("read %q beyond the limit", data)
	}
}
