package hostile

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rpcapd/rpcap"
	"rpcapd/test/harness"
	"rpcapd/test/ports"
	"rpcapd/udpstr"
)

// running is a rpcap-sensor with its one data port.
type running struct {
	*program
	control, data netip.AddrPort
}

func startSensor(t *testing.T, more ...string) *running {
	t.Helper()
	s := &running{control: freePort(t), data: freePort(t)}
	args := []string{"--listen", s.control.String(), "--udp-port", strconv.Itoa(int(s.data.Port())), "--udp-ports", "1"}
	s.program = start(t, nil, 0, "rpcap-sensor", append(args, more...)...)
	s.Says("waiting for agents", 1)
	return s
}

func freePort(t *testing.T) netip.AddrPort {
	t.Helper()
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(ports.Free(t)))
}

// from dials as a host of the loopback network.
func from(t *testing.T, network string, host int, to netip.AddrPort) net.Conn {
	t.Helper()
	here := fmt.Sprintf("127.0.%d.%d:0", host/250+1, host%250+1)
	d := net.Dialer{}
	var err error
	if network == "tcp" {
		d.LocalAddr, err = net.ResolveTCPAddr(network, here)
	} else {
		d.LocalAddr, err = net.ResolveUDPAddr(network, here)
	}
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.Dial(network, to.String())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ended waits until the sensor has got rid of n sessions.
func (s *running) ended(n int) {
	s.T.Helper()
	done := regexp.MustCompile(`(\d+) sessions ended`)
	for limit := time.Now().Add(patience); ; {
		before := strings.Count(s.Text(), "rpcap-sensor: ")
		s.signal(syscall.SIGUSR1)
		s.Says("rpcap-sensor: ", before+1)
		all := done.FindAllStringSubmatch(s.Text(), -1)
		if k, _ := strconv.Atoi(all[len(all)-1][1]); k >= n {
			return
		} else if time.Now().After(limit) {
			s.T.Fatalf("%d of %d sessions have ended", k, n)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// visits are ways for an agent to come and go at once.
var visits = []struct {
	what string
	do   func(c net.Conn)
}{
	{"hangs up", func(c net.Conn) { readMessage(c) }},
	{"resets", func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }},
	{"resets inside a message", func(c net.Conn) {
		readMessage(c)
		c.Write(message(0, rpcap.TypeFindAllReply, make([]byte, 5000))[:100])
		c.(*net.TCPConn).SetLinger(0)
	}},
	{"sends the header of a message", func(c net.Conn) {
		readMessage(c)
		c.Write(message(0, rpcap.TypeAuthReply, make([]byte, 9))[:8])
	}},
	{"hangs up after AUTH", func(c net.Conn) {
		readMessage(c)
		c.Write(rpcap.AppendEmpty(nil, rpcap.TypeAuthReply))
		readMessage(c)
	}},
}

func readMessage(c net.Conn) (rpcap.Header, []byte) {
	c.SetReadDeadline(time.Now().Add(patience))
	var b [rpcap.HeaderLen]byte
	if _, err := io.ReadFull(c, b[:]); err != nil {
		return rpcap.Header{}, nil
	}
	h, _, _ := rpcap.ParseHeader(b[:])
	payload := make([]byte, h.PayloadLen)
	io.ReadFull(c, payload)
	return h, payload
}

// TestSensorReceivesBadAgentsForEver: they come from one address, and are told of once.
func TestSensorReceivesBadAgentsForEver(t *testing.T) {
	s := startSensor(t)
	n := 0
	s.staysFlat(t, batch, func() {
		for range batch {
			c := from(t, "tcp", 1, s.control)
			visits[n%len(visits)].do(c)
			c.Close()
			n++
		}
		s.ended(n)
	})
	if k := s.lines("WARN", "ERROR"); k < 1 || k > 2*len(visits) {
		t.Errorf("%d warnings for %d agents", k, n)
	}
	s.stop(2 * stopLimit)
}

// TestSensorForgetsAgents: each comes from an address of its own, none comes back.
func TestSensorForgetsAgents(t *testing.T) {
	s := startSensor(t)
	n := 0
	// The sensor keeps the last words of the first thousand, so they come before.
	for range 1100 {
		from(t, "tcp", n, s.control).Close()
		n++
	}
	s.staysFlat(t, batch, func() {
		for range batch {
			from(t, "tcp", n, s.control).Close()
			n++
		}
		s.ended(n)
	})
	s.stop(2 * stopLimit)
}

// TestSensorUnderFlood: datagrams of strangers and nonsense from the agent's own address
// do not touch the agent's stream.
func TestSensorUnderFlood(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out.pcapng")
	s := startSensor(t, "-w", file)
	control := from(t, "tcp", 7, s.control)
	defer control.Close()
	const frames = 2000
	started := make(chan struct{})
	go answer(control, frames, started)
	select {
	case <-started:
	case <-time.After(patience):
		t.Fatal("no capture was started")
	}
	agent, neighbour, stranger := from(t, "udp", 7, s.data), from(t, "udp", 7, s.data), from(t, "udp", 8, s.data)
	defer agent.Close()
	defer neighbour.Close()
	defer stranger.Close()
	packer, err := udpstr.NewPacker(1472, make([]byte, 1<<16))
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	sent := 0
	var packed [][]byte
	next := func() (d []byte) {
		for len(packed) == 0 {
			frame := udpstr.Frame{Data: make([]byte, 60), Len: 60, Sec: 1_700_000_000, Usec: uint32(sent)}
			k, full := packer.Append([]udpstr.Frame{frame})
			sent += k
			if full || sent == frames {
				run, _ := packer.Take()
				for i := range run.Datagrams {
					packed = append(packed, bytes.Clone(run.Datagram(i)))
				}
			}
		}
		d, packed = packed[0], packed[1:]
		return d
	}
	for sent < frames || len(packed) > 0 {
		d := next()
		agent.Write(d)
		for k := range 20 {
			evil := append([]byte(nil), d...)
			switch k % 7 {
			case 0:
				evil[0] = 1 // version
			case 1:
				evil[1] = 7 // type
			case 2:
				evil[2], evil[3] = 0xff, 0xff // index of the first header
			case 3:
				evil[16], evil[17] = 0xff, 0xff // caplen
			case 4:
				evil = evil[:rng.IntN(len(evil))]
			case 5:
				for i := range evil {
					evil[i] = byte(rng.Uint32())
				}
			}
			stranger.Write(evil)
			if k%7 != 6 && k%7 != 2 && k%7 != 3 && k%7 != 4 {
				neighbour.Write(evil) // from the same address, but nothing that could continue the stream
			}
		}
		time.Sleep(time.Millisecond)
	}
	all := fmt.Sprintf("frames %d,", frames)
	for limit := time.Now().Add(patience / 5); !strings.Contains(s.Text(), all) && time.Now().Before(limit); time.Sleep(20 * time.Millisecond) {
		s.signal(syscall.SIGUSR1)
	}
	if k := s.lines("WARN", "ERROR") - strings.Count(s.Text(), "net.core.rmem_max"); k != 0 { // an ordinary user gets a small receive buffer
		t.Errorf("%d warnings", k)
	}
	before := s.Footprint()
	for range 20_000 {
		b := make([]byte, rng.IntN(1500))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		stranger.Write(b)
	}
	if after := s.Footprint(); after.Files > before.Files || after.Resident > before.Resident+slopeLimit && !harness.Race {
		t.Errorf("before a flood %+v, after it %+v", before, after)
	}
	s.stop(2 * stopLimit)
	var got, lost, late, duplicate, malformed, missing, foreign, dropped int
	text := s.Text()
	_, err = fmt.Sscanf(text[strings.LastIndex(text, ", frames ")+2:], "frames %d, lost %d, late %d, duplicate %d, malformed %d, missing %d",
		&got, &lost, &late, &duplicate, &malformed, &missing)
	if err == nil {
		_, err = fmt.Sscanf(text[strings.LastIndex(text, ": foreign ")+2:], "foreign %d, dropped by the kernel %d", &foreign, &dropped)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d frames, %d lost datagrams, %d foreign ones, %d dropped by the kernel", got, lost, foreign, dropped)
	if got+missing != frames || late+duplicate+malformed != 0 || foreign < 1000 || lost > 0 && dropped == 0 {
		t.Errorf("the summary does not add up to %d frames:\n%s", frames, text)
	}
}

// answer is an agent that does as it is told.
func answer(c net.Conn, frames uint32, started chan<- struct{}) {
	for {
		h, _ := readMessage(c)
		reply := rpcap.AppendEmpty(nil, h.Type.Reply())
		switch h.Type {
		case 0:
			return
		case rpcap.TypeFindAllRequest:
			reply = rpcap.NewInterfaceList(rpcap.Interface{Name: "eth0", Flags: rpcap.InterfaceUp}).Append(nil)
		case rpcap.TypeOpenRequest:
			reply = rpcap.OpenReply{LinkType: 1}.Append(nil)
		case rpcap.TypeStartCaptureRequest:
			reply = rpcap.StartCaptureReply{}.Append(nil)
		case rpcap.TypeStatsRequest:
			reply = rpcap.StatsReply{IfRecv: frames, Captured: frames}.Append(nil)
		}
		c.Write(reply)
		if h.Type == rpcap.TypeStartCaptureRequest {
			close(started)
		}
	}
}
