package agent

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket/pcapgo"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"rpcapd/config"
	"rpcapd/iface"
	"rpcapd/rpcap"
	"rpcapd/test/netlab"
	"rpcapd/udpstr"
)

// captureLink makes the link of the recordings in the namespace of this process:
// frames sent on gen0 are captured on cap0.
func captureLink(t *testing.T) (inject func([]byte)) {
	t.Helper()
	netlab.Require(t)
	veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "cap0", MTU: 9000}, PeerName: "gen0"}
	if err := netlink.LinkAdd(veth); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { netlink.LinkDel(veth) })
	var gen netlink.Link
	for _, name := range []string{"cap0", "gen0"} {
		os.WriteFile("/proc/sys/net/ipv6/conf/"+name+"/disable_ipv6", []byte("1"), 0o644) // no chatter of the kernel's own
		l, err := netlink.LinkByName(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := netlink.LinkSetMTU(l, 9000); err != nil {
			t.Fatal(err)
		}
		if err := netlink.LinkSetUp(l); err != nil {
			t.Fatal(err)
		}
		gen = l
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	to := &unix.SockaddrLinklayer{Ifindex: gen.Attrs().Index}
	return func(frame []byte) {
		if err := unix.Sendto(fd, frame, 0, to); err != nil {
			t.Fatalf("inject %d bytes: %v", len(frame), err)
		}
	}
}

// messages splits a recorded control stream.
func messages(t *testing.T, name string) [][]byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(vectors, name))
	if err != nil {
		t.Fatal(err)
	}
	var list [][]byte
	for len(b) > 0 {
		h, _, err := rpcap.ParseHeader(b)
		if err != nil || len(b) < rpcap.HeaderLen+int(h.PayloadLen) {
			t.Fatalf("%s: %v, %d bytes left", name, err, len(b))
		}
		n := rpcap.HeaderLen + int(h.PayloadLen)
		list, b = append(list, b[:n]), b[n:]
	}
	return list
}

