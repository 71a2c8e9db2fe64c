package files

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/gopacket/pcapgo"

	"rpcapd/savefile"
	"rpcapd/sensor/sink"
	"rpcapd/test/netlab"
	"rpcapd/udpstr"
)

func testSource(host, iface string, linkType uint32) sink.Source {
	return sink.Source{Host: host, Agent: netip.MustParseAddr("10.0.0.2"), Interface: iface, LinkType: linkType, Snaplen: 128, Filter: "ip", Rule: "r"}
}

func packet(f udpstr.Frame, number uint64) *udpstr.Packet {
	return &udpstr.Packet{Frame: f, Number: number}
}

// runSink runs a sink until the returned function is called, which returns Run's result.
func runSink(s sink.Sink) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- s.Run(ctx) }()
	return func() error { cancel(); return <-result }
}

func TestSingleWritesEverySource(t *testing.T) {
	out := &syncBuffer{}
	s := NewSingle("out", out, false, nil)
	stop := runSink(s)
	a, b := s.Attach(testSource("10.0.0.2", "eth0", 1)), s.Attach(testSource("web", "tun0", 12))
	for i, f := range testFrames(5, 60) {
		a.Frame(packet(f, uint64(i+1)))
		b.Frame(packet(f, uint64(i+1)))
	}
	a.Detach(sink.Forwarded{Known: true, Received: 7, KernelDropped: 2, Captured: 5})
	again := s.Attach(testSource("10.0.0.2", "eth0", 1)) // comes back
	again.Frame(packet(testFrames(1, 100)[0], 1))
	again.Detach(sink.Forwarded{Known: true, Received: 1, Captured: 1})
	b.Detach(sink.Forwarded{})
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	frames := readPcapng(t, out.Bytes())
	if len(frames) != 11 {
		t.Fatalf("%d frames instead of 11", len(frames))
	}
	if frames[0].name != "10.0.0.2/eth0" || frames[1].name != "web/tun0" || frames[1].linkType != 101 {
		t.Errorf("sources: %+v, %+v", frames[0], frames[1])
	}
	want := testFrames(5, 60)[4]
	if f := frames[8]; !f.time.Equal(time.Unix(1_700_000_004, 4000)) || !bytes.Equal(f.data, want.Data) {
		t.Errorf("frame 8: %+v", f)
	}
	r, err := pcapgo.NewNgReader(bytes.NewReader(out.Bytes()), pcapgo.NgReaderOptions{WantMixedLinkType: true})
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, _, err = r.ReadPacketData()
	}
	i, err := r.Interface(0)
	if err != nil || r.NInterfaces() != 2 {
		t.Fatalf("%d interfaces, %v", r.NInterfaces(), err)
	}
	if i.SnapLength != 262144 || !strings.Contains(i.Comment, "snap length 128") || i.Filter != "ip" || i.TimestampResolution != 6 {
		t.Errorf("interface block: %+v", i)
	}
	if i.Statistics.PacketsReceived != 8 || i.Statistics.PacketsDropped != 0 {
		t.Errorf("statistics: %+v", i.Statistics)
	}
}

