package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"rpcapd/test/netlab"
)

const (
	agentAddr   = "10.98.0.1"
	sensorAddr  = "10.98.0.2"
	controlPort = 2003

	captureMTU = 9000 // of the captured link; frames of 9,014 bytes
	usualMTU   = 1500 // of the link to the sensor
	jumboMTU   = 9000 // of the same, for -t jumbo

	sinkTable    = 100 // routing table that leads into the sink
	sinkPriority = 100
)

// lab is the three hosts and how they are set for a run.
type lab struct {
	generator, agent, sensor *netlab.Namespace
	fleet                    *netlab.Namespace // sensor and simulated agents, with nothing but loopback

	listener *net.TCPListener // the sensor's control port
	sinking  bool             // UDP of the agent's host goes into the sink
	cleanups []func()
}

// Helper implements netlab.Failer.
func (l *lab) Helper() {}

// Fatalf implements netlab.Failer: it ends the program.
func (l *lab) Fatalf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
	l.clear()
	os.Exit(1)
}

// Cleanup implements netlab.Failer.
func (l *lab) Cleanup(f func()) { l.cleanups = append(l.cleanups, f) }

// clear stops what runs and takes the hosts down.
func (l *lab) clear() {
	for _, f := range slices.Backward(l.cleanups) {
		f()
	}
	l.cleanups = nil
}

func newLab() (*lab, error) {
	l := &lab{}
	n := netlab.NewFor(l)
	l.generator, l.agent, l.sensor = n.Namespace("generator"), n.Namespace("agent"), n.Namespace("sensor")
	l.fleet = n.Namespace("fleet")
	for _, h := range []*netlab.Namespace{l.generator, l.agent, l.sensor} {
		if err := h.Do(noIPv6); err != nil {
			return l, err
		}
	}
	n.Veth(l.generator, "eth0", l.agent, "cap0")
	l.generator.SetMTU("eth0", captureMTU)
	l.agent.SetMTU("cap0", captureMTU)
	n.Veth(l.agent, "up0", l.sensor, "eth0")
	l.agent.AddAddr("up0", agentAddr+"/24")
	l.sensor.AddAddr("eth0", sensorAddr+"/24")
	n.Veth(l.agent, "sinkport", l.agent, "sinkend")
	l.agent.AddBridge("sink0", "sinkport")
	if err := l.agent.Do(prepareSink); err != nil {
		return l, fmt.Errorf("make sink: %w", err)
	}
	return l, l.listen()
}

// steer has the sensor's host receive on a CPU of the sensor (receive packet steering). A
// veth does the receiver's work on the sender's CPU otherwise, and the agent would wait
// for what another machine does. Only the machine's own root may do that.
func (l *lab) steer(cpu int) error {
	mask := strconv.FormatUint(1<<(cpu%32), 16)
	for range cpu / 32 { // 32 CPUs a group, the lowest last
		mask += ",00000000"
	}
	cmd := l.sensor.Command("/proc/self/exe", "/sys/class/net/eth0/queues/rx-0/rps_cpus", mask)
	cmd.Env = append(os.Environ(), helperVariable+"="+helperWrite)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("steer packets of the sensor's host to CPU %d: %w: %s", cpu, err, bytes.TrimSpace(out))
	}
	return nil
}

// listen opens the sensor's control port.
func (l *lab) listen() error {
	return l.sensor.Do(func() error {
		x, err := net.Listen("tcp4", fmt.Sprintf("%s:%d", sensorAddr, controlPort))
		if err == nil {
			l.listener = x.(*net.TCPListener)
		}
		return err
	})
}