// injected returns the frames of a recording that its filter lets pass: those below
// 60 bytes by their EtherType, the others by their UDP port.
func injected(t *testing.T, name string) [][]byte {
	t.Helper()
	f, err := os.Open(filepath.Join(vectors, name+".injected.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pcapgo.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var list [][]byte
	for {
		data, _, err := r.ReadPacketData()
		if err != nil {
			return list
		}
		list = append(list, data)
	}
}

// TestRootRecordedSensor plays what a sensor asked the real agents: ours answers with
// the same types in the same order, with the same payload where that does not depend
// on the host, and forwards the frames that were injected then.
func TestRootRecordedSensor(t *testing.T) {
	names, err := filepath.Glob(filepath.Join(vectors, "*.session.json"))
	if err != nil || len(names) < 10 {
		t.Fatalf("%d recordings, %v", len(names), err)
	}
	for _, path := range names {
		name := strings.TrimSuffix(filepath.Base(path), ".session.json")
		t.Run(name, func(t *testing.T) { replaySensor(t, name) })
	}
}

func replaySensor(t *testing.T, name string) {
	inject := captureLink(t)
	l := sensorPort(t)
	o := Options{}
	o.Config.NullAuth = true
	o.Config.IgnoreSampling = true // as the recorded agents did
	o.Config.Targets = []config.Target{target(l)}
	if strings.HasPrefix(name, "eh-") && name != "eh-nopreselect" {
		o.Config.Targets[0].Select = iface.Selector{Name: "cap0"}
	}
	o.Config.Datagram = recordedFormat(name)
	runAgent(t, o)
	p := accept(t, l)

	replies := messages(t, name+".ctrl.agent-to-sensor.bin")
	frames := injected(t, name)
	captures := 0
	var end func() []udpstr.Packet
	for _, request := range messages(t, name+".ctrl.sensor-to-agent.bin") {
		h, _, _ := rpcap.ParseHeader(request)
		if h.Type == rpcap.TypeClose {
			p.send(request)
			p.wantClosed()
			break
		}
		if h.Type == rpcap.TypeStartCaptureRequest {
			request, end = receiveData(t, request, o.Config.Datagram.Plain)
		}
		p.send(request)
		got, payload := p.receive()
		want, _, _ := rpcap.ParseHeader(replies[0])
		wantPayload := replies[0][rpcap.HeaderLen:]
		replies = replies[1:]
		if got.Type != want.Type || got.Version != want.Version {
			t.Fatalf("%s is answered by %s (%q), the recorded agent sent %s", h.Type, got.Type, payload, want.Type)
		}
		if !dependsOnHost(name, got.Type) && !bytes.Equal(payload, wantPayload) {
			t.Errorf("%s: payload % x, recorded % x", got.Type, payload, wantPayload)
		}
		switch got.Type {
		case rpcap.TypeStartCaptureReply:
			captures++
			if captures == 1 {
				for _, f := range frames {
					inject(f)
				}
			}
		case rpcap.TypeUpdateFilterReply: // from now on only the short ones pass
			for _, f := range frames {
				inject(f)
			}
		case rpcap.TypeEndCaptureReply:
			if captures == 1 {
				checkInjected(t, end(), frames)
			}
		}
	}
	if len(replies) != 0 {
		t.Errorf("%d recorded replies have no counterpart", len(replies))
	}
}

// recordedFormat is the -t of a recording.
func recordedFormat(name string) config.Datagram {
	switch {
	case strings.HasPrefix(name, "up-"), strings.Contains(name, "mtu0"):
		return config.Datagram{Plain: true}
	case strings.Contains(name, "mtu512"):
		return config.Datagram{Size: 512}
	case strings.Contains(name, "mtu8972"):
		return config.Datagram{Size: 8972}
	}
	return config.Datagram{Size: 1472}
}

// dependsOnHost: interfaces and counters do; what libpcap's agent says of its byte
// order and of its library's buffer is the other kind of agent.
func dependsOnHost(name string, typ rpcap.Type) bool {
	switch typ {
	case rpcap.TypeFindAllReply, rpcap.TypeStatsReply:
		return true
	case rpcap.TypeAuthReply, rpcap.TypeStartCaptureReply:
		return strings.HasPrefix(name, "up-")
	}
	return false
}

// receiveData opens the sensor's end of the data connection that a STARTCAP asks for
// and returns the request with its port, and a function that returns what came once
// the capture has ended.
func receiveData(t *testing.T, request []byte, plain bool) ([]byte, func() []udpstr.Packet) {
	t.Helper()
	flags := binary.BigEndian.Uint16(request[rpcap.HeaderLen+8:])
	request = bytes.Clone(request)
	var got []udpstr.Packet
	keep := func(p *udpstr.Packet) {
		c := *p
		c.Data = bytes.Clone(p.Data)
		got = append(got, c)
	}
	done, ending := make(chan struct{}), make(chan struct{})
	var port uint16
	if flags&uint16(rpcap.FlagDatagram) == 0 {
		l := sensorPort(t)
		port = uint16(l.Addr().(*net.TCPAddr).Port)
		go func() {
			defer close(done)
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			readPackets(c, keep)
		}()
	} else {
		d := openDataPort(t)
		d.conn.SetReadBuffer(4 << 20)
		port = d.port()
		go func() {
			defer close(done)
			readDatagrams(d.conn, plain, ending, keep)
		}()
	}
	binary.BigEndian.PutUint16(request[rpcap.HeaderLen+10:], port)
	return request, func() []udpstr.Packet { close(ending); <-done; return got }
}

func readPackets(c net.Conn, keep func(*udpstr.Packet)) {
	w := rpcap.NewConn(c, rpcap.MaxReplyAccepted)
	for {
		h, payload, err := w.ReadMessage(time.Now().Add(waitLimit))
		if err != nil {
			return
		}
		if m, data, _, err := rpcap.ParsePacket(append(h.Append(nil), payload...)); err == nil {
			keep(&udpstr.Packet{Frame: udpstr.Frame{Data: data, Len: m.Len}, Number: uint64(m.Number)})
		}
	}
}

// readDatagrams ends when nothing has come for half a second since ending was closed.
func readDatagrams(c *net.UDPConn, plain bool, ending <-chan struct{}, keep func(*udpstr.Packet)) {
	r := udpstr.NewReassembler(udpstr.ReassemblerConfig{}, keep)
	buf := make([]byte, 65536)
	for {
		over := false
		select {
		case <-ending:
			over = true
		default:
		}
		c.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		n, err := c.Read(buf)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && !over:
		case err != nil:
			return
		case !plain:
			r.Datagram(buf[:n], time.Now())
		default:
			if m, data, _, err := rpcap.ParsePacket(buf[:n]); err == nil {
				keep(&udpstr.Packet{Frame: udpstr.Frame{Data: data, Len: m.Len}, Number: uint64(m.Number)})
			}
		}
	}
}

// checkInjected: all frames came once, and those below 60 bytes (or not of the first
// filter's) once more after UPDATEFILTER, if there was one.
func checkInjected(t *testing.T, got []udpstr.Packet, frames [][]byte) {
	t.Helper()
	if len(got) < len(frames) {
		t.Fatalf("%d frames forwarded of %d", len(got), len(frames))
	}
	for i, f := range frames {
		if !bytes.Equal(got[i].Data, f) || got[i].Number != uint64(i+1) {
			t.Fatalf("frame %d: %d bytes, number %d; injected were %d bytes", i, len(got[i].Data), got[i].Number, len(f))
		}
	}
	for _, p := range got[len(frames):] {
		if len(p.Data) >= 60 {
			t.Fatalf("a frame of %d bytes passed the second filter", len(p.Data))
		}
	}
}
