package sensor

import (
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/rpcap"
	"rpcapd/sensor/receive"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/status"
	"rpcapd/test/wait"
	"rpcapd/udpstr"
)

// TestHostileAgents: each ends with a clear reason within a bounded time, and another agent does not notice.
func TestHostileAgents(t *testing.T) {
	raw := func(msgs ...[]byte) func([]byte) [][]byte { return func([]byte) [][]byte { return msgs } }
	header := func(h rpcap.Header) []byte { return h.Append(nil) }
	for _, tc := range []struct {
		name   string
		script func(*testAgent)
		within time.Duration
		reason string // in the status before the connection is closed; "" if it is gone at once
	}{
		{"never answers", func(a *testAgent) { a.on(rpcap.TypeAuthRequest, raw()) }, replyTimeout, ""},
		{"length of 4 GiB", func(a *testAgent) {
			a.on(rpcap.TypeFindAllRequest, raw(header(rpcap.Header{Type: rpcap.TypeFindAllRequest.Reply(), PayloadLen: 0xffffffff})))
		}, minSession, "4294967295"},
		{"stalls inside a message", func(a *testAgent) {
			a.on(rpcap.TypeFindAllRequest, raw(listReply(a.list...)[:40]))
		}, finishMessage, ""},
		{"more interfaces than there are", func(a *testAgent) {
			l := listReply(a.list...)
			l[2], l[3] = 0xff, 0xff
			a.on(rpcap.TypeFindAllRequest, raw(l))
		}, minSession, "read FINDALLIF_REPLY"},
		{"garbage", func(a *testAgent) { a.on(rpcap.TypeAuthRequest, raw([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))) }, minSession, "read message"},
		{"another version", func(a *testAgent) {
			a.on(rpcap.TypeAuthRequest, raw(header(rpcap.Header{Version: 1, Type: rpcap.TypeAuthRequest.Reply()})))
		}, minSession, "version 1"},
		{"short OPEN_REPLY", func(a *testAgent) {
			a.on(rpcap.TypeOpenRequest, raw([]byte{0, 131, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1}))
		}, minSession, "read OPEN_REPLY"},
		{"short STARTCAP_REPLY", func(a *testAgent) {
			a.on(rpcap.TypeStartCaptureRequest, raw([]byte{0, 132, 0, 0, 0, 0, 0, 0}))
		}, minSession + lingerTime, "STARTCAP_REPLY"},
		{"short STATS_REPLY", func(a *testAgent) {
			a.on(rpcap.TypeStatsRequest, raw([]byte{0, 137, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1}))
		}, statsInterval + lingerTime + time.Second, ""},
		{"replies that nobody asked for", func(a *testAgent) {
			var flood [][]byte
			for range 5 * maxStrays {
				flood = append(flood, rpcap.AppendEmpty(nil, rpcap.TypeUpdateFilterRequest.Reply()))
			}
			a.on(rpcap.TypeAuthRequest, raw(flood...))
		}, minSession, "answer nothing"},
		{"requests", func(a *testAgent) {
			var flood [][]byte
			for range 5 * maxStrays {
				flood = append(flood, rpcap.AppendEmpty(nil, rpcap.TypeAuthRequest))
			}
			a.on(rpcap.TypeStartCaptureRequest, raw(append([][]byte{rpcap.StartCaptureReply{}.Append(nil)}, flood...)...))
		}, minSession + lingerTime, "answer nothing"},
		{"errors without end", func(a *testAgent) {
			var flood [][]byte
			for range 5 * maxStrays {
				flood = append(flood, errorReply(rpcap.CodeWrongMessage, "no"))
			}
			a.on(rpcap.TypeStartCaptureRequest, raw(append([][]byte{rpcap.StartCaptureReply{}.Append(nil)}, flood...)...))
		}, minSession + lingerTime, "answer nothing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t, Options{})
				defer b.stop()
				good := b.connect("10.0.0.7", nil)
				bad := b.connect("10.0.0.2", tc.script)
				begin := time.Now()
				if tc.reason != "" {
					after(lingerTime + time.Millisecond)
					found := false
					for _, p := range b.Peers() {
						found = found || p.State == status.StateHeld && strings.Contains(p.Reason, tc.reason)
					}
					if !found {
						t.Errorf("no status with reason %q: %+v", tc.reason, b.Peers())
					}
				}
				<-bad.done
				if took := time.Since(begin); took > tc.within+time.Second {
					t.Errorf("ended after %v", took)
				}
				synctest.Wait()
				b.feed(2003, "10.0.0.7:5000", packed(t, testFrames(5, 60), 512)...)
				select {
				case <-good.done:
					t.Error("the other agent was disconnected")
				default:
				}
				if b.sink.frames["10.0.0.7/eth0"] != 5 {
					t.Errorf("the other agent's frames: %v", b.sink.frames)
				}
			})
		})
	}
}

