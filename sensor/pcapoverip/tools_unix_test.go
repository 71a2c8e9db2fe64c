//go:build unix

package pcapoverip

import (
	"bytes"
	"os"
	"path/filepath"
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
