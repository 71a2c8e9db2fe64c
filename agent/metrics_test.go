package agent

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

// metricsStatus has names that nobody should use, and says all that a status can say.
func metricsStatus() *Status {
	st := &Status{Updated: time.UnixMilli(1_700_000_000_250)}
	for _, sel := range []string{"ifname=eth1\u200b", "ifname=eth\\1\"x", "ifname=\xe9", "ifname=\u00e9", "ifname=a\nb", "ifname=\x1b[31m", "", "ifname=cap", "ifname=cap"} {
		st.Sessions = append(st.Sessions, SessionStatus{Sensor: "10.0.0.2:2003", Select: sel, State: StateCapturing,
			SendDrops: []SendDrop{{Errno: "EPERM", Datagrams: 7}, {Errno: "EAGAIN", Datagrams: 1}},
			Capture:   &CaptureStatus{Running: true, Interface: "cap", Link: LinkUp, GSO: "on", Datagram: 1472}})
	}
	return st
}

// TestMetricsAreValid reads the file as Prometheus does: names, types, help, label escapes, duplicates.
func TestMetricsAreValid(t *testing.T) {
	text := appendMetrics(nil, metricsStatus())
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	seen := make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		series, _, _ := strings.Cut(line, "} ")
		if !strings.HasPrefix(line, "#") && seen[series] {
			t.Errorf("twice: %s", series)
		}
		seen[series] = true
	}
	for _, want := range []string{"rpcapd_status_timestamp_seconds 1700000000.25\n", `select="ifname=eth\\1\"x"`, `select="ifname=é"`, `errno="EPERM"} 7`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is missing", want)
		}
	}
	if n := bytes.Count(appendMetrics(nil, &Status{Updated: time.Now()}), []byte("\n")); n != 3 {
		t.Errorf("an agent without sessions writes %d lines", n)
	}
}

// TestMetricsPromtool asks promtool itself.
func TestMetricsPromtool(t *testing.T) {
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed; TestMetricsAreValid reads the same with Prometheus's own parser")
	}
	cmd := exec.Command(path, "check", "metrics")
	cmd.Stdin = bytes.NewReader(appendMetrics(nil, metricsStatus()))
	out, err := cmd.CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}

// A series is that of a line, wherever the line stands.
func TestMetricsKeepTheirIdentity(t *testing.T) {
	st := metricsStatus()
	before := sessionLabels(st.Sessions)
	after := sessionLabels(st.Sessions[1:])
	if !slices.Equal(before[1:], after) {
		t.Errorf("%q\n%q", before[1:], after)
	}
}

// What is down is not shown as captured.
func TestMetricsOfInterface(t *testing.T) {
	for _, c := range []struct {
		state     SessionState
		link      LinkState
		running   bool
		up        string // value of interface_up
		capturing string
	}{
		{StateCapturing, LinkUp, true, "1", "1"},
		{StateCapturing, LinkDown, true, "0", "0"},
		{StateCapturing, LinkDeleted, true, "0", "0"},
		{StateWaiting, "", false, "0", "0"},
		{StateReady, LinkUp, false, "", "0"},
	} {
		st := &Status{Sessions: []SessionStatus{{State: c.state, Capture: &CaptureStatus{Running: c.running, Link: c.link, Interface: "cap"}}}}
		got := map[string]string{}
		for line := range strings.Lines(string(appendMetrics(nil, st))) {
			name, rest, _ := strings.Cut(line, "{")
			if _, value, ok := strings.Cut(strings.TrimSpace(rest), "} "); ok {
				got[name] = value
			}
		}
		if got["rpcapd_interface_up"] != c.up || got["rpcapd_session_capturing"] != c.capturing {
			t.Errorf("%+v: up %q, capturing %q", c, got["rpcapd_interface_up"], got["rpcapd_session_capturing"])
		}
	}
}

// What a capture file held and was not forwarded as it is stays in the metrics when the file has been read.
func TestMetricsOfFile(t *testing.T) {
	st := &Status{Sessions: []SessionStatus{{Capture: &CaptureStatus{FileCut: 3, FileOtherLink: 5}}, {Capture: &CaptureStatus{}}}}
	text := string(appendMetrics(nil, st))
	for _, want := range []string{`rpcapd_file_cut_frames{sensor="",session="0",select=""} 3`, `rpcapd_file_other_link_frames{sensor="",session="0",select=""} 5`} {
		if strings.Count(text, want+"\n") != 1 {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
	if n := strings.Count(text, "\nrpcapd_file_"); n != 2 {
		t.Errorf("%d series, want 2", n)
	}
}
