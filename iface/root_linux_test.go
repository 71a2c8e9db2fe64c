package iface

import (
	"bytes"
	"context"
	"net/netip"
	"regexp"
	"rpcapd/test/tool"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rpcapd/test/netlab"
)

// listIn lists the interfaces of a namespace.
func listIn(n *netlab.Namespace) (list []Interface) {
	n.Must(func() (err error) {
		list, err = List()
		return err
	})
	return list
}

func find(t *testing.T, list []Interface, name string) *Interface {
	t.Helper()
	n, ok := Selector{Name: name}.First(list)
	if !ok {
		t.Fatalf("%s is not in the list", name)
	}
	return &list[n]
}

func TestRootList(t *testing.T) {
	list := listIn(host(t))

	eth0 := find(t, list, "eth0")
	if eth0.Flags != Up|Running|Connected || !eth0.Broadcast || eth0.PointToPoint || eth0.MTU != 1500 ||
		eth0.ARPType != 1 || eth0.Description != "uplink" || len(eth0.HardwareAddr) != 6 ||
		eth0.HardwareBroadcast.String() != "ff:ff:ff:ff:ff:ff" {
		t.Errorf("eth0: %+v", eth0)
	}
	var got []string
	for _, a := range eth0.Addresses {
		if a.Addr.IsLinkLocalUnicast() {
			if a.Addr.Zone() != strconv.Itoa(eth0.Index) || a.Netmask() != netip.MustParseAddr("ffff:ffff:ffff:ffff::") || a.Broadcast.IsValid() {
				t.Errorf("eth0: link-local address %+v", a)
			}
			continue
		}
		text := netip.PrefixFrom(a.Addr, a.Prefix).String()
		if a.Broadcast.IsValid() {
			text += " broadcast " + a.Broadcast.String()
		}
		if a.Peer.IsValid() {
			text += " peer " + a.Peer.String()
		}
		got = append(got, text)
	}
	// The netlink package configures the broadcast address of the network.
	want := []string{"10.0.0.1/24 broadcast 10.0.0.255", "10.0.0.5/24 broadcast 10.0.0.255", "2001:db8::1/64"}
	if !slices.Equal(got, want) || len(eth0.Addresses) != len(want)+1 {
		t.Errorf("eth0: addresses %q, want %q and a link-local one", got, want)
	}

	if _, ok := (Selector{Name: "tun0"}).First(list); ok {
		checkTunnel(t, find(t, list, "tun0"))
	}

	lo := find(t, list, "lo")
	if lo.Flags != Up|Running|Loopback|NotApplicable || lo.HardwareBroadcast != nil || lo.ARPType != 772 {
		t.Errorf("lo: %+v", lo)
	}
	if eth1 := find(t, list, "eth1"); eth1.Flags != Up|Disconnected {
		t.Errorf("eth1: flags %v", eth1.Flags)
	}
	if down0 := find(t, list, "down0"); down0.Flags&(Up|Running) != 0 {
		t.Errorf("down0: flags %v", down0.Flags)
	}
}

func checkTunnel(t *testing.T, tun0 *Interface) {
	t.Helper()
	if !tun0.PointToPoint || tun0.Broadcast || tun0.HardwareAddr != nil || len(tun0.Addresses) == 0 {
		t.Fatalf("tun0: %+v", tun0)
	}
	if a := tun0.Addresses[0]; a.Peer != netip.MustParseAddr("10.8.0.2") || a.Addr != netip.MustParseAddr("10.8.0.1") || a.Broadcast.IsValid() {
		t.Errorf("tun0: address %+v", a)
	}
}

// device is one line of tcpdump -D: "1.eth0 [Up, Running, Connected]".
var device = regexp.MustCompile(`^\d+\.(\S+)(?: \(.*\))?(?: \[(.*)\])?$`)

