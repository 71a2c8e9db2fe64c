package system

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rpcapd/test/harness"
	"rpcapd/test/netlab"
)

const (
	patience = harness.Patience // for anything that should come soon
	poll     = 5 * time.Millisecond
)

// roomyRing is a ring in which frames of more than a second wait: on a busy machine an
// agent may not have its turn for so long, which is not what the tests are about. Also a
// ring of few frames is full when each of its blocks was handed over after a moment.
const roomyRing = "64M"

// agent is a running rpcapd with a run directory and an ini of its own.
type agent struct {
	*harness.Running
	runDir, ini string
}

// startAgent runs rpcapd with the lines of an ini, null authentication permitted, and a roomy ring unless args
// ask for another.
func startAgent(t *testing.T, n *netlab.Namespace, ini string, args ...string) *agent {
	t.Helper()
	path := harness.Program(t, "rpcapd")
	dir, err := os.MkdirTemp("/run", "agent-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // as /etc/rpcapd: everybody may look into it
		t.Fatal(err)
	}
	a := &agent{runDir: filepath.Join(dir, "run"), ini: filepath.Join(dir, "rpcapd.ini")}
	a.write(t, ini)
	a.Running = harness.StartIn(t, n, nil, path, append([]string{"-f", a.ini, "--run-dir", a.runDir, "-z", roomyRing}, args...)...)
	a.Says("agent started", 1)
	return a
}

func (a *agent) write(t *testing.T, ini string) {
	t.Helper()
	if err := os.WriteFile(a.ini, []byte("NullAuthPermit = YES\n"+ini), 0o644); err != nil {
		t.Fatal(err)
	}
}

// capturing waits until n captures have been started since the agent runs.
func (a *agent) capturing(n int) {
	a.T.Helper()
	a.Says("capture started", n)
}

// sensor is a running rpcap-sensor that writes to a file.
type sensor struct {
	*harness.Running
	file string
}

func startSensor(t *testing.T, n *netlab.Namespace, args ...string) *sensor {
	t.Helper()
	path := harness.Program(t, "rpcap-sensor")
	s := &sensor{file: filepath.Join(t.TempDir(), "frames.pcapng")}
	s.Running = harness.StartIn(t, n, nil, path, append([]string{"-w", s.file}, args...)...)
	s.Says("waiting for agents", 1)
	return s
}

// end stops the sensor: it ends its captures, asks for the final numbers and closes
// the file. It returns what the sensor says of its peers.
func (s *sensor) end() []peer {
	s.T.Helper()
	s.Stop(syscall.SIGTERM, patience)
	text := s.Text()
	i := strings.LastIndex(text, "\nrpcap-sensor: ")
	if i < 0 {
		s.T.Fatal("the sensor printed no summary")
	}
	return parsePeers(s.T, text[i:])
}

// report asks for the summary with SIGUSR1.
func (s *sensor) report() []peer {
	s.T.Helper()
	const head = "rpcap-sensor: "
	before := strings.Count(s.Text(), head)
	s.Signal(syscall.SIGUSR1)
	s.Says(head, before+1)
	text := s.Text()
	s.Await("a whole summary", func() bool { // it is written line by line
		time.Sleep(50 * time.Millisecond)
		was := text
		text = s.Text()
		return text == was && strings.HasSuffix(text, "\n")
	})
	return parsePeers(s.T, text[strings.LastIndex(text, head):])
}

// stopSignal ends a program in order; stopLimit is what an agent may take for it:
// two seconds, and what a busy machine adds.
const (
	stopSignal = syscall.SIGTERM
	stopLimit  = patience
)

// forwarding waits until the sensor knows that n captures run: on a busy machine later than the agents capture. What ends
// before has no capture to end.
func (s *sensor) forwarding(n int) {
	s.T.Helper()
	s.Says("forwarding starts", n)
}

// quiet waits until a span passes in which at most so many frames were sent. Where the export feeds on itself none ever does.
func quiet(t *testing.T, who string, sent func() uint64, most uint64, span time.Duration) {
	t.Helper()
	grown := uint64(0)
	for limit := time.Now().Add(patience); time.Now().Before(limit); {
		before := sent()
		time.Sleep(span)
		if grown = sent() - before; grown <= most {
			return
		}
	}
	t.Errorf("%s: %d frames are sent in %v though nothing goes on: the export feeds on itself", who, grown, span)
}
