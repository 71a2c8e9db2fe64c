package sensor

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rpcapd/rpcap"
	"rpcapd/sensor/receive"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/status"
)

func TestHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{Rules: []rule.Rule{{
			Name: "web", Snaplen: 128, Promiscuous: true, User: "u", Password: "secret",
			Sampling: rpcap.SamplingRequest{Method: rpcap.SamplingOneInN, Value: 10},
		}}})
		defer b.stop()
		var auth rpcap.AuthRequest
		a := b.connect("10.10.1.21", func(a *testAgent) {
			a.on(rpcap.TypeAuthRequest, func(p []byte) [][]byte {
				auth, _, _ = rpcap.ParseAuthRequest(p)
				return [][]byte{rpcap.AppendEmpty(nil, rpcap.TypeAuthRequest.Reply())}
			})
		})
		want := []rpcap.Type{rpcap.TypeAuthRequest, rpcap.TypeFindAllRequest, rpcap.TypeOpenRequest, rpcap.TypeSamplingRequest, rpcap.TypeStartCaptureRequest}
		if fmt.Sprint(a.requests) != fmt.Sprint(want) {
			t.Errorf("requests %v", a.requests)
		}
		if auth.Type != rpcap.AuthPassword || auth.User != "u" || auth.Password != "secret" {
			t.Error("wrong credentials")
		}
		if a.start.Snaplen != 128 || a.start.DataPort != 2003 || len(a.start.Filter) == 0 || a.start.ReadTimeout == 0 ||
			a.start.Flags != rpcap.FlagPromiscuous|rpcap.FlagDatagram|rpcap.FlagServerOpen|rpcap.FlagReportPort {
			t.Errorf("STARTCAP %+v", a.start)
		}
		p := b.peer()
		if p.State != status.StateRunning || p.Name != "10.10.1.21/eth0" || p.Rule != "web" || p.DataPort != 2003 || p.LinkType != 1 {
			t.Errorf("%+v", p)
		}
	})
}

// TestAuthReplyForms: nothing (ExtraHop), 8 bytes in either byte order (libpcap), 2 bytes (in between); versions beyond
// ours and odd lengths end the session.
func TestAuthReplyForms(t *testing.T) {
	for payload, want := range map[string]status.State{
		"": status.StateRunning, "\x00\x00\x00\x00\xd4\xc3\xb2\xa1": status.StateRunning, "\x00\x00\x00\x00\xa1\xb2\xc3\xd4": status.StateRunning,
		"\x00\x00": status.StateRunning, "\x00\x05": status.StateRunning, "\x01\x02": status.StateHeld, "\x00": status.StateHeld, "\x00\x00\x00": status.StateHeld,
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, Options{})
			defer b.stop()
			b.connect("10.0.0.2", func(a *testAgent) {
				a.on(rpcap.TypeAuthRequest, func([]byte) [][]byte {
					h := rpcap.Header{Type: rpcap.TypeAuthRequest.Reply(), PayloadLen: uint32(len(payload))}
					return [][]byte{append(h.Append(nil), payload...)}
				})
			})
			if p := b.peer(); p.State != want {
				t.Errorf("%x: %s (%s)", payload, p.State, p.Reason)
			}
		})
	}
}

func TestStatsAreAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		a := b.connect("10.0.0.2", nil)
		a.setStats(rpcap.StatsReply{IfRecv: 0xfffffff0, KernelDrop: 3, Captured: 7}, rpcap.StatsReply{})
		after(statsInterval + time.Second)
		a.setStats(rpcap.StatsReply{IfRecv: 0x10, KernelDrop: 3, Captured: 9}, rpcap.StatsReply{}) // wrapped
		after(4 * statsInterval)
		if n := a.asked(rpcap.TypeStatsRequest); n != 5 {
			t.Errorf("STATS %d times in 26 s", n)
		}
		if f := b.peer().Forwarded; f.Received != 1<<32+0x10 || f.Captured != 9 || f.KernelDropped != 3 {
			t.Errorf("%+v", f)
		}
		a.on(rpcap.TypeStatsRequest, func([]byte) [][]byte { return nil })
		after(statsInterval + statsTimeout - 2*time.Second)
		if p := b.Peers(); p[0].State != status.StateRunning {
			t.Errorf("given up too early: %s", p[0].Reason)
		}
		after(3 * time.Second)
		if p := b.Peers(); p[0].State != status.StateHeld {
			t.Errorf("after the time-out of STATS: %s", p[0].State)
		}
		after(silence)
		select {
		case <-a.done:
		default:
			t.Error("connection still open long after the time-out of STATS")
		}
	})
}

