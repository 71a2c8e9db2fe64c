package consumers

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rpcapd/test/netlab"
)

const (
	patience = 20 * time.Second // for anything that should come soon
	poll     = 10 * time.Millisecond
)

// programs builds what the tests run, once, into the /run of the namespaces, which ends with them.
var programs = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("/run", "programs-"); err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // the agent runs as somebody else
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

// stage is the three machines of doc.go. The cable between client and host has no addresses until a test gives them.
type stage struct {
	t                    *testing.T
	client, host, sensor *netlab.Namespace
	sensorLog            *program
	file                 string // what the sensor writes besides
}

// program is one that runs in a namespace, what it prints in a file.
type program struct {
	*netlab.Cmd
	t    *testing.T
	log  string
	done chan struct{}
}

// newStage starts agent and sensor; more are lines of the [tap] section.
func newStage(t *testing.T, more string) *stage {
	t.Helper()
	lab := netlab.New(t)
	f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		netlab.Missing(t, err.Error())
	}
	f.Close()
	s := &stage{t: t, client: lab.Namespace("client"), host: lab.Namespace("host"), sensor: lab.Namespace("sensor")}
	for _, n := range []*netlab.Namespace{s.client, s.host, s.sensor} {
		n.Sysctl("ipv6/conf/default/disable_ipv6", "1") // else the kernel sends what no test asked for
	}
	lab.Veth(s.client, "eth0", s.host, "eth0")
	lab.Veth(s.host, "eth1", s.sensor, "eth0")
	s.host.AddAddr("eth1", "10.2.0.2/24")
	s.sensor.AddAddr("eth0", "10.2.0.3/24")

	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.MkdirTemp("/run", "stage-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(files, 0o755); err != nil {
		t.Fatal(err)
	}
	sensorIni, agentIni := filepath.Join(files, "rpcap-sensor.ini"), filepath.Join(files, "rpcapd.ini")
	s.write(sensorIni, "[rule all]\nInterface = eth0\n[tap]\nInterface = rpcap0\n"+more)
	s.write(agentIni, "NullAuthPermit = YES\nActiveClient = 10.2.0.3, 2003, ifname=eth0\n")
	s.file = filepath.Join(t.TempDir(), "sensor.pcapng")
	s.sensorLog = s.start(s.sensor, nil, filepath.Join(dir, "rpcap-sensor"), "-f", sensorIni, "-w", s.file)
	s.sensorLog.says("waiting for agents")
	s.start(s.host, nil, filepath.Join(dir, "rpcapd"), "-f", agentIni, "--run-dir", filepath.Join(files, "run")).says("capture started")
	return s
}

func (s *stage) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// start runs a program until the end of the test; both its outputs go to a file, or stdout elsewhere.
func (s *stage) start(n *netlab.Namespace, stdout io.Writer, path string, args ...string) *program {
	s.t.Helper()
	log, err := os.Create(filepath.Join(s.t.TempDir(), filepath.Base(path)+".log"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	p := &program{Cmd: n.Command(path, args...), t: s.t, log: log.Name(), done: make(chan struct{})}
	p.Stdout, p.Stderr = log, log
	if stdout != nil {
		p.Stdout = stdout
	}
	if err := p.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		_ = p.Wait() // the exit code is read where it matters
		close(p.done)
	}()
	s.t.Cleanup(func() {
		_ = p.Process.Kill() // does nothing after its end
		<-p.done
		if s.t.Failed() {
			s.t.Logf("%s said:\n%s", filepath.Base(path), p.text())
		}
	})
	return p
}

func (p *program) text() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(b)
}

// await polls until ok.
func (p *program) await(what string, ok func() bool) {
	p.t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(poll) {
		select {
		case <-p.done:
			if !ok() {
				p.t.Fatalf("%s: it has ended", what)
			}
			return
		default:
		}
		if time.Now().After(end) {
			p.t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

func (p *program) says(text string) {
	p.t.Helper()
	p.await(text, func() bool { return strings.Contains(p.text(), text) })
}

// stop ends a program in order.
func (p *program) stop(signal syscall.Signal) {
	p.t.Helper()
	if err := p.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Fatalf("%s: it does not end", p.Path)
	}
	if code := p.ProcessState.ExitCode(); code != 0 {
		p.t.Errorf("%s: exit code %d", p.Path, code)
	}
}
