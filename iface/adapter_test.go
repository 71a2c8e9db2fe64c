package iface

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"
)

const guid = "{4D36E972-E325-11CE-BFC1-08002BE10318}"

func ethernet() adapter {
	return adapter{
		guid: guid, friendly: "Ethernet 2", description: "Intel(R) PRO/1000 MT", index: 7, index6: 7, mtu: 1500,
		kind: kindEthernet, status: statusUp, hardwareAddr: []byte{2, 0, 0, 0, 0, 1},
		addresses: []netip.Prefix{
			netip.MustParsePrefix("fe80::1/64"), netip.MustParsePrefix("10.1.2.3/20"), netip.MustParsePrefix("2001:db8::1/64"),
		},
	}
}

func TestAdapter(t *testing.T) {
	a := ethernet()
	i := a.asInterface()
	if i.Name != `\Device\NPF_`+guid || !slices.Equal(i.AltNames, []string{"Ethernet 2", guid}) || i.Description != "Ethernet 2: Intel(R) PRO/1000 MT" {
		t.Errorf("names %q, %q, %q", i.Name, i.AltNames, i.Description)
	}
	if i.Index != 7 || i.MTU != 1500 || i.ARPType != 1 || i.Flags != Up|Running|Connected {
		t.Errorf("%+v", i)
	}
	if i.HardwareAddr.String() != "02:00:00:00:00:01" || i.HardwareBroadcast.String() != "ff:ff:ff:ff:ff:ff" {
		t.Errorf("hardware %v, %v", i.HardwareAddr, i.HardwareBroadcast)
	}
	want := []Address{
		{Addr: netip.MustParseAddr("10.1.2.3"), Prefix: 20, Broadcast: netip.MustParseAddr("10.1.15.255")},
		{Addr: netip.MustParseAddr("fe80::1%7"), Prefix: 64},
		{Addr: netip.MustParseAddr("2001:db8::1"), Prefix: 64},
	}
	if !reflect.DeepEqual(i.Addresses, want) {
		t.Errorf("addresses %+v", i.Addresses)
	}
}

func TestAdapterStates(t *testing.T) {
	for _, c := range []struct {
		kind, status uint32
		want         Flags
	}{
		{kindEthernet, statusUp, Up | Running | Connected},
		{kindEthernet, statusDown, Disconnected},
		{kindEthernet, statusLowerLayerDown, Disconnected},
		{kindEthernet, statusNotPresent, 0},
		{kindEthernet, 3, Up | Running},
		{kindWireless, statusDormant, Up | Wireless},
		{kindLoopback, statusUp, Up | Running | Loopback | NotApplicable},
		{kindLoopback, statusDown, Loopback | NotApplicable},
	} {
		a := adapter{guid: guid, kind: c.kind, status: c.status}
		if got := a.asInterface().Flags; got != c.want {
			t.Errorf("kind %d, status %d: %#x, want %#x", c.kind, c.status, got, c.want)
		}
	}
}

// A name that the user gave may hold anything.
func TestAdapterNames(t *testing.T) {
	for _, c := range []struct {
		change func(*adapter)
		names  []string
		text   string
	}{
		{func(a *adapter) { a.friendly = "" }, []string{guid}, "Intel(R) PRO/1000 MT"},
		{func(a *adapter) { a.friendly = a.description }, []string{"Intel(R) PRO/1000 MT", guid}, "Intel(R) PRO/1000 MT"},
		{func(a *adapter) { a.description = "" }, []string{"Ethernet 2", guid}, "Ethernet 2"},
		{func(a *adapter) { a.friendly, a.description = "", "" }, []string{guid}, ""},
		{func(a *adapter) { a.kind = kindLoopback }, []string{"Ethernet 2", guid, `\Device\NPF_Loopback`}, "Ethernet 2: Intel(R) PRO/1000 MT"},
	} {
		a := ethernet()
		c.change(&a)
		if i := a.asInterface(); !slices.Equal(i.AltNames, c.names) || i.Description != c.text {
			t.Errorf("%q, %q; want %q, %q", i.AltNames, i.Description, c.names, c.text)
		}
	}
	a := ethernet()
	a.description = "evil\x1b[31m\nadapter"
	if i := a.asInterface(); i.Description != "Ethernet 2: evil?[31m?adapter" {
		t.Errorf("%q", i.Description)
	}
	a = adapter{guid: guid, index6: 9, mtu: 1<<32 - 1}
	if i := a.asInterface(); i.Index != 9 || i.MTU <= 0 {
		t.Errorf("index %d, MTU %d", i.Index, i.MTU)
	}
}

// Each of the three names selects the adapter, in letters of any case. Elsewhere case counts.
func TestSelectAdapter(t *testing.T) {
	a := ethernet()
	i := a.asInterface()
	for name, want := range map[string]bool{
		"Ethernet 2": true, "ethernet 2": true, guid: true, "{4d36e972-e325-11ce-bfc1-08002be10318}": true,
		"4d36e972-e325-11ce-bfc1-08002be10318": true, `\Device\NPF_` + guid: true, `\device\npf_` + guid: true,
		"Ethernet": false, "Ethernet 22": false, "": false, "{}": false, "Intel(R) PRO/1000 MT": false,
	} {
		if i.Named(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
	linux := Interface{Name: "eth0", AltNames: []string{"lan"}}
	if linux.Named("ETH0") || linux.Named("LAN") || !linux.Named("lan") {
		t.Error("case must count")
	}
}
