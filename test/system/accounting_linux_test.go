package system

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"rpcapd/test/harness"
	"rpcapd/test/netlab"
	"rpcapd/test/refsensor"
)

// accounts are the final numbers of both sides, and the frames in the file.
type accounts struct {
	agent  counters
	sensor peer
	file   []frame
}

// settle ends the capture and reads all numbers. The agent goes on.
func settle(t *testing.T, a *agent, s *sensor) accounts {
	t.Helper()
	p := one(t, s.end())
	a.Await("the final numbers in the status", func() bool {
		c := a.session().Capture
		return c != nil && !c.Running
	})
	return accounts{a.session().Capture.counters, p, readFrames(t, s.file)}
}

// check holds the equations of docs/ARCHITECTURE.md against the numbers.
func (x *accounts) check(t *testing.T) {
	t.Helper()
	c, p := &x.agent, &x.sensor
	equal := func(what string, a, b uint64) {
		t.Helper()
		if a != b {
			t.Errorf("%s: %d and %d", what, a, b)
		}
	}
	equal("received = ring drops + captured", c.Received, c.RingDrops+c.Captured)
	equal("captured = packed + sampled + dropped by rate", c.Captured, c.Packed+c.Sampled+c.RateDropped)
	equal("packed = delivered + missing", c.Packed, p.frames+p.missing)
	equal("delivered = written + dropped by the sink", p.frames, p.written+p.dropped)
	equal("written = in the file", p.written, uint64(len(x.file)))
	equal("received, as the sensor was told", c.Received, p.ifrecv)
	equal("ring drops, as the sensor was told", c.RingDrops, p.krnldrop)
	equal("packed, as the sensor was told", c.Packed, p.captured)
	inTime := p.datagrams - p.late - p.duplicate - p.malformed // in order or reordered
	equal("datagrams sent + dropped when sending = in order + reordered + lost", c.Datagrams+c.SendDropped, inTime+p.lost)
	if t.Failed() {
		t.Logf("agent: %+v", *c)
		t.Logf("sensor: %+v", *p)
	}
}

// accounting is a capture of numbered frames, and what went wrong on the way.
type accounting struct {
	*stage
	path   *path
	agent  *agent
	sensor *sensor
}

func newAccounting(t *testing.T, ini string, agentArgs []string, sensorArgs ...string) *accounting {
	t.Helper()
	lab := netlab.New(t)
	s := &stage{lab: lab, client: lab.Namespace("client"), host: lab.Namespace("host"), sensor: lab.Namespace("sensor")}
	for _, n := range []*netlab.Namespace{s.client, s.host, s.sensor} {
		usableAtOnce(n)
		n.Sysctl("ipv6/conf/default/disable_ipv6", "1") // nothing but what the tests send
	}
	lab.Veth(s.client, "eth0", s.host, "eth0")
	p := newPath(t, lab, s.host, s.sensor)
	s.host.AddAddr("eth1", exportV4+"/24")
	s.sensor.AddAddr("eth0", sensorV4+"/24")
	x := &accounting{stage: s, path: p, sensor: startSensor(t, s.sensor, sensorArgs...)}
	x.agent = startAgent(t, s.host, ini+"\nActiveClient = "+sensorV4+", 2003, ifname=eth0", agentArgs...)
	x.agent.capturing(1)
	x.sensor.forwarding(1)
	return x
}

// send has the client send numbered frames.
func (x *accounting) send(t *testing.T, size, rate int, frames uint64) {
	t.Helper()
	_, err := generate(x.client, "eth0", [6]byte(x.host.MAC("eth0")), size, rate, frames)
	must(t, err)
}

// numbered checks that the frames in the file are whole and in order, and counts them.
func (x *accounts) numbered(t *testing.T, size int) (n int) {
	t.Helper()
	last := uint64(0)
	for _, f := range x.file {
		if f.wire != size {
			continue
		}
		number, err := refsensor.Check(f.data, size)
		if err != nil {
			t.Fatal(err)
		}
		if number < last {
			t.Fatalf("frame %d after frame %d", number, last-1)
		}
		last = number + 1
		n++
	}
	return n
}

