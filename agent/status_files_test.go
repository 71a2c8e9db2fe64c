package agent

import (
	"errors"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// TestWriteTrouble: a full disk is told of once, however long it stays full, and so is its end.
func TestWriteTrouble(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	w := writeTrouble{log: zap.New(core), dir: "/run/x"}
	full := errors.New("no space left on device")
	for _, err := range []error{nil, full, full, full, nil, nil, full, nil} {
		w.note(err)
	}
	var got []string
	for _, e := range logs.All() {
		got = append(got, e.Message[:len("status files ")+3])
		if n, found := e.ContextMap()["failed"]; found {
			got[len(got)-1] += map[uint64]string{3: " 3", 1: " 1"}[n.(uint64)]
		}
	}
	if want := "status files not|status files wri 3|status files not|status files wri 1"; strings.Join(got, "|") != want {
		t.Errorf("%q, want %q", strings.Join(got, "|"), want)
	}
}
