//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/gopacket/pcapgo"

	"rpcapd/rpcap"
	"rpcapd/test/ports"
	"rpcapd/test/tool"
	"rpcapd/udpstr"
)

// asCommand makes the test binary be rpcap-sensor, so that the tests have a real process with real pipes and signals.
const asCommand = "RPCAP_SENSOR_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process is a running rpcap-sensor.
type process struct {
	*exec.Cmd
	stderr lockedBuffer
	port   int
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func start(t *testing.T, stdout io.Writer, args ...string) *process {
	t.Helper()
	p := &process{port: ports.Free(t)}
	args = append(args, "--listen", fmt.Sprintf("127.0.0.1:%d", p.port), "--udp-port", fmt.Sprint(ports.Free(t)), "--udp-ports", "1")
	p.Cmd = exec.Command(os.Args[0], args...)
	p.Env = append(os.Environ(), asCommand+"=1")
	p.Stdout, p.Cmd.Stderr = stdout, &p.stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Process.Kill() // does nothing after Wait
		_ = p.Wait()
	})
	await(t, "waiting for agents", p.stderr.String, p)
	return p
}

// await polls until the text shows up.
func await(t *testing.T, want string, text func() string, p *process) {
	t.Helper()
	for end := time.Now().Add(40 * time.Second); !strings.Contains(text(), want); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%q did not come; standard error:\n%s", want, p.stderr.String())
		}
	}
}

// exits waits for the process and returns its exit code.
func (p *process) exits(t *testing.T) int {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- p.Wait() }()
	select {
	case <-done:
		return p.ProcessState.ExitCode()
	case <-time.After(40 * time.Second):
		t.Fatalf("it does not end; standard error:\n%s", p.stderr.String())
		return -1
	}
}

// agent is the smallest agent that works: it answers what it is asked and sends one datagram a frame.
type agent struct {
	t      *testing.T
	packer *udpstr.Packer
	data   net.Conn
	sent   uint32
	mu     sync.Mutex
}

func connect(t *testing.T, p *process) *agent {
	t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	a := &agent{t: t}
	if a.packer, err = udpstr.NewPacker(1472, make([]byte, 1<<16)); err != nil {
		t.Fatal(err)
	}
	started := make(chan uint16, 1)
	go a.serve(conn, started)
	select {
	case port := <-started:
		if a.data, err = net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", port)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { a.data.Close() })
	case <-time.After(40 * time.Second):
		t.Fatalf("no STARTCAP; standard error:\n%s", p.stderr.String())
	}
	return a
}

func (a *agent) serve(conn net.Conn, started chan<- uint16) {
	c := rpcap.NewConn(conn, rpcap.MaxRequestPayload)
	for {
		h, payload, err := c.ReadMessage(time.Time{})
		if err != nil {
			return
		}
		reply := rpcap.AppendEmpty(nil, h.Type.Reply())
		switch h.Type {
		case rpcap.TypeFindAllRequest:
			reply = rpcap.NewInterfaceList(rpcap.Interface{Name: "eth0", Flags: rpcap.InterfaceUp}).Append(nil)
		case rpcap.TypeOpenRequest:
			reply = rpcap.OpenReply{LinkType: 1}.Append(nil)
		case rpcap.TypeStartCaptureRequest:
			reply = rpcap.StartCaptureReply{}.Append(nil)
			if req, _, err := rpcap.ParseStartCaptureRequest(payload); err == nil {
				started <- req.DataPort
			}
		case rpcap.TypeStatsRequest:
			a.mu.Lock()
			reply = rpcap.StatsReply{IfRecv: a.sent, Captured: a.sent}.Append(nil)
			a.mu.Unlock()
		}
		if _, err := conn.Write(reply); err != nil {
			return
		}
	}
}

// send sends one frame, an ARP request, in a datagram of its own.
func (a *agent) send() {
	a.t.Helper()
	if err := a.offer(); err != nil {
		a.t.Fatal(err)
	}
}