// TestRootAccounting makes each kind of loss happen and has the numbers of both sides
// add up, to the last frame.
func TestRootAccounting(t *testing.T) {
	const size = 300
	frames, rate := accountingLoad(t)
	for _, x := range []struct {
		name          string
		ini           string
		agent, sensor []string
		during        func(t *testing.T, x *accounting)
		also          func(t *testing.T, x *accounting, n *accounts)
	}{
		{name: "nothing lost", also: complete(frames, size)},
		{name: "without GSO", agent: []string{"--gso", "off"}, also: complete(frames, size)},
		{name: "small datagrams", agent: []string{"-t", "100"}, also: complete(frames, size)},
		{name: "plain", agent: []string{"-t", "0"}, also: complete(frames, size)},
		{name: "TCP", sensor: []string{"--tcp"}, also: complete(frames, size)},
		{
			name: "lost on the path", agent: []string{"--gso", "off"},
			during: func(t *testing.T, x *accounting) {
				x.suffer(t, size, func(n uint64) treatment { return when(n%17 == 3, lose) })
			},
			also: func(t *testing.T, x *accounting, n *accounts) {
				if lost := x.path.lost.Load(); lost == 0 || n.sensor.lost != lost || n.sensor.late+n.sensor.duplicate != 0 {
					t.Errorf("%d datagrams were lost, the sensor says %+v", lost, n.sensor)
				}
			},
		},
		{
			name: "super-packets lost on the path",
			during: func(t *testing.T, x *accounting) {
				x.suffer(t, size, func(n uint64) treatment { return when(n%5 == 3, lose) })
			},
			also: func(t *testing.T, x *accounting, n *accounts) {
				if lost := x.path.lost.Load(); lost == 0 || n.sensor.lost < lost {
					t.Errorf("%d super-packets were lost, the sensor says %+v", lost, n.sensor)
				}
			},
		},
		{
			name: "doubled and overtaken", agent: []string{"--gso", "off"}, sensor: []string{"-f", patientRule(t)},
			during: func(t *testing.T, x *accounting) {
				x.suffer(t, size, func(n uint64) treatment {
					return max(when(n%13 == 3, double), when(n%7 == 5, postpone))
				})
			},
			also: func(t *testing.T, x *accounting, n *accounts) {
				complete(frames, size)(t, x, n)
				if d, p := x.path.doubled.Load(), x.path.postponed.Load(); d == 0 || p == 0 || n.sensor.duplicate != d {
					t.Errorf("%d datagrams doubled, %d overtaken, the sensor says %+v", d, p, n.sensor)
				}
			},
		},
		{
			name: "all of it", agent: []string{"--gso", "off", "-t", "500"}, sensor: []string{"-f", patientRule(t)},
			during: func(t *testing.T, x *accounting) {
				x.suffer(t, size, func(n uint64) treatment {
					return max(when(n%13 == 3, double), when(n%7 == 5, postpone), when(n%101 == 17, lose)&^when(n%7 == 5, lose))
				})
			},
		},
		{
			name: "ring too small", agent: []string{"-z", "1M"},
			during: func(t *testing.T, x *accounting) {
				largeBuffers(t)
				x.agent.Signal(syscall.SIGSTOP)
				x.send(t, size, 1_000_000, frames)
				x.agent.Signal(syscall.SIGCONT)
			},
			also: func(t *testing.T, _ *accounting, n *accounts) {
				if n.agent.RingDrops == 0 || n.sensor.missing != 0 || n.agent.Received < frames {
					t.Errorf("the ring was to overflow: %+v", n.agent)
				}
			},
		},
		{
			name: "nowhere to send",
			during: func(t *testing.T, x *accounting) {
				x.send(t, size, rate, frames/4)
				time.Sleep(50 * time.Millisecond)
				x.host.Down("eth1")
				x.send(t, size, rate, frames/4)
				x.agent.Await("datagrams dropped when sending", func() bool {
					c := x.agent.session().Capture
					return c != nil && c.SendDropped > 0
				})
				x.host.Up("eth1")
				running(t, x.host, "eth1")
				x.send(t, size, rate, frames/4)
			},
			also: func(t *testing.T, _ *accounting, n *accounts) {
				// More are lost after they were sent, until the sensor's address is resolved again.
				if n.agent.SendDropped == 0 || n.sensor.missing == 0 || n.sensor.lost < n.agent.SendDropped {
					t.Errorf("a quarter was to be dropped when sending: %+v, %+v", n.agent, n.sensor)
				}
			},
		},
		{
			name: "limited rate", ini: "MaxRate = 100000",
			also: func(t *testing.T, _ *accounting, n *accounts) {
				if n.agent.RateDropped == 0 || n.sensor.missing != 0 {
					t.Errorf("frames were to be left out: %+v, %+v", n.agent, n.sensor)
				}
			},
		},
		{
			name: "sampled", sensor: []string{"-f", sampledRule(t)},
			also: func(t *testing.T, _ *accounting, n *accounts) {
				if n.agent.Packed != n.agent.Captured/10 && n.agent.Packed != n.agent.Captured/10+1 {
					t.Errorf("one frame in ten was to be kept: %+v", n.agent)
				}
			},
		},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			acc := newAccounting(t, x.ini, x.agent, x.sensor...)
			if x.during == nil {
				acc.send(t, size, rate, frames)
			} else {
				x.during(t, acc)
			}
			n := settle(t, acc.agent, acc.sensor)
			n.check(t)
			if x.name != "nowhere to send" { // numbers begin anew there
				n.numbered(t, size)
			}
			if x.also != nil {
				x.also(t, acc, &n)
			}
			t.Logf("received %d, ring drops %d, packed %d, delivered %d, missing %d; datagrams sent %d, dropped %d, lost %d, late %d, duplicate %d",
				n.agent.Received, n.agent.RingDrops, n.agent.Packed, n.sensor.frames, n.sensor.missing,
				n.agent.Datagrams, n.agent.SendDropped, n.sensor.lost, n.sensor.late, n.sensor.duplicate)
		})
	}
}

