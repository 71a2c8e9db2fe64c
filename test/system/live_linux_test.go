package system

import (
	"os"
	"path/filepath"
	"rpcapd/test/harness"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestRootLivePipe is `rpcap-sensor -w - | tcpdump -r -`: tcpdump shows a packet while
// the sensor goes on, and both end in order.
func TestRootLivePipe(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	r, w, err := os.Pipe()
	must(t, err)
	shown := filepath.Join(t.TempDir(), "shown.txt")
	out, err := os.Create(shown)
	must(t, err)
	defer out.Close()

	sen := harness.StartIn(t, s.sensor, w, harness.Program(t, "rpcap-sensor"), "-w", "-")
	w.Close() // the sensor has its own
	cmd := asAnybody(t, s.sensor.Command(harness.Tool(t, "tcpdump"), append(keepUser(t), "-n", "-l", "-r", "-", "icmp")...))
	cmd.Stdin, cmd.Stdout = r, out
	must(t, cmd.Start())
	r.Close()
	sen.Says("waiting for agents", 1)
	a := startAgent(t, s.host, "ActiveClient = "+sensorV4+", 2003, ifname=eth0")
	a.capturing(1)

	lines := func() string {
		b, err := os.ReadFile(shown)
		must(t, err)
		return string(b)
	}
	const want = clientV4 + " > " + hostV4 + ": ICMP echo request"
	for i := range 3 {
		sent := time.Now()
		must(t, ping(s.client, clientV4, hostV4, 1, 56))
		sen.Await("the ping in tcpdump's words", func() bool { return strings.Count(lines(), want) == i+1 })
		t.Logf("ping %d was shown after %v", i, time.Since(sent).Round(time.Millisecond))
	}
	sen.Stop(syscall.SIGTERM, patience)
	if err := cmd.Wait(); err != nil {
		t.Errorf("tcpdump: %v", err)
	}
	if got := strings.Count(lines(), want); got != 3 {
		t.Errorf("tcpdump shows %d pings, want 3:\n%s", got, lines())
	}
}

// TestRootReaderLeaves ends tcpdump first: the sensor must notice that nobody reads.
func TestRootReaderLeaves(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	r, w, err := os.Pipe()
	must(t, err)
	sen := harness.StartIn(t, s.sensor, w, harness.Program(t, "rpcap-sensor"), "-w", "-")
	w.Close()
	sen.Says("waiting for agents", 1)
	a := startAgent(t, s.host, "ActiveClient = "+sensorV4+", 2003, ifname=eth0")
	a.capturing(1)
	r.Close()
	must(t, ping(s.client, clientV4, hostV4, 3, 56))
	select {
	case <-sen.Done():
	case <-time.After(patience):
		t.Fatal("the sensor goes on though nobody reads its output")
	}
	if code := sen.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if a.Ended() {
		t.Error("the agent has ended with its sensor")
	}
}
