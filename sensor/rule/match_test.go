package rule

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"rpcapd/rpcap"
)

func down(i rpcap.Interface) rpcap.Interface { i.Flags = 0; return i }

func loopback() rpcap.Interface {
	i := testInterface("lo", "127.0.0.1", "::1")
	i.Flags |= rpcap.InterfaceLoopback
	return i
}

func preselected(i rpcap.Interface) rpcap.Interface {
	d := rpcap.ParseDescription(i.Description)
	d.Preselected = true
	i.Description = d.String()
	return i
}

func also(i rpcap.Interface, names ...string) rpcap.Interface {
	i.Description = rpcap.Description{AltNames: names}.String()
	return i
}

func lacks(i rpcap.Interface) rpcap.Interface {
	i.Description = rpcap.Description{LeftOut: rpcap.LeftOut{Interfaces: 3, Addresses: 17}}.String()
	return i
}

// TestChoose: which interface is captured, by the rules of the design and the samples of ExtraHop's guide.
func TestChoose(t *testing.T) {
	eth0, eth1 := testInterface("eth0", "10.10.1.21"), testInterface("eth1", "192.168.4.21", "2001:db8::21")
	bare := func(n string) rpcap.Interface { return rpcap.Interface{Name: n} }
	all, byName := &Rule{Name: "all"}, &Rule{Name: "name", Interfaces: []string{"eth1"}}
	byAddr := &Rule{Name: "addr", Addresses: prefixes("192.168.4.0/24")}
	for _, tc := range []struct {
		name  string
		rules []*Rule
		list  []rpcap.Interface
		want  string // "rule interface", or the beginning of the refusal after "!"
	}{
		{"sample 1, bare line", []*Rule{all}, list(eth0, eth1), "all eth0"},
		{"sample 1, ifname=eth1", []*Rule{all}, list(preselected(eth1), eth0), "all eth1"},
		{"sample 2 by name, only eth0", []*Rule{byName}, list(eth0), "!no interface of the agent (eth0)"},
		{"sample 2 by address, only eth0", []*Rule{byAddr}, list(eth0), "!no interface of the agent (eth0)"},
		{"sample 2 by name, both", []*Rule{byName}, list(eth0, eth1), "name eth1"},
		{"sample 2 by address, both", []*Rule{byAddr}, list(eth0, eth1), "addr eth1"},
		{"sample 2, ifname=eth0", []*Rule{byName}, list(preselected(eth0), eth1), "!the agent preselects interface eth0"},
		{"IPv6", []*Rule{{Name: "6", Addresses: prefixes("2001:db8::/32")}}, list(eth0, eth1), "6 eth1"},
		{"name and address must both match", []*Rule{{Name: "both", Interfaces: []string{"eth*"}, Addresses: prefixes("192.168.4.0/24")}}, list(eth0, eth1), "both eth1"},
		{"name and address of different interfaces", []*Rule{{Name: "both", Interfaces: []string{"eth0"}, Addresses: prefixes("192.168.4.0/24")}}, list(eth0, eth1), "!no interface"},
		{"glob", []*Rule{{Name: "g", Interfaces: []string{"wl*", "e?h1"}}}, list(eth0, eth1), "g eth1"},
		{"alternative name", []*Rule{{Name: "a", Interfaces: []string{"enp9*"}}}, list(eth0, also(eth1, "x1", "enp9s0")), "a eth1"},
		{"alternative name, literally", []*Rule{{Name: "a", Interfaces: []string{"x1"}}}, list(eth0, preselected(also(eth1, "x1"))), "a eth1"},
		{"a list that was cut", []*Rule{byAddr}, list(lacks(eth0)), "!no interface of the agent (eth0) is allowed by a rule of this port (addr wants an address in " +
			"192.168.4.0/24); its list is too long and lacks 3 interfaces, 17 addresses"},
		{"first rule that matches", []*Rule{byName, all}, list(eth0), "all eth0"},
		{"file order wins over list order", []*Rule{byAddr, all}, list(eth0, eth1), "addr eth1"},
		{"up before down", []*Rule{all}, list(down(eth0), eth1), "all eth1"},
		{"down before loopback", []*Rule{all}, list(loopback(), down(eth0)), "all eth0"},
		{"loopback if there is nothing else", []*Rule{all}, list(loopback()), "all lo"},
		{"no flags at all (old libraries)", []*Rule{all}, list(down(eth0), down(eth1)), "all eth0"},
		{"pseudo devices are passed over", []*Rule{all}, list(bare("any"), bare("nflog"), bare("usbmon1"), bare("dbus-system"), eth0), "all eth0"},
		{"nor does a glob take them", []*Rule{{Name: "g", Interfaces: []string{"*"}}}, list(bare("any"), eth0), "g eth0"},
		{"but a name does", []*Rule{{Name: "any", Interfaces: []string{"any"}}}, list(eth0, bare("any")), "any any"},
		{"preselected pseudo device", []*Rule{all}, list(preselected(bare("any")), eth0), "!the agent preselects"},
		{"empty list", []*Rule{all}, nil, "!the agent has no interface"},
		{"Windows name", []*Rule{{Name: "w", Interfaces: []string{`\Device\NPF_{A}`}}}, list(testInterface(`\Device\NPF_{A}`, "10.0.0.1")), `w \Device\NPF_{A}`},
	} {
		l := rpcap.NewInterfaceList(tc.list...)
		c, err := Choose(tc.rules, l)
		if want, refused := strings.CutPrefix(tc.want, "!"); refused {
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s: chose %v, %v", tc.name, c.Name, err)
			}
			continue
		}
		if err != nil || c.Rule.Name+" "+c.Name != tc.want {
			t.Errorf("%s: chose %+v, %v", tc.name, c, err)
		}
		if strings.Contains(c.Description, "preselected") {
			t.Errorf("%s: description %q", tc.name, c.Description)
		}
	}
}

