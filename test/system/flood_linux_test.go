package system

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rpcapd/test/harness"
	"rpcapd/test/netlab"
)

const (
	strangerV4       = "10.3.0.1"
	strangerSensorV4 = "10.3.0.3"
)

// stranger connects one more host to the sensor's.
func (s *stage) stranger(t *testing.T) *netlab.Namespace {
	t.Helper()
	n := s.lab.Namespace("stranger")
	usableAtOnce(n)
	s.lab.Veth(n, "eth0", s.sensor, "eth9")
	n.AddAddr("eth0", strangerV4+"/24")
	s.sensor.AddAddr("eth9", strangerSensorV4+"/24")
	return n
}

// newDirect is an agent that captures what the client sends, with nothing between it and the sensor.
func newDirect(t *testing.T, sensorArgs ...string) *accounting {
	t.Helper()
	lab := netlab.New(t)
	s := &stage{lab: lab, client: lab.Namespace("client"), host: lab.Namespace("host"), sensor: lab.Namespace("sensor")}
	for _, n := range []*netlab.Namespace{s.client, s.host, s.sensor} {
		usableAtOnce(n)
		n.Sysctl("ipv6/conf/default/disable_ipv6", "1") // nothing but what the tests send
	}
	lab.Veth(s.client, "eth0", s.host, "eth0")
	lab.Veth(s.host, "eth1", s.sensor, "eth0")
	s.host.AddAddr("eth1", exportV4+"/24")
	s.sensor.AddAddr("eth0", sensorV4+"/24")
	x := &accounting{stage: s, sensor: startSensor(t, s.sensor, sensorArgs...)}
	x.agent = startAgent(t, s.host, "ActiveClient = "+sensorV4+", 2003, ifname=eth0")
	x.agent.capturing(1)
	x.sensor.forwarding(1)
	return x
}

// flood sends datagrams that look like those of a stream to a UDP port, as fast as it can, until stop is closed.
func flood(n *netlab.Namespace, to string, stop <-chan struct{}) (sent uint64, err error) {
	err = n.Do(func() error {
		c, err := net.Dial("udp", to)
		if err != nil {
			return err
		}
		defer c.Close()
		b := make([]byte, 1472)
		b[1] = 50 // udpstr, number 0 and so on
		for {
			select {
			case <-stop:
				return nil
			default:
			}
			for range 64 {
				b[7]++
				if _, err := c.Write(b); err == nil {
					sent++
				}
			}
		}
	})
	return sent, err
}

var foreignPattern = regexp.MustCompile(`data port (\d+): foreign (\d+), dropped by the kernel (\d+) datagrams`)

// TestRootForeignFlood floods the UDP port of an agent's stream from a foreign address, as fast as that can send. Every
// frame of the agent arrives all the same, the numbers close, and what the stranger has sent is counted.
func TestRootForeignFlood(t *testing.T) {
	const size = 300
	frames, rate := steadyLoad(t)
	frames -= frames / 3
	if netlab.Full() {
		frames *= 2
	}
	x := newDirect(t)
	stranger := x.stranger(t)
	data := ""
	x.agent.Await("the data port in the status", func() bool {
		if c := x.agent.session().Capture; c != nil {
			data = c.Data
		}
		return data != ""
	})
	_, port, err := net.SplitHostPort(data)
	must(t, err)
	stop := make(chan struct{})
	var sent uint64
	var flooding sync.WaitGroup
	flooding.Go(func() {
		sent, err = flood(stranger, net.JoinHostPort(strangerSensorV4, port), stop)
	})
	time.Sleep(100 * time.Millisecond)
	begin := time.Now()
	x.send(t, size, rate, frames)
	took := time.Since(begin)
	close(stop)
	flooding.Wait()
	must(t, err)
	n := settle(t, x.agent, x.sensor)
	n.check(t)
	if got := n.numbered(t, size); uint64(got) != frames || n.sensor.missing != 0 || n.sensor.duplicate+n.sensor.late+n.sensor.malformed != 0 {
		t.Errorf("%d of %d frames: %+v", got, frames, n.sensor)
	}
	foreign, dropped := uint64(0), uint64(0)
	if m := foreignPattern.FindStringSubmatch(x.sensor.Text()); m != nil && m[1] == port {
		foreign, _ = strconv.ParseUint(m[2], 10, 64)
		dropped, _ = strconv.ParseUint(m[3], 10, 64)
	}
	t.Logf("%d frames in %v while a stranger sent %d datagrams (%.0f/s): %d foreign, %d dropped for want of room",
		frames, took.Round(time.Millisecond), sent, float64(sent)/took.Seconds(), foreign, dropped)
	if foreign < sent*99/100 || foreign > sent || dropped != 0 {
		t.Errorf("%d sent by the stranger, %d counted as foreign, %d dropped by the kernel", sent, foreign, dropped)
	}
	if text := x.sensor.Text(); strings.Count(text, "WARN") > strings.Count(text, "net.core.rmem_max") { // an ordinary user gets a small receive buffer
		t.Error("the sensor warns")
	}
}

// TestRootManyConnections opens thousands of connections that never say a word, from one address and from many, beside an
// agent at work: its frames arrive, and one that comes afterwards is served.
func TestRootManyConnections(t *testing.T) {
	const size, rate, frames, connections = 300, 20_000, 40_000, 10_000
	x := newDirect(t)
	stranger := x.stranger(t)
	for i := range 40 {
		stranger.AddAddr("eth0", fmt.Sprintf("10.3.0.%d/24", i+10))
	}
	var open []net.Conn
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	must(t, stranger.Do(func() error {
		for i := range connections {
			d := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.IPv4(10, 3, 0, byte(i%40+10))}}
			c, err := d.Dial("tcp", strangerSensorV4+":2003")
			if err != nil {
				return fmt.Errorf("connection %d: %w", i, err)
			}
			open = append(open, c)
		}
		return nil
	}))
	x.send(t, size, rate, frames)
	took := x.sensor.Footprint()
	t.Logf("with %d connections opened: %d descriptors, %d MiB resident", connections, took.Files, took.Resident>>20)
	if took.Files > 4096+1024+200 || took.Resident > 300<<20 && !harness.Race {
		t.Errorf("%+v", took)
	}
	n := settle(t, x.agent, x.sensor)
	if got := n.numbered(t, size); got != frames || n.sensor.missing != 0 {
		t.Errorf("%d of %d frames: %+v", got, frames, n.sensor)
	}
}
