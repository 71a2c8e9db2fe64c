package iface

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// container is a host as containers make it.
func container() []Interface {
	ten := Address{Addr: netip.MustParseAddr("10.0.0.1"), Prefix: 8}
	six := Address{Addr: netip.MustParseAddr("fd00::1"), Prefix: 64}
	const guid = "{4D36E972-E325-11CE-BFC1-08002BE10318}"
	return []Interface{
		{Name: "eth0", AltNames: []string{"enp3s0", strings.Repeat("x", 127)}, Addresses: []Address{ten}},
		{Name: "eth1", Addresses: []Address{six}},
		{Name: "cali1234", AltNames: []string{"pod/web"}},
		{Name: "veth*1"},
		{Name: `\Device\NPF_` + guid, AltNames: []string{"vEthernet (WSL)", guid}},
		{Name: "lo"},
	}
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct{ patterns, want string }{
		{"eth0", "eth0"},
		{"eth*", "eth0 eth1"},
		{"eth?", "eth0 eth1"},
		{"eth[1-9]", "eth1"},
		{"eth[!0]", "eth1"},
		{"eth[^0]", "eth1"},
		{"enp*", "eth0"},
		{"enp3s0", "eth0"},
		{"x*x", "eth0"},
		{"ETH*", ""},
		{"eth", ""},
		{"*", "eth0 eth1 cali1234 veth*1 npf lo"},
		{"!lo", "eth0 eth1 cali1234 veth*1 npf"},
		{"!lo !eth*", "cali1234 veth*1 npf"},
		{"!enp*", "eth1 cali1234 veth*1 npf lo"}, // an exclusion counts for every name
		{"eth* !eth1", "eth0"},
		{"!eth1 eth*", "eth0"}, // in any order
		{"eth0 !enp3s0", ""},
		{"cali* lo", "cali1234 lo"},
		{"pod*", "cali1234"},
		{"pod?web", "cali1234"},
		{"veth[*]1", "veth*1"},
		{"veth*1", "veth*1"},
		{"vEthernet (*)", "npf"},
		{"VETHERNET*", "npf"}, // Windows knows no case
		{`\Device\NPF_*`, "npf"},
		{`\Device\NPF_{4D36*}`, "npf"},
		{"4d36e972-e325-11ce-bfc1-08002be10318", "npf"},
	} {
		var got []string
		for _, n := range (Selector{Names: strings.Split(strings.ReplaceAll(c.patterns, "t (", "t_("), " ")}).restore().All(container()) {
			got = append(got, strings.Replace(container()[n].Name, `\Device\NPF_{4D36E972-E325-11CE-BFC1-08002BE10318}`, "npf", 1))
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s: %q, want %q", c.patterns, text, c.want)
		}
	}
}

// restore puts a blank where the table must not have one.
func (s Selector) restore() Selector {
	for n := range s.Names {
		s.Names[n] = strings.ReplaceAll(s.Names[n], "t_(", "t (")
	}
	return s
}

func TestSelectSeveral(t *testing.T) {
	net := func(text string) netip.Prefix { return netip.MustParsePrefix(text) }
	for _, c := range []struct {
		s    Selector
		want []int
		text string
	}{
		{Selector{Nets: []netip.Prefix{net("10.0.0.0/8"), net("fd00::/8")}}, []int{0, 1}, "ifaddr=10.0.0.0/8/fd00::/8"},
		{Selector{Nets: []netip.Prefix{net("192.0.2.0/24"), net("10.0.0.1/32")}}, []int{0}, "ifaddr=192.0.2.0/24/10.0.0.1"},
		{Selector{Names: Patterns{"eth*"}, Net: net("10.0.0.0/8")}, []int{0}, "ifname=eth*, ifaddr=10.0.0.0/8"},
		{Selector{Name: "eth1", Nets: []netip.Prefix{net("10.0.0.0/8"), net("fd00::/8")}}, []int{1}, "ifname=eth1, ifaddr=10.0.0.0/8/fd00::/8"},
		{Selector{Names: Patterns{"wlan*"}}, nil, "ifname=wlan*"},
	} {
		if got := c.s.All(container()); !slices.Equal(got, c.want) || c.s.String() != c.text || !c.s.Many() || c.s.IsZero() {
			t.Errorf("%s: %v, want %s: %v", c.s, got, c.text, c.want)
		}
	}
}

func TestWithout(t *testing.T) {
	list := container()
	if got := Without(list, Patterns{"enp*", "veth[*]*", "lo"}); len(got) != 3 || got[0].Name != "eth1" || list[0].Name != "eth0" {
		t.Errorf("%v", got)
	}
	if got := Without(list, nil); len(got) != len(list) {
		t.Errorf("%v", got)
	}
}

func TestCheckPattern(t *testing.T) {
	for text, ok := range map[string]bool{"eth*": true, "eth[01]": true, "eth[!01]": true, "[*]": true, `\Device\NPF_*`: true, "eth[": false, "eth[]": false, "eth[a-]": false, "[!": false} {
		if err := CheckPattern(text); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// FuzzPatterns: whatever matches with an exclusion more matches without it, and an exclusion of the name itself leaves it out.
func FuzzPatterns(f *testing.F) {
	f.Add("eth*", "lo", "eth0")
	f.Add("[!a]*", `\x`, "b/c")
	f.Fuzz(func(t *testing.T, pattern, excluded, name string) {
		i := &Interface{Name: name}
		if (Patterns{pattern, "!" + excluded}).Matches(i) && !(Patterns{pattern}).Matches(i) && !strings.HasPrefix(pattern, "!") {
			t.Errorf("%q without %q matches %q, alone it does not", pattern, excluded, name)
		}
		if (Patterns{pattern, "!" + name}).Matches(i) || (Patterns{"!" + name}).Matches(i) {
			t.Errorf("%q is left out and matches", name)
		}
	})
}
