package agent

import (
	"bytes"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"rpcapd/config"
	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

func name(o *Supervisor) string { return filepath.Base(o.opts.ReadFile) }

func checkFrames(t *testing.T, got []udpstr.Packet, n int) {
	t.Helper()
	if len(got) != n {
		t.Fatalf("%d frames, want %d", len(got), n)
	}
	for i, p := range got {
		if p.Number != uint64(i+1) || !bytes.Equal(p.Data, testFrame(i)) || int(p.Len) != len(testFrame(i)) {
			t.Fatalf("frame %d: number %d, %d bytes of %d: not what was captured", i, p.Number, len(p.Data), p.Len)
		}
	}
}

func TestForwardsOverUDPStr(t *testing.T) {
	const n = 700 // what an ordinary receive buffer holds: a file is sent as fast as it is read
	s, l := fileAgent(t, n, nil)
	p := accept(t, l)
	p.authenticate()
	p.open(name(s))
	data := openDataPort(t)
	p.startCapture(data.port(), rpcap.FlagDatagram|rpcap.FlagPromiscuous, rpcap.AcceptAll())
	checkFrames(t, data.frames(n), n)
	p.endCapture()
	if st := p.stats(); st.IfRecv != n || st.Captured != n || st.KernelDrop != 0 {
		t.Errorf("final numbers %+v, want %d received and captured", st, n)
	}
	var bytes uint64
	for i := range n {
		bytes += uint64(len(testFrame(i)))
	}
	if got := s.Status().Sessions[0].Total; got.CapturedBytes != bytes || got.Packed != n || got.Captured != n {
		t.Errorf("status %+v, want %d bytes in %d frames", got, bytes, n)
	}
}

func TestForwardsOverTCP(t *testing.T) {
	const n = 3000
	s, l := fileAgent(t, n, nil)
	p := accept(t, l)
	p.authenticate()
	p.open(name(s))
	data := sensorPort(t)
	p.startCapture(uint16(data.Addr().(*net.TCPAddr).Port), rpcap.FlagServerOpen, rpcap.AcceptAll())
	data.SetDeadline(time.Now().Add(waitLimit))
	c, err := data.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetReadDeadline(time.Now().Add(waitLimit))
	for i := range n {
		var h [rpcap.PacketHeaderLen]byte
		if _, err := io.ReadFull(c, h[:]); err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
		m, _, err := rpcap.ParsePacketHeader(h[:])
		if err != nil || m.Number != uint32(i+1) {
			t.Fatalf("packet %d: %+v, %v", i, m, err)
		}
		frame := make([]byte, m.Caplen)
		if _, err := io.ReadFull(c, frame); err != nil || !bytes.Equal(frame, testFrame(i)) {
			t.Fatalf("packet %d is not what was captured (%v)", i, err)
		}
	}
	p.endCapture()
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("after ENDCAP the data connection gives %v, want it closed", err)
	}
}

func TestForwardsPlainOverUDP(t *testing.T) {
	const n = 150
	s, l := fileAgent(t, n, func(o *Options) { o.Config.Datagram = config.Datagram{Plain: true} })
	p := accept(t, l)
	p.authenticate()
	p.open(name(s))
	data := openDataPort(t)
	p.startCapture(data.port(), rpcap.FlagDatagram, rpcap.AcceptAll())
	buf := make([]byte, 65536)
	for i := range n {
		data.conn.SetReadDeadline(time.Now().Add(waitLimit))
		k, err := data.conn.Read(buf)
		if err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
		m, frame, _, err := rpcap.ParsePacket(buf[:k])
		if err != nil || m.Number != uint32(i+1) || !bytes.Equal(frame, testFrame(i)) {
			t.Fatalf("packet %d: %+v, %v", i, m, err)
		}
	}
	p.endCapture()
}

// TestSecondCaptureStartsAnew: ENDCAP and a new STARTCAP on the same connection are
// normal; numbering and statistics begin again, and so does the source port.
func TestSecondCaptureStartsAnew(t *testing.T) {
	const n = 100
	s, l := fileAgent(t, n, nil)
	p := accept(t, l)
	p.authenticate()
	p.open(name(s))
	for range 3 {
		data := openDataPort(t)
		p.startCapture(data.port(), rpcap.FlagDatagram, rpcap.AcceptAll())
		checkFrames(t, data.frames(n), n)
		p.endCapture()
		if st := p.stats(); st.Captured != n {
			t.Errorf("statistics %+v, want those of this capture alone", st)
		}
	}
}

func TestFilterAndSnaplenHold(t *testing.T) {
	const n = 400
	s, l := fileAgent(t, n, func(o *Options) { o.Config.MaxSnaplen = 60 })
	p := accept(t, l)
	p.authenticate()
	p.open(name(s))
	data := openDataPort(t)
	// ld [14]; jset 1, drop; ret 262144: the frames with an even number
	p.startCapture(data.port(), rpcap.FlagDatagram, rpcap.Program{{Op: 0x20, K: 14}, {Op: 0x45, Jt: 1, K: 1}, {Op: 6, K: 262144}, {Op: 6}})
	for i, f := range data.frames(n / 2) {
		want := testFrame(2 * i)
		if int(f.Len) != len(want) || !bytes.Equal(f.Data, want[:min(len(want), 60)]) {
			t.Fatalf("frame %d: %d of %d bytes, want the first 60 of %d", i, len(f.Data), f.Len, len(want))
		}
	}
	p.endCapture()
	if st := p.stats(); st.IfRecv != n/2 || st.Captured != n/2 {
		t.Errorf("%+v: only what the filter accepted counts", st)
	}
}

func TestSamplingIsObeyedFromTheNextCapture(t *testing.T) {
	const n = 700
	for _, ignore := range []bool{false, true} {
		s, l := fileAgent(t, n, func(o *Options) { o.Config.IgnoreSampling = ignore })
		p := accept(t, l)
		p.authenticate()
		p.send(rpcap.SamplingRequest{Method: rpcap.SamplingOneInN, Value: 10}.Append(nil))
		p.want(rpcap.TypeSamplingReply)
		p.open(name(s))
		data := openDataPort(t)
		p.startCapture(data.port(), rpcap.FlagDatagram, rpcap.AcceptAll())
		if ignore {
			checkFrames(t, data.frames(n), n)
			p.endCapture()
			continue
		}
		for i, f := range data.frames(n / 10) {
			if !bytes.Equal(f.Data, testFrame(10*i)) || f.Number != uint64(i+1) {
				t.Fatalf("frame %d is not the first of its ten, or numbered %d", i, f.Number)
			}
		}
		p.endCapture()
		if st := p.stats(); st.IfRecv != n || st.Captured != n/10 {
			t.Errorf("%+v, want %d received and %d captured", st, n, n/10)
		}
	}
}

func TestDryRunCountsAndSendsNothing(t *testing.T) {
	const n = 100
	s, l := fileAgent(t, n, func(o *Options) { o.DryRun = true })
	p := accept(t, l)
	p.authenticate()
	p.open(name(s))
	data := openDataPort(t)
	p.startCapture(data.port(), rpcap.FlagDatagram, rpcap.AcceptAll())
	waitFor(t, "the file is counted as if sent", func() bool { return p.stats().Captured == n })
	p.endCapture()
	data.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if k, err := data.conn.Read(make([]byte, 2000)); err == nil {
		t.Errorf("%d bytes were sent", k)
	}
}
