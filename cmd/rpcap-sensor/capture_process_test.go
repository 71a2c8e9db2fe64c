//go:build unix

package main

import (
	"bytes"
	"encoding/binary"
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

	"github.com/google/gopacket/pcapgo"

	"rpcapd/test/netlab"
	"rpcapd/test/ports"
	"rpcapd/test/tool"
)

// framesIn counts the frames of a pcapng file and their bytes.
func framesIn(t *testing.T, name string) (frames, bytes int) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pcapgo.NewNgReader(f, pcapgo.DefaultNgReaderOptions)
	if err == io.EOF {
		return 0, 0 // this reader wants an interface
	}
	if err != nil {
		t.Fatal(err)
	}
	for {
		data, _, err := r.ReadPacketData()
		if err == io.EOF {
			return frames, bytes
		}
		if err != nil {
			t.Fatal(err)
		}
		frames, bytes = frames+1, bytes+len(data)
	}
}

// blocksIn counts the frames of a pcapng file that may be written now.
func blocksIn(t *testing.T, name string) (n int) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for len(b) >= 12 { // blocks: type, length
		if binary.LittleEndian.Uint32(b) == 6 { // enhanced packet
			n++
		}
		b = b[min(max(12, int(binary.LittleEndian.Uint32(b[4:]))), len(b)):]
	}
	return n
}

// several connects agents; each has sent one frame.
func several(t *testing.T, p *process, n int) (all []*agent) {
	t.Helper()
	for range n {
		a := connect(t, p)
		a.send() // or the next one would wait for its UDP port
		all = append(all, a)
	}
	return all
}

// flood sends until stop is closed.
func flood(all []*agent, stop <-chan struct{}) *sync.WaitGroup {
	var wg sync.WaitGroup
	for _, a := range all {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if a.offer() != nil {
						return // the sensor's port is closed
					}
					time.Sleep(100 * time.Microsecond) // faster than the limit is noticed, slower than a socket's buffer fills
				}
			}
		})
	}
	return &wg
}

// TestCaptureLimitsHold: with several agents sending at once the file has what was asked for, to the frame.
func TestCaptureLimitsHold(t *testing.T) {
	for _, tc := range []struct {
		args   string
		frames int
		says   string
	}{
		{"-c 300", 300, "ended at 300 frames"},
		{"--bytes 4200", 100, "ended at 4200 bytes"},
		{"--bytes 4201", 101, "ended at 4201 bytes"},
		{"-c 50 --duration 60 --bytes 1G", 50, "ended at 50 frames"},
	} {
		t.Run(tc.args, func(t *testing.T) {
			t.Parallel()
			name := filepath.Join(t.TempDir(), "out.pcapng")
			p := start(t, nil, append([]string{"capture", "-w", name}, strings.Fields(tc.args)...)...)
			all := several(t, p, 3)
			stop := make(chan struct{})
			wg := flood(all, stop)
			code := p.exits(t)
			close(stop)
			wg.Wait()
			if code != exitOK {
				t.Errorf("exit code %d; standard error:\n%s", code, p.stderr.String())
			}
			if n, size := framesIn(t, name); n != tc.frames || size != 42*tc.frames {
				t.Errorf("%d frames with %d bytes in the file, want %d", n, size, tc.frames)
			}
			text := p.stderr.String()
			for _, want := range []string{tc.says, fmt.Sprintf("%d frames, ", tc.frames), "from 3 agents", "0 dropped here"} {
				if !strings.Contains(text, want) {
					t.Errorf("%q is missing in:\n%s", want, text)
				}
			}
			if strings.Contains(text, "\x1b") {
				t.Errorf("a progress line without a terminal:\n%s", text)
			}
		})
	}
}

