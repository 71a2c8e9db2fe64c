package system

import (
	"os"
	"path/filepath"
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

	sen := start(t, s.sensor, w, built(t, "rpcap-sensor"), "-w", "-")
	w.Close() // the sensor has its own
	cmd := asAnybody(t, s.sensor.Command(tool(t, "tcpdump"), append(keepUser(t), "-n", "-l", "-r", "-", "icmp")...))
	cmd.Stdin, cmd.Stdout = r, out
	must(t, cmd.Start())
	r.Close()
	sen.says("waiting for agents", 1)
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
		sen.await("the ping in tcpdump's words", func() bool { return strings.Count(lines(), want) == i+1 })
		t.Logf("ping %d was shown after %v", i, time.Since(sent).Round(time.Millisecond))
	}
	sen.stop(syscall.SIGTERM, patience)
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
	sen := start(t, s.sensor, w, built(t, "rpcap-sensor"), "-w", "-")
	w.Close()
	sen.says("waiting for agents", 1)
	a := startAgent(t, s.host, "ActiveClient = "+sensorV4+", 2003, ifname=eth0")
	a.capturing(1)
	r.Close()
	must(t, ping(s.client, clientV4, hostV4, 3, 56))
	select {
	case <-sen.done:
	case <-time.After(patience):
		t.Fatal("the sensor goes on though nobody reads its output")
	}
	if code := sen.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if a.ended() {
		t.Error("the agent has ended with its sensor")
	}
}