// noIPv6 keeps the new interfaces of the host quiet.
func noIPv6() error {
	err := os.WriteFile("/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0o644)
	if errors.Is(err, fs.ErrNotExist) { // a kernel without IPv6
		return nil
	}
	return err
}

// prepareSink makes the bridge one that forwards nothing, and a table with a route to
// the sensor through it.
func prepareSink() error {
	port, err := netlink.LinkByName("sinkport")
	if err != nil {
		return err
	}
	bridge, err := netlink.LinkByName("sink0")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetFlood(port, false); err != nil {
		return fmt.Errorf("stop flooding: %w", err)
	}
	if err := netlink.NeighAdd(&netlink.Neigh{
		LinkIndex: bridge.Attrs().Index, State: netlink.NUD_PERMANENT, IP: net.ParseIP(sensorAddr),
		HardwareAddr: net.HardwareAddr{2, 0, 0, 0, 0, 0xc},
	}); err != nil {
		return fmt.Errorf("add neighbour: %w", err)
	}
	if err := netlink.RouteAdd(&netlink.Route{
		LinkIndex: bridge.Attrs().Index, Table: sinkTable, Scope: netlink.SCOPE_LINK, Src: net.ParseIP(agentAddr),
		Dst: &net.IPNet{IP: net.ParseIP(sensorAddr).To4(), Mask: net.CIDRMask(32, 32)},
	}); err != nil {
		return fmt.Errorf("add route: %w", err)
	}
	return nil
}

// set prepares the links for a run. It is called while no agent runs.
func (l *lab) set(s spec) error {
	mtu := usualMTU
	if s.jumbo {
		mtu = jumboMTU
	}
	for _, name := range []string{"sinkport", "sinkend", "sink0", "up0"} {
		l.agent.SetMTU(name, mtu)
	}
	l.sensor.SetMTU("eth0", mtu)
	return l.agent.Do(func() error {
		for _, name := range []string{"up0", "sink0"} {
			if err := setFeature(name, udpSegmentation, s.gso); err != nil {
				return err
			}
		}
		return l.lead(s.mode == modeSink)
	})
}

// lead sends UDP into the sink, or to the sensor.
func (l *lab) lead(sink bool) error {
	if sink == l.sinking {
		return nil
	}
	rule := netlink.NewRule()
	rule.Family, rule.Priority, rule.Table, rule.IPProto = netlink.FAMILY_V4, sinkPriority, sinkTable, unix.IPPROTO_UDP
	change := netlink.RuleDel
	if sink {
		change = netlink.RuleAdd
	}
	if err := change(rule); err != nil {
		return fmt.Errorf("routing rule of the sink: %w", err)
	}
	l.sinking = sink
	return nil
}

// traffic is what has left the agent's host: through IP, where a super-packet is one
// packet with one header, and through the device that leads to the sensor or the sink.
type traffic struct {
	packets, octets uint64
	device, dropped uint64 // packets of the device, after cutting
}

func (t traffic) less(o traffic) traffic {
	return traffic{t.packets - o.packets, t.octets - o.octets, t.device - o.device, t.dropped - o.dropped}
}

// sent reads the counters of the agent's host.
func (l *lab) sent() (t traffic, err error) {
	name := "up0"
	if l.sinking {
		name = "sink0"
	}
	if s := l.agent.Link(name).Attrs().Statistics; s != nil {
		t.device, t.dropped = s.TxPackets, s.TxDropped
	}
	err = l.agent.Do(func() error {
		var e1, e2 error
		t.packets, e1 = protocolCounter("snmp", "Ip", "OutRequests")
		t.octets, e2 = protocolCounter("netstat", "IpExt", "OutOctets")
		return errors.Join(e1, e2)
	})
	return t, err
}

// protocolCounter reads a counter of the thread's network namespace. The files have two
// lines for each protocol, names and values.
func protocolCounter(file, protocol, name string) (uint64, error) {
	f, err := os.Open(filepath.Join("/proc/thread-self/net", file))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	at := -1
	for in := bufio.NewScanner(f); in.Scan(); {
		fields := strings.Fields(in.Text())
		if len(fields) == 0 || fields[0] != protocol+":" {
			continue
		}
		if at < 0 {
			at = slices.Index(fields, name)
		} else if at < len(fields) {
			return strconv.ParseUint(fields[at], 10, 64)
		}
	}
	return 0, fmt.Errorf("no counter %s %s in %s", protocol, name, file)
}
