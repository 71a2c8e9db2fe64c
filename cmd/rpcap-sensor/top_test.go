package main

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"rpcapd/sensor/health"
)

// someAnswer has two peers, one of which loses.
func someAnswer() *topAnswer {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	off := 3.2
	return &topAnswer{
		status: health.Status{Version: "1.0", Time: now, Started: now.Add(-time.Hour), Ready: true, States: map[string]int{"running": 1, "held": 1}},
		peers: []health.Peer{
			{Name: "web1/eth0", State: "running", Rule: "default", Port: 2003, Connected: now.Add(-90 * time.Second), ClockOffset: &off,
				Forwarded: health.Forwarded{Known: true, Captured: 1234567, RingDropped: 17},
				Received:  health.Received{Frames: 1234000, Missing: 567}, Rates: health.Rates{Received: 1500, Bytes: 150000},
				Sinks: []health.SinkFrames{{Sink: "a", Dropped: 3}, {Sink: "b", Dropped: 4}}},
			{Name: "web2\x1b[31m", State: "held", Connected: now},
		},
		problems: []health.Problem{
			{Severity: health.SeverityError, Text: "web1/eth0 lost 567 frames."}, {Severity: health.SeverityWarning, Text: "web2 is held."},
		},
	}
}

func TestTopTable(t *testing.T) {
	v := newTopView("", false)
	v.answer = someAnswer()
	text := strings.Join(v.lines(0, 0), "\n")
	for _, want := range []string{
		"rpcap-sensor 1.0", "1 forwarding, 1 waiting, 0 left", "up 1h00m", "error   web1/eth0 lost 567 frames.", "warning web2 is held.", "FRAMES/S▼",
		"web1/eth0  running  default  2003  1,234,567  1,234,000      1,500   1.2M          17        567            7  +3.2s      1m30s",
		"web2?[31m  held                 -          -          0          0",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "\x1b") {
		t.Error("escape sequences without colour")
	}
	v.colour = true
	if text := strings.Join(v.lines(0, 0), "\n"); !strings.Contains(text, "\x1b[31m567\x1b[0m") || strings.Contains(text, "web2\x1b") {
		t.Errorf("colours:\n%q", text)
	}
}

// TestTopPathLoss: frames of a path that has gone dead are lost before the session ends, and not before that is sure.
func TestTopPathLoss(t *testing.T) {
	v := newTopView("", false)
	v.answer = someAnswer()
	p := &v.answer.peers[0]
	p.Unaccounted = 5000
	if text := strings.Join(v.lines(0, 0), "\n"); !strings.Contains(text, "  567  ") {
		t.Errorf("what may be on its way is shown as lost:\n%s", text)
	}
	p.UnaccountedSince = &p.Connected
	if text := strings.Join(v.lines(0, 0), "\n"); !strings.Contains(text, "  5,567  ") {
		t.Errorf("no 5,567 in\n%s", text)
	}
}

// TestTopFits: whatever the size of the terminal, no line is longer and none is too many, and the name and what is lost
// stay as long as possible.
func TestTopFits(t *testing.T) {
	v := newTopView("name", false)
	v.answer = someAnswer()
	for len(v.answer.peers) < 100 {
		v.answer.peers = append(v.answer.peers, v.answer.peers[0])
	}
	for width := 1; width < 160; width++ {
		for _, height := range []int{1, 2, 5, 24} {
			lines := v.lines(width, height)
			for _, line := range lines {
				if n := utf8.RuneCountInString(line); width >= 40 && n > width {
					t.Fatalf("%d × %d: %d characters: %q", width, height, n, line)
				}
			}
			if height >= 5 && len(lines) > height {
				t.Fatalf("%d × %d: %d lines", width, height, len(lines))
			}
		}
	}
	if text := strings.Join(v.lines(80, 24), "\n"); !strings.Contains(text, "LOST:PATH") || !strings.Contains(text, "web1/eth0") || strings.Contains(text, "CONNECTED") {
		t.Errorf("80 columns:\n%s", text)
	}
}

func TestTopKeys(t *testing.T) {
	s := &topScreen{o: &topSettings{}, v: newTopView("", false), height: 24}
	s.v.answer = someAnswer()
	for _, step := range []struct {
		key, sort string
		desc      bool
	}{
		{"x", "rate", true}, {"p", "rate", false}, {"r", "rate", true}, {"n", "name", false}, {"m", "missing", true}, {"d", "dropped", true},
		{"\x1b[A", "dropped", true}, {"k", "clock", true},
	} {
		if !s.key(step.key) || s.v.sort != step.sort || s.v.desc != step.desc {
			t.Errorf("after %q: %s, descending %v", step.key, s.v.sort, s.v.desc)
		}
	}
	for _, key := range []string{"\x1b[F", "\x1b[6~", "\x1b[B", "\x1b[A", "\x1b[5~", "\x1b[H"} {
		s.key(key)
		if lines := s.v.lines(80, 12); !strings.Contains(strings.Join(lines, "\n"), "web1/eth0") || s.v.from != 0 {
			t.Errorf("after %q the view is at %d of 2 peers", key, s.v.from)
		}
	}
	if s.key(" "); !s.v.paused {
		t.Error("space does not pause")
	}
	for _, key := range []string{"q", "\x03"} {
		if s.key(key) {
			t.Errorf("%q does not end", key)
		}
	}
}

func TestTopUsage(t *testing.T) {
	plain := write(t, "[rule a]\n")
	for _, tc := range []struct {
		args, want string
		code       int
	}{
		{"top --sort x", "it is one of", exitUsage},
		{"top --interval 1ms", "200ms or more", exitUsage},
		{"top -n -1", "0 or more", exitUsage},
		{"top --url http://a -f b", "use one of them", exitUsage},
		{"top --password-file x", "--user", exitUsage},
		{"top --url ftp://x", "https://HOST:PORT", exitUsage},
		{"top --url 127.0.0.1:1", "check that it runs", exitFailed},
		{"top -f /does/not/exist", "/does/not/exist", exitFailed},
		{"top -f " + plain, "has no section [http]", exitFailed},
		{"top --ca " + plain, "no certificate in PEM form", exitFailed},
		{"top x", "not understood", exitUsage},
		{"--http nonsense", "ADDRESS:PORT", exitUsage},
	} {
		_, msg, code := execute(t, strings.Fields(tc.args)...)
		if code != tc.code || !strings.Contains(msg, tc.want) {
			t.Errorf("%s: exit code %d, %s", tc.args, code, msg)
		}
	}
}
