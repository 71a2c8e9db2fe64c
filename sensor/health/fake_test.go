package health

import (
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"rpcapd/sensor"
	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
)

var _ Source = (*sensor.Sensor)(nil)

// fakeSensor says what a test wants. Only faults that a real sensor cannot be made to show on demand are tested with it.
type fakeSensor struct {
	mu       sync.Mutex
	peers    []status.Peer
	then     []status.Peer // what the second and further questions get, if not nil
	ports    []status.Port
	sinks    []sink.Status
	counters status.Counters
	ready    chan struct{}
}

func newFake() *fakeSensor {
	f := &fakeSensor{ready: make(chan struct{})}
	close(f.ready)
	return f
}

func (f *fakeSensor) Peers() []status.Peer {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := slices.Clone(f.peers)
	if f.then != nil {
		f.peers = f.then
	}
	return out
}

func (f *fakeSensor) Ports() []status.Port      { return f.ports }
func (f *fakeSensor) Sinks() []sink.Status      { return f.sinks }
func (f *fakeSensor) Counters() status.Counters { return f.counters }
func (f *fakeSensor) Ready() <-chan struct{}    { return f.ready }

// set changes what is said while a server may be asking.
func (f *fakeSensor) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// running is a session that has delivered so many frames.
func running(name string, frames uint64, since time.Time) status.Peer {
	return status.Peer{
		Name: name + "/eth0", Interface: "eth0", Address: netip.MustParseAddrPort("10.0.0.5:40000"), Rule: "default",
		DataPort: 2003, Format: "udpstr", LinkType: 1, Snaplen: 262144, State: status.StateRunning, Since: since, Sessions: 1,
		Forwarded: sink.Forwarded{Known: true, Received: frames, Captured: frames},
		Received:  status.Received{Datagrams: frames / 4, Bytes: frames * 80, Frames: frames, FrameBytes: frames * 64, InOrder: frames / 4},
	}
}

// ended is the sum of captures that have ended.
func ended(p status.Peer, sessions int) status.Peer {
	p.State, p.Sessions = status.StateEnded, sessions
	return p
}

// rack is a sensor with some faults, and an hour of history behind it.
type rack struct {
	*fakeSensor
	byName map[string]*status.Peer
}

// grow makes an agent forward and lose so much.
func (r *rack) grow(name string, captured, missing, ring uint64) {
	p := r.byName[name]
	p.Forwarded.Known = true
	p.Forwarded.Received += captured + ring
	p.Forwarded.Captured += captured
	p.Forwarded.KernelDropped += ring
	p.Received.Frames += captured - missing
	p.Received.FrameBytes += (captured - missing) * 420
	p.Received.Datagrams += (captured - missing) / 3
	p.Received.InOrder += (captured - missing) / 3
	p.Received.Bytes += (captured - missing) * 430
	p.Received.Missing += missing
	p.Received.Lost += missing / 3
	p.BySink = map[string]sink.Counters{"/var/lib/rpcap-sensor/all.pcapng": {Written: p.Received.Frames, Bytes: p.Received.FrameBytes}}
	p.Sinks = sink.Counters{Written: p.Received.Frames, Bytes: p.Received.FrameBytes}
}

func (r *rack) publish() {
	r.set(func() {
		r.peers = nil
		for _, name := range slices.Sorted(maps.Keys(r.byName)) {
			r.peers = append(r.peers, *r.byName[name])
		}
	})
}

// newRack tells the tracker of an hour that has passed.
func newRack(tr *tracker, f *fakeSensor, agents int) *rack {
	now := time.Now()
	r := &rack{fakeSensor: f, byName: make(map[string]*status.Peer)}
	for i := range agents {
		name := fmt.Sprintf("web%d", i+1)
		p := running(name, 0, now.Add(-time.Hour))
		p.Forwarded.Known = false
		p.DataPort = uint16(2003 + i%8)
		p.Address = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 10, byte(i >> 8), byte(i + 21)}), uint16(40000+i))
		p.DataSource = netip.AddrPortFrom(p.Address.Addr(), uint16(50000+i))
		p.ClockKnown, p.ClockOffset = true, time.Duration(i*3-7)*time.Millisecond
		r.byName[name] = &p
	}
	f.sinks = []sink.Status{{Name: "/var/lib/rpcap-sensor/all.pcapng", Kind: "file", State: sink.Running, Streams: agents}}
	f.counters = status.Counters{Accepted: uint64(agents + 3), Refused: 2, Unwanted: 2, Ended: 1}
	f.ports = nil
	for p := range uint16(min(agents, 8)) {
		f.ports = append(f.ports, status.Port{Port: 2003 + p, Streams: (agents + 7 - int(p)) / 8})
	}
	tr.started, tr.newestAt = now.Add(-time.Hour), now.Add(-time.Hour)
	for step := range historyPoints {
		at := now.Add(time.Duration(step-historyPoints+1) * stepTime)
		for i := range agents {
			wave := 1 + 0.25*math.Sin(float64(step)/(40+7*float64(i%9))+float64(i)) + 0.06*math.Sin(float64(step*(3+i%4)))
			rate := 400 * float64(agents-i%40) * wave
			if agents > 50 {
				rate = 60 * wave
			}
			r.grow(fmt.Sprintf("web%d", i+1), uint64(rate*stepTime.Seconds()), 0, 0)
		}
		if step > historyPoints-60 && agents >= 6 {
			r.grow("web2", 0, 0, 1500+uint64(step%7)*200)
			r.grow("web4", 4000, 900, 0)
		}
		r.publish()
		tr.step(at)
	}
	return r
}

// serveFake runs a server before a fake sensor until the test ends.
func serveFake(t *testing.T, f *fakeSensor, change func(*Options)) *Server {
	t.Helper()
	o := Options{Source: f, Listen: netip.MustParseAddrPort("127.0.0.1:0"), Version: "1.0-test"}
	if change != nil {
		change(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}