// offer is send for when the sensor may be gone.
func (a *agent) offer() error {
	frame := make([]byte, 42)
	copy(frame[12:], []byte{8, 6, 0, 1, 8, 0, 6, 4, 0, 1})
	now := time.Now()
	a.packer.Append([]udpstr.Frame{{Data: frame, Len: 42, Sec: uint32(now.Unix()), Usec: uint32(now.Nanosecond() / 1000)}})
	r, _ := a.packer.Take()
	a.mu.Lock()
	a.sent++
	a.mu.Unlock()
	_, err := a.data.Write(r.Bytes)
	return err
}

// TestPipeToTcpdump: each frame is shown at once, and the sensor ends in order when tcpdump has seen enough.
func TestPipeToTcpdump(t *testing.T) {
	tcpdump := tool.Need(t, "tcpdump")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	reader := exec.Command(tcpdump, "-l", "-n", "-c", "3", "-r", "-")
	reader.Stdin = r
	out, err := reader.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.Start(); err != nil {
		t.Fatal(err)
	}
	r.Close()
	p := start(t, w, "-w", "-")
	w.Close()
	a := connect(t, p)
	lines := bufio.NewScanner(out)
	for i := range 3 {
		a.send()
		sent := time.Now()
		if !lines.Scan() || !strings.Contains(lines.Text(), "ARP") {
			t.Fatalf("frame %d: %q", i, lines.Text())
		}
		if took := time.Since(sent); took > 40*time.Second {
			t.Errorf("frame %d was shown after %v", i, took)
		}
	}
	if err := reader.Wait(); err != nil {
		t.Error(err)
	}
	a.send() // the sensor notices with the next write
	if code := p.exits(t); code != exitOK {
		t.Errorf("exit code %d; standard error:\n%s", code, p.stderr.String())
	}
	if text := p.stderr.String(); !strings.Contains(text, "frames 4") || !strings.Contains(text, "the reader of the output is gone") || strings.Contains(text, "broken pipe") {
		t.Errorf("standard error:\n%s", text)
	}
}

// TestOldFileSurvives: a sensor that cannot start does not empty the file it would have written.
func TestOldFileSurvives(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	name := write(t, "an old capture")
	_, msg, code := execute(t, "-w", name, "--listen", l.Addr().String())
	if code != exitFailed || !strings.Contains(msg, "in use") {
		t.Errorf("exit code %d, %s", code, msg)
	}
	if b, err := os.ReadFile(name); err != nil || string(b) != "an old capture" {
		t.Errorf("the file now holds %q, %v", b, err)
	}
}

// TestSignals: SIGUSR1 prints the summary, SIGTERM ends in order with the file complete.
func TestSignals(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out.pcapng")
	p := start(t, nil, "-w", name, "--log-format", "json")
	a := connect(t, p)
	for range 10 {
		a.send()
	}
	for end := time.Now().Add(40 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if err := p.Process.Signal(syscall.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(p.stderr.String(), "127.0.0.1/eth0: running") && strings.Contains(p.stderr.String(), "frames 10") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("no summary of 10 frames:\n%s", p.stderr.String())
		}
	}
	begin := time.Now()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.exits(t); code != exitOK || time.Since(begin) > 40*time.Second {
		t.Errorf("exit code %d after %v", code, time.Since(begin))
	}
	if text := p.stderr.String(); !strings.Contains(text, "captured 10") || !strings.Contains(text, "missing 0 frames (tail known)") {
		t.Errorf("summary:\n%s", text)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pcapgo.NewNgReader(f, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for ; ; n++ {
		if _, _, err = r.ReadPacketData(); err != nil {
			break
		}
	}
	if i, err := r.Interface(0); n != 10 || err != nil || i.Statistics.PacketsReceived != 10 {
		t.Errorf("%d frames, statistics %+v (%v)", n, i.Statistics, err)
	}
}