// TestRootAccountingOffloads has the numbers add up, and every frame arrive, whatever the
// kernels do with the export.
func TestRootAccountingOffloads(t *testing.T) {
	const size = 300
	frames, rate := accountingLoad(t)
	for _, c := range circumstances {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newAccounting(t, "", c.args)
			e := &export{x.agent, x.sensor, x.host, x.stage.sensor, "eth0"}
			c.begin(t, e)
			x.send(t, size, rate, frames/2)
			c.change(t, e)
			_, err := generateFrom(x.client, "eth0", [6]byte(x.host.MAC("eth0")), size, rate, frames/2, frames)
			must(t, err)
			n := settle(t, x.agent, x.sensor)
			c.check(t, e)
			n.check(t)
			complete(frames, size)(t, x, &n)
			if c.gso("on") && n.agent.Sends*10 > n.agent.Datagrams && kernelHasOffload(t) && severalUsers(t) {
				t.Errorf("%d datagrams in %d sends: segmentation offload has not engaged", n.agent.Datagrams, n.agent.Sends)
			}
		})
	}
}

// accountingLoad is how much is sent, and how fast in frames a second: ordinary users
// have small receive buffers, in which no more may come at a time.
func accountingLoad(t *testing.T) (frames uint64, rate int) {
	t.Helper()
	if severalUsers(t) {
		return 20_000, 100_000
	}
	return 1_000, 1_500
}

// steadyLoad is frames for three seconds of traffic of which none may be lost while the programs do something else, and how
// many a second. In the small receive buffers of ordinary users, fewer are safe on a busy machine.
func steadyLoad(t *testing.T) (frames uint64, rate int) {
	t.Helper()
	if severalUsers(t) && !harness.Race {
		return 60_000, 20_000
	}
	return 12_000, 4_000
}

