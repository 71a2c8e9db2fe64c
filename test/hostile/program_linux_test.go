package hostile

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"rpcapd/test/harness"
	"rpcapd/test/netlab"
)

const (
	patience  = harness.Patience // for anything that should come soon
	stopLimit = patience         // what an agent may take to end: two seconds, and what a busy machine adds
)

func TestMain(m *testing.M) { netlab.Main(m) }

// program is one of the two, running.
type program struct{ *harness.Running }

// start runs a program until the end of the test. as is a user number, 0 for nobody
// else than the test's own.
func start(t *testing.T, stdout io.Writer, as uint32, name string, args ...string) *program {
	t.Helper()
	cmd := exec.Command(harness.Program(t, name), args...)
	cmd.Stdout = stdout
	// It is no service of this host's, and it collects garbage often: what it keeps is
	// looked for here, not what it will collect.
	cmd.Env = append(os.Environ(), "INVOCATION_ID=", "NOTIFY_SOCKET=", "GOGC=20")
	if as != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: as, Gid: as}}
	}
	return &program{harness.Start(t, cmd)}
}

// lines counts the lines of the log with any of the levels.
func (p *program) lines(levels ...string) (n int) {
	for line := range strings.SplitSeq(p.Text(), "\n") {
		for _, level := range levels {
			if strings.Contains(line, "\t"+level+"\t") {
				n++
			}
		}
	}
	return n
}

// stop ends the program as a service manager would.
func (p *program) stop(limit time.Duration) {
	p.T.Helper()
	p.signal(syscall.SIGTERM)
	if code := p.Exits(limit); code != 0 {
		p.T.Errorf("exit code %d after SIGTERM", code)
	}
}

// signal waits until the program takes the signal: it says that it has started a
// moment before.
func (p *program) signal(s syscall.Signal) {
	p.T.Helper()
	for limit := time.Now().Add(patience); p.Number("SigCgt", 16)>>(s-1)&1 == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			p.T.Fatalf("it does not catch %v", s)
		}
	}
	if err := p.Process.Signal(s); err != nil {
		p.T.Fatal(err)
	}
}