// TestTenThousandInterfaces: a long list is searched without keeping it.
func TestTenThousandInterfaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{Rules: []rule.Rule{{Name: "r", Interfaces: []string{"x9999"}}}})
		defer b.stop()
		interfaces := make([]rpcap.Interface, 10_000)
		for i := range interfaces {
			interfaces[i] = rpcap.Interface{Name: "x" + strings.Repeat("9", i%5)}
		}
		reply := listReply(interfaces...)
		b.connect("10.0.0.2", func(a *testAgent) {
			a.on(rpcap.TypeFindAllRequest, func([]byte) [][]byte { return [][]byte{reply} })
		})
		if p := b.peer(); p.State != status.StateRunning || p.Interface != "x9999" {
			t.Errorf("%s (%s)", p.State, p.Reason)
		}
	})
}

// TestUnwantedAddress: held in silence for 30 s, a few at a time.
func TestUnwantedAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{Rules: []rule.Rule{{Name: "lab", AllowAgents: prefixes("10.1.0.0/16")}}})
		defer b.stop()
		open := func(a *testAgent) bool {
			select {
			case <-a.done:
				return false
			default:
				return true
			}
		}
		var held []*testAgent
		var limits Limits
		limits.setDefaults()
		for range limits.HeldPerAddress {
			held = append(held, b.connect("10.2.0.1", nil))
		}
		if a := b.connect("10.2.0.1", nil); open(a) {
			t.Error("one more than allowed is held")
		}
		if a := b.connect("10.2.0.2", nil); !open(a) {
			t.Error("another address is not held")
		}
		after(heldFor - time.Second)
		for _, a := range held {
			if !open(a) || len(a.requests) != 0 {
				t.Errorf("closed early, or asked %v", a.requests)
			}
		}
		after(2 * time.Second)
		for _, a := range held {
			if open(a) {
				t.Error("still open after 30 s")
			}
		}
		if c := b.Counters(); c.Refused != uint64(len(held)+2) || len(b.Peers()) != 0 {
			t.Errorf("%+v, %+v", c, b.Peers())
		}
	})
}

// TestConnectionFlood: sessions are bounded in all and per address.
func TestConnectionFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{
			Limits: Limits{Sessions: 20, SessionsPerAddress: 8, Held: 10, HeldPerAddress: 3},
			Data:   receive.DataPorts{First: 2003, Count: 32},
		})
		defer b.stop()
		for i := range 300 {
			b.connect([]string{"10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"}[i%4], func(a *testAgent) {
				a.on(rpcap.TypeAuthRequest, func([]byte) [][]byte { return nil })
			})
		}
		open := 0
		for _, a := range b.agents {
			select {
			case <-a.done:
			default:
				open++
			}
		}
		if n := len(b.Peers()); n != 20 || open != 30 {
			t.Errorf("%d sessions, %d connections", n, open)
		}
		after(replyTimeout + time.Second) // they never answered
		if n := b.live(); n != 0 {
			t.Errorf("%d sessions left", n)
		}
	})
}

