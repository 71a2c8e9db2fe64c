package main

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"rpcapd/sensor/status"
)

func TestCaptureHelpTeaches(t *testing.T) {
	out, _, code := execute(t, "capture", "--help")
	for _, want := range []string{"-c 1000 -w out.pcapng 'tcp port 443'", "ActiveClient", "--duration", "--bytes", "Ctrl-C", "exit code", "tcpdump -n -r -"} {
		if !strings.Contains(out, want) {
			t.Errorf("help lacks %q", want)
		}
	}
	if code != exitOK || strings.Contains(out, "0s)") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}

func TestCaptureUsageErrors(t *testing.T) {
	for _, tc := range []struct{ args, want string }{
		{"-c 5", "-w FILE"},
		{"-w x -c 0", "1 or more"},
		{"-w x -c -1", "-1"},
		{"-w x --bytes 0", "above 0"},
		{"-w x --bytes 1x0", "above 0"},
		{"-w x --duration 0", "seconds above 0"},
		{"-w x --duration later", "seconds above 0"},
		{"-w x -a files:3", "packets:NUMBER"},
		{"-w x -a duration:x", "seconds above 0"},
		{"-w x -a packets:", "above 0"},
		{"-w x --agents 10.0.0.0/33", "192.168.4.0/24"},
		{"-w x --log-level loud", "debug, info, warn"},
	} {
		_, msg, code := execute(t, append([]string{"capture"}, strings.Fields(tc.args)...)...)
		if code != exitUsage || !strings.Contains(msg, tc.want) || !strings.Contains(msg, "rpcap-sensor capture --help") {
			t.Errorf("%s: exit code %d, %s", tc.args, code, msg)
		}
	}
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"-w", "/does/not/exist.pcapng"}, "/does/not/exist.pcapng"},
		{[]string{"-w", t.TempDir() + "/x", "tcp", "prt", "80"}, "tcp prt 80"},
		{[]string{"-w", t.TempDir() + "/x", "-i", "[a"}, "pattern"},
	} {
		if _, msg, code := execute(t, append([]string{"capture"}, tc.args...)...); code != exitFailed || !strings.Contains(msg, tc.want) {
			t.Errorf("%v: exit code %d, %s", tc.args, code, msg)
		}
	}
}

func TestCaptureLimits(t *testing.T) {
	for args, want := range map[string]limits{
		"":                         {},
		"-c 1000":                  {frames: 1000},
		"--frames 7":               {frames: 7},
		"--bytes 1.5k":             {bytes: 1500},
		"--bytes 2MiB":             {bytes: 2 << 20},
		"--duration 60":            {duration: time.Minute},
		"--duration 1h30m":         {duration: 90 * time.Minute},
		"--duration 0.5":           {duration: time.Second / 2},
		"-a duration:10 -c 5":      {frames: 5, duration: 10 * time.Second},
		"-a packets:5 -c 9":        {frames: 5},
		"-a filesize:10 --bytes 7": {bytes: 7},
		"-a duration:3 -a duration:2 --duration 9 -a packets:100": {frames: 100, duration: 2 * time.Second},
	} {
		c := &captureSettings{}
		flags := pflag.NewFlagSet("capture", pflag.ContinueOnError)
		c.define(flags)
		if err := flags.Parse(strings.Fields(args)); err != nil {
			t.Errorf("%s: %v", args, err)
			continue
		}
		if got, err := c.limits(); got != want || err != nil {
			t.Errorf("%s: %+v, %v; want %+v", args, got, err, want)
		}
	}
}

func TestProgressLine(t *testing.T) {
	got := progressLine(1234, 5_678_901, 99.6, loss{agents: 2, atAgents: 1, path: 2, output: 3}, 83*time.Second)
	if want := "1234 frames, 5.7 MB, 100 frames/s, lost 6, 2 agents, 1m23s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := progressLine(0, 999, 0, loss{agents: 1}, 0); got != "0 frames, 999 bytes, 0 frames/s, lost 0, 1 agent, 0s" {
		t.Errorf("%q", got)
	}
}

// TestLossWhileNothingArrives: what a dead path swallows counts as lost while the session runs, once it is more than an agent
// may hold back.
func TestLossWhileNothingArrives(t *testing.T) {
	p := status.Peer{Rule: "r", Interface: "eth0", State: status.StateRunning, Unaccounted: 900}
	p.Received.Missing = 10
	for since, want := range map[time.Time]uint64{{}: 10, time.Now(): 910} {
		p.UnaccountedSince = since
		if l := lossOf([]status.Peer{p}); l.total() != want {
			t.Errorf("unaccounted since %v: %+v, want %d lost", since, l, want)
		}
	}
}
