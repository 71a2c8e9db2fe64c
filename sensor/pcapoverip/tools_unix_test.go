//go:build unix

package pcapoverip

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestStoppedReader stops a dumpcap, as somebody does with a Wireshark in a debugger, and lets it go on.
func TestStoppedReader(t *testing.T) {
	needTool(t, "dumpcap")
	s := start(t, Options{Buffer: minBuffer})
	f := s.attach("web", "eth0", 1)
	file := filepath.Join(t.TempDir(), "live.pcapng")
	p := launch(t, nil, "dumpcap", "-q", "-i", "TCP@"+s.address(), "-w", file)
	s.streaming(1)
	f.Frame(ethernet(0, 80, 100))
	eventually(t, "the first frame was sent", func() bool { return s.reading(0).Written == 1 })
	if err := p.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	number := uint32(1)
	eventually(t, "frames are dropped", func() bool {
		for range 1000 {
			f.Frame(ethernet(number, 80, 1500))
			number++
		}
		return s.reading(0).Dropped > 10
	})
	if err := p.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it has caught up", func() bool { n := s.reading(0); return n.Written+n.Dropped == uint64(number) })
	f.Frame(ethernet(number, 80, 100)) // the one after the gap
	eventually(t, "the last frame was sent", func() bool { return s.reading(0).Dropped+s.reading(0).Written == uint64(number)+1 })
	sent := s.reading(0).Written
	s.stop()
	p.wait(t)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := readNg(bytes.NewReader(b))
	if err != nil || uint64(len(got)) != sent {
		t.Fatalf("%d frames of %d, %v", len(got), sent, err)
	}
	if last := got[len(got)-1]; last != recordOf("web/eth0", 1, ethernet(number, 80, 100)) {
		t.Errorf("the last frame is %.100v", last)
	}
}

// scriptedTcpdump puts a script in the place of tcpdump, and returns the processes of it that run.
func scriptedTcpdump(t *testing.T, script string) (processes func() []int) {
	t.Helper()
	dir := t.TempDir()
	pids := filepath.Join(dir, "pids")
	if err := os.WriteFile(filepath.Join(dir, "tcpdump"), []byte("#!/bin/sh\necho $$ >>"+pids+"\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return func() (all []int) {
		b, _ := os.ReadFile(pids) // it may not be there yet
		for word := range strings.FieldsSeq(string(b)) {
			if pid, err := strconv.Atoi(word); err == nil && syscall.Kill(pid, 0) == nil {
				all = append(all, pid)
			}
		}
		return all
	}
}

// askFrom sends a request from an address of the loopback network.
func (s *running) askFrom(host byte, request string) net.Conn {
	s.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, host)}}
	c, err := d.Dial("tcp", s.address())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	if _, err := io.WriteString(c, request+"\n"); err != nil {
		s.t.Fatal(err)
	}
	return c
}

// TestSlowCompile has a tcpdump that never ends, as one does that looks up a name nobody answers for. Of one address one
// runs, of many two; other clients are served; it ends with its client, with its time and with the sensor.
func TestSlowCompile(t *testing.T) {
	running := scriptedTcpdump(t, "exec sleep 300")
	s := start(t, Options{})
	f := s.attach("web", "eth0", 1)
	const slow = "filter=host slow.example"
	first := s.askFrom(2, slow)
	eventually(t, "tcpdump runs", func() bool { return len(running()) == 1 })
	second := s.askFrom(2, slow+"2")
	s.askFrom(2, slow+"3")
	ch := collect(dial(t, s.address()))
	s.streaming(1)
	p := ethernet(1, 80, 100)
	f.Frame(p)
	if n := len(running()); n != 1 {
		t.Errorf("%d run for one address", n)
	}
	before := running()
	if nice, err := syscall.Getpriority(syscall.PRIO_PROCESS, before[0]); runtime.GOOS == "linux" && (err != nil || 20-nice != 19) {
		t.Errorf("it runs with nice value %d, %v", 20-nice, err)
	}
	if err := first.(*net.TCPConn).SetLinger(0); err != nil { // an end that cannot be taken for that of the request
		t.Fatal(err)
	}
	_ = first.Close()
	eventually(t, "the next one is compiled", func() bool { r := running(); return len(r) == 1 && r[0] != before[0] })
	answer, err := io.ReadAll(second)
	if err != nil || !strings.Contains(string(answer), "write networks instead") {
		t.Errorf("a filter that takes too long is answered %q, %v", answer, err)
	}
	for host := range byte(6) {
		s.askFrom(3+host, slow+strconv.Itoa(int(host)))
	}
	eventually(t, "another address has a place too", func() bool { return len(running()) == 2 })
	time.Sleep(50 * time.Millisecond)
	if n := len(running()); n > 2 {
		t.Errorf("%d run at once", n)
	}
	s.stop()
	compare(t, "the other client", await(t, "the other client", ch).records, []record{recordOf("web/eth0", 1, p)})
	eventually(t, "none runs", func() bool { return len(running()) == 0 })
}