// TestHeld: what makes the sensor wait instead of closing, what it tells the agent, and that it tries again.
func TestHeld(t *testing.T) {
	reply := func(msgs ...[]byte) func([]byte) [][]byte { return func([]byte) [][]byte { return msgs } }
	for _, tc := range []struct {
		name   string
		rule   rule.Rule
		script func(*testAgent)
		reason string
		told   bool       // with an ERROR 11
		again  rpcap.Type // the request repeated after a minute
	}{
		{"credentials refused", rule.Rule{}, func(a *testAgent) {
			a.on(rpcap.TypeAuthRequest, reply(errorReply(rpcap.CodeAuth, "no")))
		}, "refuses the credentials", false, rpcap.TypeAuthRequest},
		{"nothing matches", rule.Rule{Interfaces: []string{"eth9"}}, nil, "all wants eth9", true, rpcap.TypeFindAllRequest},
		{"no list", rule.Rule{}, func(a *testAgent) {
			a.on(rpcap.TypeFindAllRequest, reply(errorReply(rpcap.CodeFindAll, "too long")))
		}, "cannot list", true, rpcap.TypeFindAllRequest},
		{"open refused", rule.Rule{}, func(a *testAgent) {
			a.on(rpcap.TypeOpenRequest, reply(errorReply(rpcap.CodeOpen, "down")))
		}, "cannot open interface eth0", false, rpcap.TypeOpenRequest},
		{"capture refused", rule.Rule{}, func(a *testAgent) {
			a.on(rpcap.TypeStartCaptureRequest, reply(errorReply(rpcap.CodeStartCapture, "no")))
		}, "cannot start", false, rpcap.TypeStartCaptureRequest},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tc.rule.Name = "all"
				b := newBubble(t, Options{Rules: []rule.Rule{tc.rule}})
				defer b.stop()
				a := b.connect("10.0.0.2", tc.script)
				after(2 * lingerTime)
				if p := b.Peers()[0]; p.State != status.StateHeld || !strings.Contains(p.Reason, tc.reason) {
					t.Errorf("%s (%s)", p.State, p.Reason)
				}
				after(2*retryInterval + 4*time.Second)
				if n := a.asked(tc.again); n != 3 {
					t.Errorf("%v %d times in two minutes", tc.again, n)
				}
				told := a.told()
				if tc.told != (len(told) == 1) {
					t.Errorf("told %v", told)
				}
				if tc.told && (told[0].Code != rpcap.CodeRemoteAccept || !strings.Contains(told[0].Text, tc.reason)) {
					t.Errorf("told %v", told)
				}
			})
		})
	}
}

// TestInterfaceAppears: an agent that had nothing to offer is used when it has.
func TestInterfaceAppears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{Rules: []rule.Rule{{Name: "r", Addresses: prefixes("192.168.4.0/24")}}})
		defer b.stop()
		a := b.connect("10.0.0.2", nil)
		if b.peer().State != status.StateHeld {
			t.Fatalf("%+v", b.peer())
		}
		a.mu.Lock()
		a.list = append(a.list, testInterface("eth1", "192.168.4.21"))
		a.mu.Unlock()
		after(retryInterval)
		if p := b.peer(); p.State != status.StateRunning || p.Interface != "eth1" {
			t.Errorf("%+v", p)
		}
	})
}

// TestSilentList: ExtraHop's agent does not answer when its list is too long; a rule that names one interface is obeyed.
func TestSilentList(t *testing.T) {
	for name, want := range map[string]status.State{"eth0": status.StateRunning, "eth*": status.StateHeld} {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, Options{Rules: []rule.Rule{{Name: "r", Interfaces: []string{name}}}})
			defer b.stop()
			b.connect("10.0.0.2", func(a *testAgent) {
				a.on(rpcap.TypeFindAllRequest, func([]byte) [][]byte { return nil })
			})
			after(replyTimeout)
			if p := b.peer(); p.State != want {
				t.Errorf("%s: %s (%s)", name, p.State, p.Reason)
			}
		})
	}
}

