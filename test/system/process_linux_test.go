package system

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rpcapd/test/netlab"
)

const (
	patience = 40 * time.Second // for anything that should come soon
	poll     = 5 * time.Millisecond
)

// process is a program that runs in a namespace, its standard error in a file.
type process struct {
	*netlab.Cmd
	t    *testing.T
	name string
	log  string
	done chan struct{} // closed when it has ended
}

// start runs a program until the end of the test; stdout may be nil.
func start(t *testing.T, n *netlab.Namespace, stdout io.Writer, path string, args ...string) *process {
	t.Helper()
	name := filepath.Base(path) + "@" + n.Name
	log, err := os.Create(filepath.Join(t.TempDir(), filepath.Base(path)+".log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p := &process{Cmd: n.Command(path, args...), t: t, name: name, log: log.Name(), done: make(chan struct{})}
	p.Stdout, p.Stderr = stdout, log
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.Wait() // the exit code is read where it matters
		close(p.done)
	}()
	t.Cleanup(func() {
		p.Process.Kill()
		<-p.done
		if t.Failed() {
			t.Logf("%s said:\n%s", p.name, p.tail())
		}
	})
	return p
}

// text is what the program has printed to its standard error.
func (p *process) text() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(b)
}

func (p *process) tail() string {
	const most = 6000 // bytes
	s := p.text()
	return strings.TrimSpace(s[max(0, len(s)-most):])
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// await polls until ok, and fails the test when that takes too long or the program
// has ended.
func (p *process) await(what string, ok func() bool) {
	p.t.Helper()
	for limit := time.Now().Add(patience); !ok(); time.Sleep(poll) {
		if p.ended() {
			p.t.Fatalf("%s: waiting for %s: it has ended", p.name, what)
		}
		if time.Now().After(limit) {
			p.t.Fatalf("%s: %s: not within %v", p.name, what, patience)
		}
	}
}

// says waits until a text was printed n times.
func (p *process) says(text string, n int) {
	p.t.Helper()
	p.await(strconv.Quote(text), func() bool { return strings.Count(p.text(), text) >= n })
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.Process.Signal(s); err != nil {
		p.t.Fatalf("%s: %v: %v", p.name, s, err)
	}
}

// stop ends the program with a signal. It must exit with 0 within limit.
func (p *process) stop(s syscall.Signal, limit time.Duration) time.Duration {
	p.t.Helper()
	begin := time.Now()
	p.signal(s)
	select {
	case <-p.done:
	case <-time.After(limit):
		p.t.Fatalf("%s: still running %v after %v", p.name, limit, s)
	}
	took := time.Since(begin)
	if code := p.ProcessState.ExitCode(); code != 0 {
		p.t.Fatalf("%s: exit code %d after %v", p.name, code, s)
	}
	return took
}

// roomyRing is a ring in which frames of more than a second wait: on a busy machine an
// agent may not have its turn for so long, which is not what the tests are about. Also a
// ring of few frames is full when each of its blocks was handed over after a moment.
const roomyRing = "64M"

// agent is a running rpcapd with a run directory and an ini of its own.
type agent struct {
	*process
	runDir, ini string
}

// startAgent runs rpcapd with the lines of an ini, null authentication permitted, and a roomy ring unless args
// ask for another.
func startAgent(t *testing.T, n *netlab.Namespace, ini string, args ...string) *agent {
	t.Helper()
	path := built(t, "rpcapd")
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
	a.process = start(t, n, nil, path, append([]string{"-f", a.ini, "--run-dir", a.runDir, "-z", roomyRing}, args...)...)
	a.says("agent started", 1)
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
	a.t.Helper()
	a.says("capture started", n)
}

// sensor is a running rpcap-sensor that writes to a file.
type sensor struct {
	*process
	file string
}

func startSensor(t *testing.T, n *netlab.Namespace, args ...string) *sensor {
	t.Helper()
	path := built(t, "rpcap-sensor")
	s := &sensor{file: filepath.Join(t.TempDir(), "frames.pcapng")}
	s.process = start(t, n, nil, path, append([]string{"-w", s.file}, args...)...)
	s.says("waiting for agents", 1)
	return s
}

// end stops the sensor: it ends its captures, asks for the final numbers and closes
// the file. It returns what the sensor says of its peers.
func (s *sensor) end() []peer {
	s.t.Helper()
	s.stop(syscall.SIGTERM, patience)
	text := s.text()
	i := strings.LastIndex(text, "\nrpcap-sensor: ")
	if i < 0 {
		s.t.Fatal("the sensor printed no summary")
	}
	return parsePeers(s.t, text[i:])
}

// report asks for the summary with SIGUSR1.
func (s *sensor) report() []peer {
	s.t.Helper()
	const head = "rpcap-sensor: "
	before := strings.Count(s.text(), head)
	s.signal(syscall.SIGUSR1)
	s.says(head, before+1)
	text := s.text()
	s.await("a whole summary", func() bool { // it is written line by line
		time.Sleep(50 * time.Millisecond)
		was := text
		text = s.text()
		return text == was && strings.HasSuffix(text, "\n")
	})
	return parsePeers(s.t, text[strings.LastIndex(text, head):])
}

// stopSignal ends a program in order; stopLimit is what an agent may take for it:
// two seconds, and what a busy machine adds.
const (
	stopSignal = syscall.SIGTERM
	stopLimit  = 12 * time.Second
)
