package status

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"rpcapd/sensor/sink"
)

// TestSummaryNotes: what is unusual is said, and nothing else.
func TestSummaryNotes(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for want, p := range map[string]Peer{
		"": {ClockKnown: true, ClockOffset: 3 * time.Millisecond, Reason: "gone", LastError: "gone"},
		"notes:     its frames are 2 days old: a capture file, or a clock that was never set\n":     {FrameAge: 60 * time.Hour},
		"notes:     the agent's clock is 1h30m0s ahead\n":                                           {ClockKnown: true, ClockOffset: 90 * time.Minute},
		"notes:     the agent's clock is 250ms behind; source port changed 2 times; 3 reconnects\n": {ClockKnown: true, ClockOffset: -250 * time.Millisecond, Rebound: 2, Reconnects: 3},
		"notes:     last error at 03:04:05: no answer\n":                                            {LastError: "no answer", LastErrorAt: at},
		"written 5, dropped 1, left out 2, duplicates of another agent 3\n":                         {Sinks: sink.Counters{Written: 5, Dropped: 1, LeftOut: 2}, Deduplicated: 3},
	} {
		p.Name, p.Rule = "a/eth0", "r"
		var b strings.Builder
		if err := writePeer(&b, &p); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); !strings.HasSuffix(got, want) || strings.Contains(got, "notes:") != strings.HasPrefix(want, "notes:") {
			t.Errorf("%q does not end with %q", got, want)
		}
	}
}

// TestUnaccountedIsShown: also while the session runs, in the summary.
func TestUnaccountedIsShown(t *testing.T) {
	p := Peer{Name: "a/eth0", Rule: "r", State: StateRunning, Unaccounted: 1234}
	var text bytes.Buffer
	if err := writePeer(&text, &p); err != nil || !strings.Contains(text.String(), "unaccounted 1234") {
		t.Errorf("%v\n%s", err, text.String())
	}
}

// writes counts the writes.
type writes struct {
	bytes.Buffer
	n int
}

func (w *writes) Write(p []byte) (int, error) {
	w.n++
	return w.Buffer.Write(p)
}

// TestSummaryIsWrittenAtOnce: whoever reads it sees no half of it.
func TestSummaryIsWrittenAtOnce(t *testing.T) {
	var w writes
	peers := []Peer{{Name: "a/eth0", Rule: "r"}, {Name: "b/eth0", Rule: "r"}}
	if err := WriteSummary(&w, Counters{Accepted: 2}, peers, []Port{{Port: 2003, Foreign: 1}}); err != nil || w.n != 1 {
		t.Errorf("%d writes, %v", w.n, err)
	}
	for _, want := range []string{"rpcap-sensor: 2 connections", "a/eth0: ", "b/eth0: ", "data port 2003: "} {
		if !strings.Contains(w.String(), want) {
			t.Errorf("no %q in\n%s", want, w.String())
		}
	}
}