// TestLateReply: the reply to a request that was given up does not put the session out of step.
func TestLateReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{Rules: []rule.Rule{{Name: "r", Interfaces: []string{"eth0"}}}})
		defer b.stop()
		b.connect("10.0.0.2", func(a *testAgent) {
			a.on(rpcap.TypeFindAllRequest, func([]byte) [][]byte { return nil })
			a.on(rpcap.TypeOpenRequest, func([]byte) [][]byte {
				return [][]byte{listReply(testInterface("eth0", "10.0.0.2")), rpcap.OpenReply{LinkType: 101}.Append(nil)}
			})
		})
		after(replyTimeout)
		if p := b.peer(); p.State != status.StateRunning || p.LinkType != 101 {
			t.Errorf("%+v", p)
		}
	})
}

// TestErrorPair: ExtraHop's agent sends 17 after each 16.
func TestErrorPair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{Rules: []rule.Rule{{Name: "r", Sampling: rpcap.SamplingRequest{Method: rpcap.SamplingOneInN, Value: 2}}}})
		defer b.stop()
		b.connect("10.0.0.2", func(a *testAgent) {
			a.on(rpcap.TypeSamplingRequest, func([]byte) [][]byte {
				return [][]byte{errorReply(rpcap.CodeWrongMessage, "unknown"), errorReply(rpcap.CodeWrongVersion, "version")}
			})
		})
		if p := b.peer(); p.State != status.StateRunning {
			t.Errorf("%s (%s)", p.State, p.Reason)
		}
	})
}

// TestCaptureDies: ERROR 9 ends the session whether or not it comes in place of a reply. The connection is kept for a
// moment so that a C agent cannot redial without pause.
func TestCaptureDies(t *testing.T) {
	for _, asked := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, Options{})
			defer b.stop()
			died := errorReply(rpcap.CodeRead, "port unreachable")
			a := b.connect("10.0.0.2", func(a *testAgent) {
				if asked {
					a.on(rpcap.TypeStartCaptureRequest, func([]byte) [][]byte {
						return [][]byte{died, rpcap.StartCaptureReply{}.Append(nil)}
					})
				}
			})
			if !asked {
				if _, err := a.conn.Write(died); err != nil {
					t.Fatal(err)
				}
			}
			after(2 * lingerTime)
			if p := b.Peers()[0]; p.State != status.StateHeld || !strings.Contains(p.Reason, "port unreachable") {
				t.Errorf("%s (%s)", p.State, p.Reason)
			}
			after(minSession)
			select {
			case <-a.done:
			default:
				t.Error("connection still open")
			}
		})
	}
}

// TestOutOfStep: after ERROR 6 to STARTCAP ExtraHop's agent is out of step; the connection is held, then closed.
func TestOutOfStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		a := b.connect("10.0.0.2", func(a *testAgent) {
			a.on(rpcap.TypeStartCaptureRequest, func([]byte) [][]byte { return [][]byte{errorReply(rpcap.CodeOpen, "gone")} })
		})
		n := len(a.requests)
		after(brokenHold - time.Second)
		if len(a.requests) != n || b.Peers()[0].State != status.StateHeld {
			t.Errorf("requests %v, %+v", a.requests, b.Peers())
		}
		after(3 * time.Second)
		select {
		case <-a.done:
		default:
			t.Error("connection still open")
		}
	})
}

// TestSameAddressAgain: an older session that answers stays, one that does not is closed after 3 s and the new one has
// its name.
func TestSameAddressAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		alive := b.connect("10.0.0.2", func(a *testAgent) { a.list = list(testInterface("eth1", "10.0.1.2")) })
		dead := b.connect("10.0.0.2", nil)
		other := b.connect("10.0.0.7", func(a *testAgent) { a.list = list(testInterface("eth1", "10.0.1.2")) })
		after(statsInterval + 3*time.Second)
		dead.on(rpcap.TypeStatsRequest, func([]byte) [][]byte { return nil })
		asked := other.asked(rpcap.TypeStatsRequest)
		b.connect("10.0.0.2", nil)
		after(probeTimeout + time.Second)
		select {
		case <-dead.done:
		default:
			t.Error("the silent session is still open")
		}
		select {
		case <-alive.done:
			t.Error("the session that answers was closed")
		default:
		}
		if n := other.asked(rpcap.TypeStatsRequest); n > asked+1 {
			t.Error("a session of another address was asked")
		}
		after(2 * time.Second)
		var names []string
		for _, p := range b.Peers() {
			if p.State == status.StateRunning {
				names = append(names, p.Name)
			}
		}
		if fmt.Sprint(names) != "[10.0.0.2/eth0 10.0.0.2/eth1 10.0.0.7/eth1]" {
			t.Errorf("running %v", names)
		}
	})
}

