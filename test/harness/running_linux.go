package harness

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rpcapd/test/netlab"
)

const (
	// Patience is the time for anything that should come soon, on a busy machine.
	Patience = 40 * time.Second
	poll     = 5 * time.Millisecond
	mostTail = 6000 // bytes of the log that a failed test shows

	// What a program with the race detector does at the first race.
	raceReport = "WARNING: DATA RACE"
	raceExit   = 66
	mostReport = 20_000 // bytes of the report that a failed test shows
)

// Running is a program that runs until the end of its test at the latest. What it prints is in a file: its standard error,
// and its standard output if that is wanted nowhere else.
type Running struct {
	*exec.Cmd
	T    *testing.T
	Name string // and where it runs
	log  string
	done chan struct{} // closed when it has ended
}

// starter is an exec.Cmd, or one of a namespace.
type starter interface {
	Start() error
	Wait() error
}

// StartIn runs a program in a namespace; stdout may be nil.
func StartIn(t *testing.T, n *netlab.Namespace, stdout io.Writer, path string, args ...string) *Running {
	t.Helper()
	cmd := n.Command(path, args...)
	cmd.Stdout = stdout
	return start(t, filepath.Base(path)+"@"+n.Name, cmd.Cmd, cmd)
}

// Start runs a command where the test runs.
func Start(t *testing.T, cmd *exec.Cmd) *Running {
	t.Helper()
	return start(t, filepath.Base(cmd.Path), cmd, cmd)
}

func start(t *testing.T, name string, cmd *exec.Cmd, begin starter) *Running {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), filepath.Base(cmd.Path)+".log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close() // the program has its own descriptor
	p := &Running{Cmd: cmd, T: t, Name: name, log: log.Name(), done: make(chan struct{})}
	if cmd.Stderr = log; cmd.Stdout == nil {
		cmd.Stdout = log
	}
	if Race {
		cmd.Env = append(cmd.Environ(), "GORACE=halt_on_error=1")
	}
	if err := begin.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = begin.Wait() // the exit code is read where it matters
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = p.Process.Kill() // does nothing after its end
		<-p.done
		text := p.Text()
		if Race && (p.ProcessState.ExitCode() == raceExit || strings.Contains(text, raceReport)) {
			_, report, _ := strings.Cut(text, raceReport)
			t.Errorf("%s has a data race:\n%s", p.Name, raceReport+report[:min(len(report), mostReport)])
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", p.Name, strings.TrimSpace(text[max(0, len(text)-mostTail):]))
		}
	})
	return p
}

// Text is what the program has printed.
func (p *Running) Text() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		p.T.Fatal(err)
	}
	return string(b)
}

// Done is closed when the program has ended.
func (p *Running) Done() <-chan struct{} { return p.done }

// Ended says whether the program has ended.
func (p *Running) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Await polls until ok. It fails the test when that takes too long, or the program ends before.
func (p *Running) Await(what string, ok func() bool) {
	p.T.Helper()
	for limit := time.Now().Add(Patience); !ok(); time.Sleep(poll) {
		if p.Ended() && !ok() {
			p.T.Fatalf("%s: waiting for %s: it has ended", p.Name, what)
		}
		if time.Now().After(limit) {
			p.T.Fatalf("%s: %s: not within %v", p.Name, what, Patience)
		}
	}
}

// Says waits until the program has printed a text n times.
func (p *Running) Says(text string, n int) {
	p.T.Helper()
	p.Await(strconv.Quote(text), func() bool { return strings.Count(p.Text(), text) >= n })
}

// Signal sends a signal.
func (p *Running) Signal(s syscall.Signal) {
	p.T.Helper()
	if err := p.Process.Signal(s); err != nil {
		p.T.Fatalf("%s: %v: %v", p.Name, s, err)
	}
}

// Exits waits for the end of the program and returns its exit code.
func (p *Running) Exits(limit time.Duration) int {
	p.T.Helper()
	select {
	case <-p.done:
	case <-time.After(limit):
		p.T.Fatalf("%s: still running after %v", p.Name, limit)
	}
	return p.ProcessState.ExitCode()
}

// Stop ends the program with a signal, with status 0 and within limit. It returns how long that took.
func (p *Running) Stop(s syscall.Signal, limit time.Duration) time.Duration {
	p.T.Helper()
	begin := time.Now()
	p.Signal(s)
	code := p.Exits(limit)
	took := time.Since(begin)
	if code != 0 {
		p.T.Fatalf("%s: exit code %d after %v", p.Name, code, s)
	}
	return took
}