// TestSilentConnectionsGiveWay: connections without a word do not keep an agent out, nor do they push out one that works.
func TestSilentConnectionsGiveWay(t *testing.T) {
	for name, limits := range map[string]Limits{
		"10.0.0.8": {Sessions: 20, SessionsPerAddress: 20},
		"10.0.0.2": {Sessions: 100, SessionsPerAddress: 19}, // behind the same address as the silent ones
	} {
		t.Run(name, func(t *testing.T) { silentConnectionsGiveWay(t, name, limits) })
	}
}

func silentConnectionsGiveWay(t *testing.T, address string, limits Limits) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{Limits: limits})
		defer b.stop()
		works := b.connect("10.0.0.7", nil)
		silent := func(a *testAgent) { a.on(rpcap.TypeAuthRequest, func([]byte) [][]byte { return nil }) }
		for range 40 {
			b.connect("10.0.0.2", silent)
		}
		if n := b.live(); n != 20 {
			t.Errorf("%d sessions", n)
		}
		after(2 * time.Second)
		late := b.connect(address, nil)
		after(time.Second)
		for _, a := range []*testAgent{works, late} {
			select {
			case <-a.done:
				t.Error("an agent that answers was disconnected")
			default:
				if a.asked(rpcap.TypeStartCaptureRequest) != 1 {
					t.Errorf("requests %v", a.requests)
				}
			}
		}
		if n := b.live(); n != 20 {
			t.Errorf("%d sessions", n)
		}
	})
}

// TestCaplenAboveSnaplen: such frames are missing, and all others are taken, over UDP in both formats.
func TestCaplenAboveSnaplen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{Rules: []rule.Rule{{Name: "short", Snaplen: 100}}})
		defer b.stop()
		b.connect("10.0.0.2", nil)
		b.connect("10.0.0.3", nil)
		good, bad := testFrames(1, 100)[0], testFrames(1, 100+vlanSlack+1)[0]
		frames := []udpstr.Frame{good, bad, good}
		p, err := udpstr.NewPacker(512, make([]byte, 1<<16))
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range frames {
			p.Append([]udpstr.Frame{f})
			r, _ := p.Take()
			b.feed(2003, "10.0.0.2:5000", r.Datagram(0))
			b.feed(2004, "10.0.0.3:5000", plainMessage(f, uint32(i+1)))
		}
		after(time.Second)
		for _, p := range b.Peers() {
			r := p.Received
			if r.Frames != 2 || p.Sinks.Written != 2 || r.Missing != 1 || (p.Format == "packet") != (r.Malformed == 1) || p.State != status.StateRunning {
				t.Errorf("%s: %+v", p.Name, r)
			}
		}
	})
}

// TestMemoryDoesNotGrow: agents that come, send garbage and go leave nothing behind.
func TestMemoryDoesNotGrow(t *testing.T) {
	s := startSensor(t, Options{Rules: []rule.Rule{{Name: "all"}}})
	total := 0
	garbage := func(n int) {
		total += n
		for range n {
			conn, err := net.Dial("tcp", s.addr().String())
			if err != nil {
				t.Fatal(err)
			}
			_, _ = conn.Write([]byte{0, 0x82, 0, 9, 0, 0, 0xff, 0xff, 1, 2, 3}) // half of an unasked list
			conn.Close()
		}
		// On a busy machine there can be more at once than one address may have.
		wait.Until(t, "all sessions have ended", func() bool {
			c := s.Counters()
			return c.Ended+c.Refused == uint64(total)
		})
	}
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	garbage(100)
	before := heap()
	garbage(1000)
	if grown := heap() - before; grown > 1<<20 {
		t.Errorf("%d bytes more after 1,000 repetitions", grown)
	}
	s.stop(t)
}