// TestFanout: several sessions of one agent on one interface all run, with names and ports of their own.
func TestFanout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		for range 3 {
			b.connect("10.0.0.2", nil)
		}
		after(time.Second)
		ports := make(map[uint16]bool)
		var names []string
		for _, p := range b.Peers() {
			names = append(names, p.Name)
			ports[p.DataPort] = true
		}
		if fmt.Sprint(names) != "[10.0.0.2#2/eth0 10.0.0.2#3/eth0 10.0.0.2/eth0]" || len(ports) != 3 {
			t.Errorf("names %v, ports %v", names, ports)
		}
	})
}

// TestWaitsForAPort: a stream that could not be told apart from another waits until it can.
func TestWaitsForAPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{Data: receive.DataPorts{First: 2003, Count: 1}})
		defer b.stop()
		b.connect("10.0.0.2", nil)
		second := b.connect("10.0.0.2", nil)
		after(3 * time.Second)
		if second.asked(rpcap.TypeStartCaptureRequest) != 0 {
			t.Fatal("STARTCAP while another stream of the address awaits its first datagram on the only port")
		}
		d := packed(t, testFrames(3, 60), 512)
		b.feed(2003, "10.0.0.2:5000", d...)
		after(2 * time.Second)
		b.feed(2003, "10.0.0.2:5001", d...)
		if second.asked(rpcap.TypeStartCaptureRequest) != 1 {
			t.Error("no STARTCAP after the first stream was known")
		}
		for _, p := range b.Peers() {
			if p.Received.Frames != 3 || p.State != status.StateRunning {
				t.Errorf("%+v", p)
			}
		}
	})
}

// TestTestCall: an agent that lets the sensor in and then ends the session in order, as rpcapd setup does, is no peer that has left.
func TestTestCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		b := newBubble(t, Options{Log: zap.New(core)})
		defer b.stop()
		logs.TakeAll() // that it waits for agents
		a := b.connect("10.0.0.2", func(a *testAgent) {
			a.on(rpcap.TypeFindAllRequest, func([]byte) [][]byte {
				return [][]byte{errorReply(rpcap.CodeRead, rpcap.SessionEnds+": it was a test call")}
			})
		})
		after(time.Second)
		select {
		case <-a.done:
		default:
			t.Error("connection still open")
		}
		if p := b.Peers(); len(p) != 0 {
			t.Errorf("%+v", p)
		}
		if l := logs.All(); len(l) != 1 || l[0].Level != zap.InfoLevel {
			t.Errorf("log: %v", l)
		}
	})
}

// TestNeverAnswered: who connects and closes is no agent that has left. It leaves no peer, one line at the level info, and a
// count.
func TestNeverAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		b := newBubble(t, Options{Log: zap.New(core)})
		logs.TakeAll() // that it waits for agents
		for range 5 {
			a := b.connect("10.0.0.2", func(a *testAgent) { a.on(rpcap.TypeAuthRequest, func([]byte) [][]byte { return nil }) })
			a.conn.Close()
			after(time.Second)
		}
		if p := b.Peers(); len(p) != 0 {
			t.Errorf("%+v", p)
		}
		if c := b.Counters(); c.Silent != 5 || c.Ended != 5 {
			t.Errorf("%+v", c)
		}
		if n := logs.Len(); n != 1 || logs.All()[0].Level != zap.InfoLevel {
			t.Errorf("%d lines: %v", n, logs.All())
		}
		var text strings.Builder
		if err := b.WriteSummary(&text); err != nil || !strings.Contains(text.String(), "5 of them never answered") {
			t.Errorf("%v %s", err, text.String())
		}
		b.stop()
	})
}