// TestRootOrderOfTcpdump compares names, order and flags with the capture
// library's own list, less its pseudo devices.
func TestRootOrderOfTcpdump(t *testing.T) {
	tcpdump := tool.Need(t, "tcpdump")
	n := host(t)
	// The kernel moves the state of new links on in its own time: two lists that
	// differ are made again.
	var got, want []string
	for limit := time.Now().Add(40 * time.Second); time.Now().Before(limit); {
		got, want = compareLists(t, n, tcpdump)
		if slices.Equal(got, want) {
			t.Logf("the same %d interfaces:\n\t%s", len(got), strings.Join(got, "\n\t"))
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("ours:\n\t%s\ntcpdump's:\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
}

// pseudo tells which names of the capture library are no interfaces.
var pseudo = regexp.MustCompile(`^(any|nflog|nfqueue|bluetooth.*|usbmon.*|dbus-.*)$`)

// compareLists returns our list and tcpdump's as lines of the same shape.
func compareLists(t *testing.T, n *netlab.Namespace, tcpdump string) (ours, theirs []string) {
	t.Helper()
	out, err := n.Command(tcpdump, "-D").CombinedOutput()
	if err != nil {
		t.Fatalf("run tcpdump -D: %v: %s", err, out)
	}
	for _, i := range listIn(n) {
		ours = append(ours, i.Name+" "+strings.Join(libraryWords(i.Flags), ", "))
	}
	for line := range bytes.Lines(out) {
		m := device.FindStringSubmatch(strings.TrimSpace(string(line)))
		if m == nil {
			t.Fatalf("tcpdump says %q", line)
		}
		if !pseudo.MatchString(m[1]) {
			theirs = append(theirs, m[1]+" "+m[2])
		}
	}
	return ours, theirs
}

// libraryWords are the words that tcpdump has for flags.
func libraryWords(f Flags) []string {
	var words []string
	for _, w := range []struct {
		bit  Flags
		word string
	}{{Up, "Up"}, {Running, "Running"}, {Loopback, "Loopback"}, {Wireless, "Wireless"}} {
		if f.Has(w.bit) {
			words = append(words, w.word)
		}
	}
	switch f.Status() {
	case Connected:
		words = append(words, "Connected")
	case Disconnected:
		words = append(words, "Disconnected")
	case StatusUnknown:
		words = append(words, "Connection status unknown")
	}
	if f&(Up|Running|Loopback|Wireless) == 0 {
		words = append([]string{"none"}, words...)
	}
	return words
}

// TestRootWatch: one call at the start, one or a few after each change, and an
// end with the context.
func TestRootWatch(t *testing.T) {
	lab := netlab.New(t)
	n := lab.Namespace("host")
	n.Sysctl("ipv6/conf/default/accept_dad", "0") // its end, seconds later, is a change
	calls := make(chan struct{}, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- n.Do(func() error {
			Watch(ctx, func() { calls <- struct{}{} }, func(err error) { t.Error(err) })
			return nil
		})
	}()
	for _, step := range []struct {
		what string
		do   func()
	}{
		{"the start", nil},
		{"a new link", func() { lab.Veth(n, "eth0", n, "eth1") }},
		{"a new address", func() { n.AddAddr("eth0", "10.0.0.1/24") }},
		{"a new IPv6 address", func() { n.AddAddr("eth1", "2001:db8::1/64") }},
		{"an address gone", func() { n.DelAddr("eth0", "10.0.0.1/24") }},
		{"a link down", func() { n.Down("eth0") }},
		{"a link gone", func() { n.Delete("eth0") }},
	} {
		if step.do != nil {
			settle(calls)
			step.do()
		}
		select {
		case <-calls:
		case err := <-done:
			t.Fatalf("%s: the watch ended: %v", step.what, err)
		case <-time.After(30 * time.Second):
			t.Fatalf("%s was not told", step.what)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// settle waits until what was told before is over, so that the next call is
// about the next change.
func settle(calls chan struct{}) {
	for {
		select {
		case <-calls:
		case <-time.After(2 * coalesce):
			return
		}
	}
}
