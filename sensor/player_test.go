package sensor

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rpcapd/rpcap"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
	"rpcapd/test/wait"
)

const vectors = "../test/testdata/vectors/"

// recording is a session of one of the two C agents.
type recording struct {
	name     string
	replies  map[rpcap.Type][][]byte // in the order they were sent
	captures []recordedCapture
	injected [][]byte
}

type recordedCapture struct {
	Label   string
	Packets []struct {
		Npkt, Caplen, Len, Sec, Usec uint32
		Injected                     int
	}
	datagrams [][]byte
	tcp       []byte
}

func loadRecording(t *testing.T, name string) *recording {
	t.Helper()
	r := &recording{name: name, replies: make(map[rpcap.Type][][]byte)}
	var meta struct{ Captures []recordedCapture }
	if err := json.Unmarshal(readVector(t, name+".session.json"), &meta); err != nil {
		t.Fatal(err)
	}
	r.captures = meta.Captures
	stream := readVector(t, name+".ctrl.agent-to-sensor.bin")
	for len(stream) > 0 {
		h, _, err := rpcap.ParseHeader(stream)
		if err != nil {
			t.Fatal(err)
		}
		n := rpcap.HeaderLen + int(h.PayloadLen)
		r.replies[h.Type] = append(r.replies[h.Type], stream[:n])
		stream = stream[n:]
	}
	for i := range r.captures {
		c := &r.captures[i]
		base := fmt.Sprintf("%s.capture%d.", name, i+1)
		if _, err := os.Stat(vectors + base + "tcpdata.bin"); err == nil {
			c.tcp = readVector(t, base+"tcpdata.bin")
			continue
		}
		var list []struct{ Hex string }
		if err := json.Unmarshal(readVector(t, base+"datagrams.json"), &list); err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			b, err := hex.DecodeString(d.Hex)
			if err != nil {
				t.Fatal(err)
			}
			c.datagrams = append(c.datagrams, b)
		}
	}
	r.injected = readPcap(t, vectors+name+".injected.pcap")
	return r
}

func readVector(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(vectors + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// play is an agent that answers each request with the next recorded reply of that type, the last one again when they
// are used up, and sends the data of one capture to the port of STARTCAP once that has been answered.
func (r *recording) play(t *testing.T, sensorAddr netip.AddrPort, capture *recordedCapture) (stop func()) {
	t.Helper()
	conn, err := net.Dial("tcp", sensorAddr.String())
	if err != nil {
		t.Fatal(err)
	}
	next := make(map[rpcap.Type]int)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer conn.Close()
		c := rpcap.NewConn(conn, rpcap.MaxRequestPayload)
		for {
			h, payload, err := c.ReadMessage(time.Time{})
			if err != nil {
				return
			}
			replies := r.replies[h.Type.Reply()]
			if len(replies) == 0 {
				if h.Type != rpcap.TypeStatsRequest && h.Type != rpcap.TypeError {
					t.Errorf("sensor sent %v, to which no reply was recorded", h.Type)
				}
				continue // as silent as the recording
			}
			if h.Type == rpcap.TypeEndCaptureRequest || h.Type == rpcap.TypeStatsRequest {
				replies = replies[len(replies)-1:]
			}
			i := min(next[h.Type], len(replies)-1)
			next[h.Type]++
			if h.Type != rpcap.TypeStartCaptureRequest {
				if _, err := conn.Write(replies[i]); err != nil {
					return
				}
				continue
			}
			req, _, err := rpcap.ParseStartCaptureRequest(payload)
			if err != nil {
				t.Errorf("sensor sent a bad STARTCAP_REQ: %v", err)
				return
			}
			closeData := capture.send(t, req, sensorAddr.Addr(), func() error { _, err := conn.Write(replies[i]); return err })
			defer closeData()
		}
	}()
	return func() {
		_ = conn.Close()
		<-done
	}
}

// send opens the data connection, then replies, then sends the recorded data, in the agents' order.
func (c *recordedCapture) send(t *testing.T, req rpcap.StartCaptureRequest, to netip.Addr, reply func() error) (closeData func()) {
	network, payloads := "udp", c.datagrams
	if req.Flags&rpcap.FlagDatagram == 0 {
		network, payloads = "tcp", [][]byte{c.tcp}
	}
	data, err := net.Dial(network, netip.AddrPortFrom(to, req.DataPort).String())
	if err != nil {
		t.Errorf("open data connection: %v", err)
		return func() {}
	}
	if err := reply(); err != nil {
		t.Errorf("reply to STARTCAP: %v", err)
	}
	for _, b := range payloads {
		if _, err := data.Write(b); err != nil {
			t.Errorf("send data: %v", err)
			break
		}
	}
	return func() { _ = data.Close() }
}

// TestPlayRecordedAgents replays what ExtraHop's and libpcap's agents sent: the frames come out as they were recorded.
func TestPlayRecordedAgents(t *testing.T) {
	files, err := filepath.Glob(vectors + "*.session.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings in %s (%v)", vectors, err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".session.json")
		if name == "eh-mtu1472-tcp" {
			continue // TestUnframedUDPStrOverTCP
		}
		r := loadRecording(t, name)
		for i := range r.captures {
			t.Run(fmt.Sprintf("%s/capture%d", name, i+1), func(t *testing.T) { playOne(t, r, &r.captures[i]) })
		}
	}
}