func TestSingleOneLinkType(t *testing.T) {
	out := &syncBuffer{}
	s := NewSingle("out", out, true, nil)
	stop := runSink(s)
	a, b := s.Attach(testSource("a", "eth0", 1)), s.Attach(testSource("b", "tun0", 12))
	a.Frame(packet(testFrames(1, 60)[0], 1))
	b.Frame(packet(testFrames(1, 60)[0], 1))
	if c := b.Counters(); c.Dropped != 1 || c.Written != 0 {
		t.Errorf("frame of another link type: %+v", c)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if n := len(readPcapng(t, out.Bytes())); n != 1 {
		t.Errorf("%d frames instead of 1", n)
	}
}

// TestSingleAtOnce: a single frame leaves without a further one.
func TestSingleAtOnce(t *testing.T) {
	r, w := io.Pipe()
	s := NewSingle("pipe", w, true, nil)
	stop := runSink(s)
	arrived := make(chan int)
	go func() {
		defer close(arrived)
		buf := make([]byte, 1<<16)
		for {
			n, err := r.Read(buf)
			if err != nil {
				return
			}
			arrived <- n
		}
	}()
	src := testSource("a", "eth0", 1)
	f := s.Attach(src)
	want := len(savefile.AppendInterface(savefile.AppendSectionHeader(nil, application), src.InterfaceBlock()))
	have := 0
	for i := range 3 {
		p := packet(udpstr.Frame{Data: make([]byte, 60), Len: 60}, uint64(i+1))
		f.Frame(p)
		for want += savefile.PacketSize(len(p.Data)); have < want; {
			select {
			case n := <-arrived:
				have += n
			case <-time.After(30 * time.Second):
				t.Fatal("frame is kept back")
			}
		}
	}
	go func() {
		for range arrived {
		}
	}()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	w.Close()
}

// TestSingleSlowConsumer: frames beyond the queue are dropped and counted, delivery does not block, and what is written
// is whole.
func TestSingleSlowConsumer(t *testing.T) {
	gate := make(chan struct{})
	out := &gatedWriter{gate: gate}
	s := NewSingle("slow", out, false, nil)
	stop := runSink(s)
	f := s.Attach(testSource("a", "eth0", 1))
	big := udpstr.Frame{Data: make([]byte, 200_000), Len: 200_000}
	const sent = 400 // 80 MB, five times the queue
	for i := range sent {
		f.Frame(packet(big, uint64(i+1)))
	}
	c := f.Counters()
	if c.Dropped == 0 || c.Written != 0 || c.Waiting+c.Dropped != sent {
		t.Errorf("counters %+v of %d frames", c, sent)
	}
	if queued := 200_000 * c.Waiting; queued > (queueChunks+1)*chunkSize {
		t.Errorf("%d bytes queued", queued)
	}
	close(gate)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	want := sink.Counters{Written: c.Waiting, Bytes: 200_000 * c.Waiting, Dropped: c.Dropped}
	if n := len(readPcapng(t, out.Bytes())); uint64(n) != c.Waiting || f.Counters() != want {
		t.Errorf("%d frames in the file, counters %+v, want %+v", n, f.Counters(), want)
	}
}

type gatedWriter struct {
	syncBuffer
	gate chan struct{}
}

func (w *gatedWriter) Write(p []byte) (int, error) {
	<-w.gate
	return w.syncBuffer.Write(p)
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestSingleConsumerGone(t *testing.T) {
	s := NewSingle("pipe", failingWriter{&os.PathError{Op: "write", Path: "|1", Err: syscall.EPIPE}}, true, nil)
	if err := s.Run(t.Context()); !errors.Is(err, sink.ErrConsumerGone) {
		t.Errorf("closed pipe: %v", err)
	}
	f := s.Attach(testSource("a", "eth0", 1))
	f.Frame(packet(testFrames(1, 60)[0], 1))
	if c := f.Counters(); c.Dropped != 1 {
		t.Errorf("after the end: %+v", c)
	}
	s = NewSingle("disk", failingWriter{syscall.ENOSPC}, true, nil)
	if err := s.Run(t.Context()); errors.Is(err, sink.ErrConsumerGone) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("full disk: %v", err)
	}
}

func TestSingleBoundsInterfaces(t *testing.T) {
	s := NewSingle("out", io.Discard, false, nil)
	stop := runSink(s)
	defer stop()
	for i := range maxInterfaces + 10 {
		src := testSource("a", "eth0", 1)
		src.Snaplen = uint32(i)
		f := s.Attach(src)
		f.Frame(packet(testFrames(1, 60)[0], 1))
		if c := f.Counters(); (c.Dropped == 1) != (i >= maxInterfaces) && i >= maxInterfaces {
			t.Fatalf("interface %d: %+v", i, c)
		}
	}
}

// TestSingleReaders: tcpdump and tshark, where they are installed, read the file to its end.
func TestSingleReaders(t *testing.T) {
	out := &syncBuffer{}
	s := NewSingle("out", out, true, nil)
	stop := runSink(s)
	a, b := s.Attach(testSource("a", "eth0", 1)), s.Attach(testSource("b", "eth1", 1))
	for i, f := range testFrames(10, 60) {
		a.Frame(packet(f, uint64(i+1)))
		b.Frame(packet(f, uint64(i+1)))
	}
	a.Detach(sink.Forwarded{Known: true, Received: 10, Captured: 10})
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for _, reader := range [][]string{{"tcpdump", "-n", "-r", "-"}, {"tshark", "-n", "-r", "-"}} {
		path, err := exec.LookPath(reader[0])
		if err != nil {
			t.Logf("%s is not installed", reader[0])
			continue
		}
		cmd := netlab.AsAnybody(exec.Command(path, reader[1:]...))
		cmd.Stdin = bytes.NewReader(out.Bytes())
		text, err := cmd.Output()
		if err != nil {
			t.Errorf("%s: %v", reader[0], err)
		}
		if n := strings.Count(string(text), "\n"); n < 20 {
			t.Errorf("%s shows %d lines of 20 frames", reader[0], n)
		}
	}
}
