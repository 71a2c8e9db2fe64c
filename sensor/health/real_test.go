package health

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rpcapd/rpcap"
	"rpcapd/sensor"
	"rpcapd/sensor/status"
	"rpcapd/udpstr"
)

// send is an agent that connects, forwards so many frames when it is asked to, and leaves without a word when they have arrived.
func send(sen *sensor.Sensor, frames int) error {
	to := sen.Addrs()[0]
	conn, err := net.Dial("tcp", to.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	c := rpcap.NewConn(conn, rpcap.MaxRequestPayload)
	for {
		h, payload, err := c.ReadMessage(time.Now().Add(40 * time.Second))
		if err != nil {
			return err
		}
		reply := rpcap.AppendEmpty(nil, h.Type.Reply())
		switch h.Type {
		case rpcap.TypeFindAllRequest:
			reply = rpcap.NewInterfaceList(rpcap.Interface{Name: "eth0", Flags: rpcap.InterfaceUp}).Append(nil)
		case rpcap.TypeOpenRequest:
			reply = rpcap.OpenReply{LinkType: 1}.Append(nil)
		case rpcap.TypeStatsRequest:
			reply = rpcap.StatsReply{}.Append(nil)
		case rpcap.TypeStartCaptureRequest:
			start, _, err := rpcap.ParseStartCaptureRequest(payload)
			if err != nil {
				return err
			}
			if _, err := conn.Write(rpcap.StartCaptureReply{}.Append(nil)); err != nil {
				return err
			}
			return forward(sen, fmt.Sprintf("%s:%d", to.Addr(), start.DataPort), frames)
		}
		if _, err := conn.Write(reply); err != nil {
			return err
		}
	}
}

// forward sends frames, one in each datagram.
func forward(sen *sensor.Sensor, to string, frames int) error {
	data, err := net.Dial("udp", to)
	if err != nil {
		return err
	}
	defer data.Close()
	p, err := udpstr.NewPacker(1472, make([]byte, 1<<16))
	if err != nil {
		return err
	}
	for range frames {
		p.Append([]udpstr.Frame{{Data: make([]byte, 60), Len: 60}})
		r, _ := p.Take()
		if _, err := data.Write(r.Bytes); err != nil {
			return err
		}
	}
	// This agent knows no numbers that the sensor could wait for.
	here := data.LocalAddr().(*net.UDPAddr).AddrPort()
	arrived := func(p status.Peer) bool {
		return p.State == status.StateRunning && p.DataSource == here && p.Received.Frames >= uint64(frames)
	}
	for end := time.Now().Add(40 * time.Second); !slices.ContainsFunc(sen.Peers(), arrived); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("%d frames from %v have not arrived: %+v", frames, here, sen.Peers())
		}
	}
	return nil
}

// TestNeverBackwards: agents come and go, and whoever looks at any moment sees counters that only grow, and in the end
// exactly what was sent.
func TestNeverBackwards(t *testing.T) {
	t.Parallel()
	const agents, rounds, perRound = 8, 3, 50
	sen, err := sensor.New(sensor.Options{Rules: []sensor.Rule{{Name: "all"}}, Listen: netip.MustParseAddr("127.0.0.1"), Data: sensor.DataPorts{Count: agents}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running, senders sync.WaitGroup
	running.Go(func() {
		if err := sen.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	defer running.Wait()
	defer cancel()
	<-sen.Ready()

	tr := newTracker(sen, "", time.Now())
	over := make(chan struct{})
	var looks atomic.Int64
	running.Go(func() {
		before := make(map[string]counters)
		var all counters
		for ; ; looks.Add(1) {
			tr.mu.Lock()
			tr.update(time.Now())
			v := tr.view
			tr.mu.Unlock()
			for i := range v.peers {
				p := &v.peers[i]
				for k, n := range p.counters {
					if n < before[p.Name][k] {
						t.Errorf("counter %d of %s falls from %d to %d", k, p.Name, before[p.Name][k], n)
					}
				}
				before[p.Name] = p.counters
			}
			for k, n := range v.status.counters {
				if n < all[k] {
					t.Errorf("counter %d of all falls from %d to %d", k, all[k], n)
				}
			}
			all = v.status.counters
			select {
			case <-over:
				return
			case <-time.After(50 * time.Microsecond):
			}
		}
	})
	for range agents {
		senders.Go(func() {
			for range rounds {
				if err := send(sen, perRound); err != nil {
					t.Error(err)
				}
			}
		})
	}
	senders.Wait()
	const sent = agents * rounds * perRound
	for end := time.Now().Add(40 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c := sen.Counters(); c.Ended == agents*rounds || time.Now().After(end) {
			break
		}
	}
	close(over)
	v := tr.look(time.Now().Add(2 * lookAgain))
	byPeer := uint64(0)
	for _, p := range v.peers {
		byPeer += p.Received.Frames
	}
	if v.status.Received.Frames != sent || byPeer != sent || looks.Load() < 100 {
		t.Errorf("%d frames in all, %d by peer, %d were sent; looked %d times", v.status.Received.Frames, byPeer, sent, looks.Load())
	}
}
