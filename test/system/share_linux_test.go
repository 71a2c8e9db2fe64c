package system

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rpcapd/test/netlab"
)

// TestRootFanoutShare has many flows of ordinary sockets, UDP both ways, captured by two
// sessions, and cuts the connection of one of them: its flows come by the other one, and
// when it is back by both. No frame comes twice, and each flow stays in order.
func TestRootFanoutShare(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	sen := startSensor(t, s.sensor)
	a := startAgent(t, s.host, "ActiveClient = "+sensorV4+", 2003, ifname=eth0, fanout=2")
	a.capturing(2)
	sen.forwarding(2)
	talk := startTalk(t, s.client, s.host)
	talk.phase(t, 400*time.Millisecond)

	// The first of the two control connections ends; the agent dials again after a second.
	cut := false
	sockets(t, sen.Running, unix.SOCK_STREAM, func(fd int) error {
		if cut {
			return nil
		}
		err := unix.Shutdown(fd, unix.SHUT_RDWR)
		cut = err == nil // the listener is not connected
		if errors.Is(err, unix.ENOTCONN) {
			err = nil
		}
		return err
	})
	if !cut {
		t.Fatal("the sensor has no connection to cut")
	}
	a.Says("session failed", 1)
	time.Sleep(50 * time.Millisecond)
	lost := talk.phase(t, 300*time.Millisecond)
	early := strings.Count(a.Text(), "sensor authenticated") > 2 // half a second may be short on a busy machine
	a.capturing(3)
	sen.forwarding(3)
	time.Sleep(300 * time.Millisecond)
	back := talk.phase(t, 400*time.Millisecond)
	talk.end(t)
	for _, p := range sen.end() {
		if p.lost != 0 {
			t.Errorf("%+v", p)
		}
	}

	// In the order of their time stamps, whatever the session: the file has them by session.
	frames := readFrames(t, sen.file)
	slices.SortStableFunc(frames, func(a, b frame) int { return a.at.Compare(b.at) })
	type way struct {
		flow byte
		back bool
	}
	last := make(map[way]uint32)
	by := make(map[string]map[way]bool) // ways of each session, when both are there again
	arrived := make(map[uint32]int)     // of each number
	alone := make(map[string]int)       // frames by session while one was lost
	for _, f := range frames {
		if len(f.data) < 42+talkSize || binary.BigEndian.Uint16(f.data[12:]) != 0x0800 || f.data[23] != unix.IPPROTO_UDP || string(f.data[42:46]) != talkMark {
			continue
		}
		w := way{f.data[46], f.data[26+3] == 2} // the host's address ends in 2
		n := binary.BigEndian.Uint32(f.data[47:])
		if n <= last[w] {
			t.Fatalf("flow %d (back %v): frame %d after %d", w.flow, w.back, n, last[w])
		}
		last[w] = n
		arrived[n]++
		switch {
		case lost.has(n):
			alone[f.from]++
		case back.has(n):
			if by[f.from] == nil {
				by[f.from] = make(map[way]bool)
			}
			by[f.from][w] = true
		}
	}
	for _, p := range []span{lost, back} {
		for n := p.from; n < p.to; n++ {
			if arrived[n] != 2*talkFlows {
				t.Fatalf("number %d arrived %d times, want %d (%v without one session, %v with both again)", n, arrived[n], 2*talkFlows, lost, back)
			}
		}
	}
	if early {
		t.Logf("the lost session was back before the phase had ended; frames came by %v", alone)
	} else if len(alone) != 1 {
		t.Errorf("while one session was lost, frames came by %v", alone)
	}
	if len(by) != 2 {
		t.Fatalf("when it was back, frames came by %d sessions", len(by))
	}
	for from, ways := range by {
		t.Logf("%s carries %d of %d ways", from, len(ways), 2*talkFlows)
		for w := range ways {
			if !ways[way{w.flow, !w.back}] {
				t.Errorf("%s has one direction only of flow %d", from, w.flow)
			}
		}
	}
}

const (
	talkFlows  = 64
	talkRounds = 3  // at least in a phase
	talkSize   = 64 // bytes of payload: the mark, the flow, the number
	talkMark   = "talk"
)

// talk is 64 flows between two hosts, each datagram with its answer.
type talk struct {
	sockets []*net.UDPConn
	echo    *net.UDPConn
	client  *netlab.Namespace
	done    sync.WaitGroup
	number  uint32 // of the next round, from 1
}

// span is the rounds of a phase.
type span struct{ from, to uint32 }

func (s span) has(n uint32) bool { return s.from <= n && n < s.to }

func startTalk(t *testing.T, client, host *netlab.Namespace) *talk {
	t.Helper()
	k := &talk{client: client, number: 1}
	host.Must(func() (err error) {
		k.echo, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(hostV4), Port: 9000})
		return err
	})
	for range talkFlows {
		client.Must(func() error {
			c, err := net.DialUDP("udp4", nil, k.echo.LocalAddr().(*net.UDPAddr))
			k.sockets = append(k.sockets, c)
			return err
		})
	}
	k.done.Go(func() {
		b := make([]byte, 2*talkSize)
		for {
			n, from, err := k.echo.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			k.echo.WriteToUDPAddrPort(b[:n], from)
		}
	})
	return k
}

// phase sends rounds for a while, talkRounds at least: one datagram of each flow, each when the last has been answered.
func (k *talk) phase(t *testing.T, d time.Duration) span {
	t.Helper()
	s := span{from: k.number}
	b := make([]byte, talkSize)
	copy(b, talkMark)
	answer := make([]byte, 2*talkSize)
	for end := time.Now().Add(d); time.Now().Before(end) || k.number < s.from+talkRounds; k.number++ {
		for i, c := range k.sockets {
			b[4] = byte(i)
			binary.BigEndian.PutUint32(b[5:], k.number)
			if _, err := c.Write(b); err != nil {
				t.Fatal(err)
			}
		}
		for i, c := range k.sockets {
			c.SetReadDeadline(time.Now().Add(patience))
			if n, err := c.Read(answer); err != nil || n != talkSize || binary.BigEndian.Uint32(answer[5:]) != k.number {
				t.Fatal(fmt.Errorf("flow %d: answer of %d bytes: %w", i, n, err))
			}
		}
		time.Sleep(time.Millisecond)
	}
	s.to = k.number
	return s
}

func (k *talk) end(t *testing.T) {
	t.Helper()
	for _, c := range append(k.sockets, k.echo) {
		if err := c.Close(); err != nil && !errors.Is(err, syscall.EINVAL) {
			t.Error(err)
		}
	}
	k.done.Wait()
}
