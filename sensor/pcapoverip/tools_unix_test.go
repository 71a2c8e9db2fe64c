//go:build unix

package pcapoverip

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestStoppedReader stops a dumpcap, as somebody does with a Wireshark in a debugger, and lets it go on.
func TestStoppedReader(t *testing.T) {
	needTool(t, "dumpcap")
	s := start(t, Options{Buffer: MinBuffer})
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

// TestSlowCompile has a tcpdump that never ends, as one does that looks up a name nobody answers for: other clients are
// served, and it ends with its client and with the sensor.
func TestSlowCompile(t *testing.T) {
	dir := t.TempDir()
	pids := filepath.Join(dir, "pids")
	script := "#!/bin/sh\necho $$ >>" + pids + "\nexec sleep 300\n"
	if err := os.WriteFile(filepath.Join(dir, "tcpdump"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	s := start(t, Options{})
	f := s.attach("web", "eth0", 1)
	ask := func() net.Conn {
		c := dial(t, s.address())
		if _, err := io.WriteString(c, "filter=host slow.example\n"); err != nil {
			t.Fatal(err)
		}
		return c
	}
	running := func() (all []int) {
		b, _ := os.ReadFile(pids) // it may not be there yet
		for word := range strings.FieldsSeq(string(b)) {
			if pid, err := strconv.Atoi(word); err == nil && syscall.Kill(pid, 0) == nil {
				all = append(all, pid)
			}
		}
		return all
	}
	first := ask()
	eventually(t, "tcpdump runs", func() bool { return len(running()) == 1 })
	for range mostCompiles {
		ask()
	}
	ch := collect(dial(t, s.address()))
	s.streaming(1)
	p := ethernet(1, 80, 100)
	f.Frame(p)
	eventually(t, "no more run than may", func() bool { return len(running()) == mostCompiles })
	before := running()
	if err := first.(*net.TCPConn).SetLinger(0); err != nil { // an end that cannot be taken for that of the request
		t.Fatal(err)
	}
	_ = first.Close()
	eventually(t, "the next one is compiled", func() bool { r := running(); return len(r) == mostCompiles && r[0] != before[0] })
	s.stop()
	compare(t, "the other client", await(t, "the other client", ch).records, []record{recordOf("web/eth0", 1, p)})
	eventually(t, "none runs", func() bool { return len(running()) == 0 })
}
