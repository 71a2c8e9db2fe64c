package hostile

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rpcapd/test/netlab"
)

const (
	patience  = 40 * time.Second // for anything that should come soon
	stopLimit = 12 * time.Second // what an agent may take to end: two, and what a busy machine adds
)

func TestMain(m *testing.M) { netlab.Main(m) }

// programs builds what the tests run, once. The folder is on the /run of the
// namespaces and ends with them; where there are none it is among what is built anyway.
var programs = sync.OnceValues(func() (dir string, err error) {
	if netlab.Inside() {
		dir, err = os.MkdirTemp("/run", "programs-")
	} else {
		dir, err = filepath.Abs("../../bin/hostile")
	}
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = os.Chmod(dir, 0o755) // the agent runs as somebody else
	}
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", dir+"/", "./cmd/rpcapd", "./cmd/rpcap-sensor")
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build programs: %w: %s", err, out)
	}
	return dir, nil
})

// program is one of the two, running.
type program struct {
	*exec.Cmd
	t      *testing.T
	stderr buffer
	done   chan struct{} // closed when it has ended
}

// buffer is written by one goroutine and read by another.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// start runs a program until the end of the test. as is a user number, 0 for nobody
// else than the test's own.
func start(t *testing.T, stdout io.Writer, as uint32, name string, args ...string) *program {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{Cmd: exec.Command(filepath.Join(dir, name), args...), t: t, done: make(chan struct{})}
	p.Stdout, p.Stderr = stdout, &p.stderr
	// It is no service of this host's, and it collects garbage often: what it keeps is
	// looked for here, not what it will collect.
	p.Env = append(os.Environ(), "INVOCATION_ID=", "NOTIFY_SOCKET=", "GOGC=20")
	if as != 0 {
		p.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: as, Gid: as}}
	}
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
		if text := p.stderr.String(); t.Failed() {
			t.Logf("%s said:\n%s", name, text[max(0, len(text)-4000):])
		}
	})
	return p
}

// says waits until the program has printed a text n times.
func (p *program) says(text string, n int) {
	p.t.Helper()
	for limit := time.Now().Add(patience); strings.Count(p.stderr.String(), text) < n; time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			p.t.Fatalf("%q was not said %d times", text, n)
		}
	}
}

// lines counts the lines of the log with any of the levels.
func (p *program) lines(levels ...string) (n int) {
	for line := range strings.SplitSeq(p.stderr.String(), "\n") {
		for _, level := range levels {
			if strings.Contains(line, "\t"+level+"\t") {
				n++
			}
		}
	}
	return n
}

// exits waits for the end of the program.
func (p *program) exits(limit time.Duration) int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(limit):
		p.t.Fatalf("it still runs after %v", limit)
	}
	return p.ProcessState.ExitCode()
}

// stop ends the program as a service manager would.
func (p *program) stop(limit time.Duration) {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	if code := p.exits(limit); code != 0 {
		p.t.Errorf("exit code %d after SIGTERM", code)
	}
}

// signal waits until the program takes the signal: it says that it has started a
// moment before.
func (p *program) signal(s syscall.Signal) {
	p.t.Helper()
	for limit := time.Now().Add(patience); p.number("SigCgt", 16)>>(s-1)&1 == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			p.t.Fatalf("it does not catch %v", s)
		}
	}
	if err := p.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// number is one of /proc/PID/status.
func (p *program) number(name string, base int) uint64 {
	p.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	_, value, _ := strings.Cut(string(status), "\n"+name+":")
	value, _, _ = strings.Cut(strings.TrimSpace(value), "\n")
	value, _, _ = strings.Cut(value, " ") // the unit
	n, err := strconv.ParseUint(value, base, 64)
	if err != nil {
		p.t.Fatalf("process status: %s: %v", name, err)
	}
	return n
}