func playOne(t *testing.T, r *recording, c *recordedCapture) {
	capRule := rule.Rule{Name: "cap", Interfaces: []string{"cap0"}, TCP: c.tcp != nil}
	out := &syncBuffer{}
	s := startSensor(t, Options{Rules: []rule.Rule{capRule}, Sinks: []sink.Sink{newCaptureFile("buffer", out)}})
	stop := r.play(t, s.addr(), c)
	defer stop()
	wait.Until(t, "all frames have arrived", func() bool {
		return s.frames() >= uint64(len(c.Packets))
	})
	s.stop(t)
	frames := readPcapng(t, out.Bytes())
	if len(frames) != len(c.Packets) {
		t.Fatalf("%d frames in the file, recorded %d", len(frames), len(c.Packets))
	}
	for i, want := range c.Packets {
		got := frames[i]
		if got.name != "127.0.0.1/cap0" || got.linkType != 1 {
			t.Fatalf("frame %d is from %q, link type %d", i, got.name, got.linkType)
		}
		stamp := time.Unix(int64(want.Sec), int64(want.Usec)*1000)
		if !got.time.Equal(stamp) || got.length != int(want.Len) {
			t.Errorf("frame %d: time %v, length %d; recorded %v, %d", i, got.time, got.length, stamp, want.Len)
		}
		if injected := r.injected[want.Injected][:want.Caplen]; string(got.data) != string(injected) {
			t.Errorf("frame %d: its %d bytes are not those injected", i, len(got.data))
		}
	}
	p := s.Peers()[0]
	if p.Received.Lost+p.Received.Late+p.Received.Duplicate+p.Received.Malformed != 0 {
		t.Errorf("counters of an undisturbed stream: %+v", p.Received)
	}
}

// TestUnframedUDPStrOverTCP: ExtraHop's agent with its default options sends udpstr blocks without framing over TCP.
// That is refused with a clear reason, and the connection is not closed at once.
func TestUnframedUDPStrOverTCP(t *testing.T) {
	r := loadRecording(t, "eh-mtu1472-tcp")
	r.replies[rpcap.TypeStatsRequest.Reply()] = [][]byte{rpcap.StatsReply{}.Append(nil)}
	s := startSensor(t, Options{Rules: []rule.Rule{{Name: "tcp", TCP: true}}})
	stop := r.play(t, s.addr(), &r.captures[0])
	defer stop()
	wait.Until(t, "the session is held with the reason", func() bool {
		p := s.Peers()
		return len(p) > 0 && p[0].State == status.StateHeld && strings.Contains(p[0].Reason, "-t 0")
	})
	s.stop(t)
}

// runningSensor is a sensor on the loopback address with ports of the system's choice.
type runningSensor struct {
	*Sensor
	cancel context.CancelFunc
	result chan error
}

func startSensor(t *testing.T, o Options) *runningSensor {
	t.Helper()
	if !o.Listen.IsValid() {
		o.Listen = netip.MustParseAddr("127.0.0.1")
	}
	if o.Data.Count == 0 {
		o.Data.Count = 4
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &runningSensor{Sensor: s, cancel: cancel, result: make(chan error, 1)}
	go func() { r.result <- s.Run(ctx) }()
	select {
	case <-s.Ready():
	case err := <-r.result:
		select {
		case <-s.Ready():
			r.result <- err // it was ready, and has ended since
		default:
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		cancel()
		if r.result != nil {
			<-r.result
		}
	})
	return r
}

func (r *runningSensor) addr() netip.AddrPort { return r.Addrs()[0] }

func (r *runningSensor) stop(t *testing.T) {
	t.Helper()
	r.cancel()
	select {
	case err := <-r.result:
		r.result = nil
		if err != nil {
			t.Fatalf("sensor ended: %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("sensor does not stop")
	}
}

// frames is the number delivered by all streams so far.
func (r *runningSensor) frames() (n uint64) {
	for _, p := range r.Peers() {
		n += p.Received.Frames
	}
	return n
}