// TestRefusalIsShort: whatever names there are, the text fits into an ERROR with the gist.
func TestRefusalIsShort(t *testing.T) {
	var interfaces []rpcap.Interface
	var rules []*Rule
	for i := range 50 {
		interfaces = append(interfaces, testInterface(fmt.Sprintf("%s%d", strings.Repeat("\x01x", 200), i), "10.0.0.1"))
		rules = append(rules, &Rule{Name: fmt.Sprintf("r%d", i), Interfaces: []string{strings.Repeat("y", 500)}})
	}
	l := rpcap.NewInterfaceList(interfaces...)
	_, err := Choose(rules, l)
	if err == nil || len(err.Error()) > 600 || strings.ContainsAny(err.Error(), "\x01") {
		t.Errorf("%d bytes: %v", len(err.Error()), err)
	}
}

func TestUsable(t *testing.T) {
	rules := []*Rule{
		{Name: "lab", AllowAgents: prefixes("10.1.0.0/16"), User: "u", Password: "p"},
		{Name: "all"},
		{Name: "more"},
		{Name: "other", User: "x", Password: "y"},
	}
	for addr, want := range map[string]string{"10.1.2.3": "[lab]", "10.2.2.3": "[all more]"} {
		var names []string
		for _, r := range (&Set{All: rules}).Usable(0, netip.MustParseAddr(addr)) {
			names = append(names, r.Name)
		}
		if fmt.Sprint(names) != want {
			t.Errorf("%s: %v", addr, names)
		}
	}
}

// testInterface is up and running and has the given addresses.
func testInterface(name string, addrs ...string) rpcap.Interface {
	i := rpcap.Interface{Name: name, Flags: rpcap.InterfaceUp | rpcap.InterfaceRunning}
	for _, a := range addrs {
		ip := netip.MustParseAddr(a)
		block := rpcap.AddressBlock{}
		if ip.Is4() {
			block = rpcap.IPv4Block(ip)
		} else {
			block = rpcap.IPv6Block(ip, 23)
		}
		i.Addresses = append(i.Addresses, rpcap.Address{Addr: block})
	}
	return i
}

func prefixes(texts ...string) (out []netip.Prefix) {
	for _, t := range texts {
		out = append(out, netip.MustParsePrefix(t))
	}
	return out
}

func list(interfaces ...rpcap.Interface) []rpcap.Interface { return interfaces }