// TestCaptureDuration: it ends by time, also when nobody comes, and says what may be wrong then.
func TestCaptureDuration(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "out.pcapng")
	begin := time.Now()
	p := start(t, nil, "capture", "-w", name, "--duration", "700ms")
	code := p.exits(t)
	if took := time.Since(begin); code != exitOK || took < 700*time.Millisecond {
		t.Errorf("exit code %d after %v", code, took)
	}
	if n, _ := framesIn(t, name); n != 0 {
		t.Errorf("%d frames", n)
	}
	for _, want := range []string{"ended at 700ms", "no agent has connected", "firewall"} {
		if !strings.Contains(p.stderr.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, p.stderr.String())
		}
	}
}

// TestCaptureInterrupted: Ctrl-C is an orderly end.
func TestCaptureInterrupted(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "out.pcapng")
	p := start(t, nil, "capture", "-w", name)
	a := connect(t, p)
	for range 5 {
		a.send()
	}
	for end := time.Now().Add(40 * time.Second); blocksIn(t, name) < 5; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d frames in the file", blocksIn(t, name))
		}
	}
	if err := p.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := p.exits(t); code != exitOK || strings.Contains(p.stderr.String(), "ended at") {
		t.Errorf("exit code %d; standard error:\n%s", code, p.stderr.String())
	}
	if n, _ := framesIn(t, name); n != 5 {
		t.Errorf("%d frames", n)
	}
}

// TestCaptureFullDisk: what cannot be written ends the capture with exit code 1.
func TestCaptureFullDisk(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); err != nil {
		netlab.Missing(t, err.Error())
	}
	p := &process{}
	p.Cmd = exec.Command(os.Args[0], "capture", "-w", "/dev/full", "--listen", fmt.Sprintf("127.0.0.1:%d", ports.Free(t)))
	p.Env, p.Cmd.Stderr = append(os.Environ(), asCommand+"=1"), &p.stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	if code := p.exits(t); code != exitFailed || !strings.Contains(p.stderr.String(), "/dev/full") {
		t.Errorf("exit code %d; standard error:\n%s", code, p.stderr.String())
	}
}

// TestCapturePort: a port that another sensor has is explained.
func TestCapturePort(t *testing.T) {
	p := start(t, nil, "capture", "-w", filepath.Join(t.TempDir(), "a"))
	_, msg, code := execute(t, "capture", "-w", filepath.Join(t.TempDir(), "b"), "--listen", fmt.Sprintf("127.0.0.1:%d", p.port))
	if code != exitFailed || !strings.Contains(msg, "in use") || !strings.Contains(msg, "--listen") {
		t.Errorf("exit code %d, %s", code, msg)
	}
}

// TestCapturePipe: standard output goes to tcpdump, the rest to standard error.
func TestCapturePipe(t *testing.T) {
	tcpdump := tool.Need(t, "tcpdump")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	reader := exec.Command(tcpdump, "-n", "-r", "-")
	var out bytes.Buffer
	reader.Stdin, reader.Stdout = r, &out
	if err := reader.Start(); err != nil {
		t.Fatal(err)
	}
	r.Close()
	p := start(t, w, "capture", "-c", "20", "-w", "-", "arp")
	w.Close()
	a := connect(t, p)
	for range 25 {
		a.send()
	}
	if code := p.exits(t); code != exitOK {
		t.Errorf("exit code %d; standard error:\n%s", code, p.stderr.String())
	}
	if err := reader.Wait(); err != nil {
		t.Error(err)
	}
	if n := strings.Count(out.String(), "ARP, Request"); n != 20 {
		t.Errorf("tcpdump shows %d frames:\n%s", n, out.String())
	}
}

// TestCapturePipeCloses: a reader that has seen enough ends the capture in order and with a word; what was never written
// is not counted as written.
func TestCapturePipeCloses(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, w, "capture", "-c", "1000", "-w", "-", "arp")
	w.Close()
	a := connect(t, p)
	if _, err := r.Read(make([]byte, 64)); err != nil {
		t.Fatal(err)
	}
	r.Close()
	a.send()
	if code := p.exits(t); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	text := p.stderr.String()
	if !strings.Contains(text, "ended because the reader of standard output is gone") || !strings.Contains(text, "0 frames, ") || strings.Contains(text, "broken pipe") {
		t.Errorf("standard error:\n%s", text)
	}
}