// largeBuffers skips what needs a receive buffer that only real root gets.
func largeBuffers(t *testing.T) {
	t.Helper()
	if !severalUsers(t) {
		t.Skip("an ordinary user gets receive buffers of net.core.rmem_max only")
	}
}

// complete expects every numbered frame in the file.
func complete(frames uint64, size int) func(*testing.T, *accounting, *accounts) {
	return func(t *testing.T, _ *accounting, n *accounts) {
		t.Helper()
		if got := n.numbered(t, size); uint64(got) != frames || n.sensor.missing != 0 || n.sensor.lost != 0 {
			t.Errorf("%d frames of %d arrived: %+v", got, frames, n.sensor)
		}
	}
}

// suffer sends frames over a bad path, and a few more when it is good again, so that
// no datagram is lost at the very end where only the count of frames can tell.
func (x *accounting) suffer(t *testing.T, size int, f fate) {
	t.Helper()
	frames, rate := accountingLoad(t)
	x.path.fate.Store(&f)
	x.send(t, size, rate, frames)
	time.Sleep(50 * time.Millisecond)
	x.path.fate.Store(nil)
	x.mark(t, markEnd)
	time.Sleep(50 * time.Millisecond)
}

func when(ok bool, x treatment) treatment {
	if ok {
		return x
	}
	return pass
}

// sampledRule is a sensor's file that asks for one frame in ten.
func sampledRule(t *testing.T) string {
	t.Helper()
	path := t.TempDir() + "/rpcap-sensor.ini"
	must(t, os.WriteFile(path, []byte("[rule sampled]\nPort = 2003\nSampling = 1/10\n"), 0o644))
	return path
}

// patientRule is a sensor's file with which a datagram that was overtaken is waited for by
// the count of datagrams alone: on a busy machine the path may not have its turn for longer
// than the default of 20 ms while it has sent the one and not the other.
func patientRule(t *testing.T) string {
	t.Helper()
	path := t.TempDir() + "/rpcap-sensor.ini"
	must(t, os.WriteFile(path, []byte("[rule patient]\nPort = 2003\n[streams]\nHold = 10s\n"), 0o644))
	return path
}

// TestRootAccountingTail loses the last datagrams of all: only the agent's final count
// can tell that they are missing.
func TestRootAccountingTail(t *testing.T) {
	t.Parallel()
	x := newAccounting(t, "", []string{"--gso", "off"})
	x.send(t, 300, 4_000, 1000)
	x.sensor.Await("what was sent before", func() bool { return one(t, x.sensor.report()).frames >= 1000 })
	f := fate(func(uint64) treatment { return lose })
	x.path.fate.Store(&f)
	x.send(t, 300, 4_000, 500)
	time.Sleep(100 * time.Millisecond)
	n := settle(t, x.agent, x.sensor)
	if p := n.sensor; p.missing != 500 || p.frames+p.missing != n.agent.Packed || p.captured != n.agent.Packed {
		t.Errorf("500 frames were lost at the end: agent %+v, sensor %+v", n.agent, p)
	}
}

// TestRootAccountingLossyHost loses datagrams in the sensor's own kernel.
func TestRootAccountingLossyHost(t *testing.T) {
	t.Parallel()
	x := newAccounting(t, "", []string{"--gso", "off"})
	err := x.stage.sensor.DropUDP(2003, 10)
	if errors.Is(err, netlab.ErrNoNFT) {
		netlab.Missing(t, err.Error())
	}
	must(t, err)
	frames, rate := accountingLoad(t)
	x.send(t, 300, rate, frames)
	(&export{agent: x.agent, sensor: x.sensor}).rest()
	must(t, x.stage.sensor.DropUDP(2003, 0))
	x.mark(t, markEnd)
	time.Sleep(50 * time.Millisecond)
	n := settle(t, x.agent, x.sensor)
	n.check(t)
	sent := n.agent.Datagrams
	if lost := n.sensor.lost; lost < sent/10-2 || lost > sent/10+2 || n.sensor.missing == 0 {
		t.Errorf("one datagram in ten was to be lost: %+v", n.sensor)
	}
}
