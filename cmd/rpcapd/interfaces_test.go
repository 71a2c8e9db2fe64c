package main

import (
	"errors"
	"strings"
	"testing"

	"rpcapd/config"
	"rpcapd/iface"
)

// All three names of an adapter of Windows are shown, and the line that selects it by one of them.
func TestInterfacesOfWindows(t *testing.T) {
	const guid = "{4D36E972-E325-11CE-BFC1-08002BE10318}"
	list := []iface.Interface{{
		Index: 7, Name: `\Device\NPF_` + guid, AltNames: []string{"Ethernet 2", guid}, Description: "Ethernet 2: Intel(R) PRO/1000 MT",
		Flags: iface.Up | iface.Running, MTU: 1500,
	}}
	var b strings.Builder
	printInterfaces(&b, list, &config.Agent{Targets: []config.Target{{Line: 3, Host: "a", Port: 2003, Fanout: 1, Select: iface.Selector{Name: "ethernet 2"}}}})
	for _, want := range []string{`\Device\NPF_` + guid + "\n", "Ethernet 2, " + guid, "Intel(R) PRO/1000 MT", `line 3: a, 2003, ifname="ethernet 2"`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
}

func TestPrintDriver(t *testing.T) {
	for _, c := range []struct {
		driver string
		err    error
		want   string
	}{
		{"", nil, ""},
		{"Npcap 1.79 (C:\\x)", nil, "capture driver: Npcap 1.79 (C:\\x)\n"},
		{"", errors.New("no capture driver: install Npcap"), "no capture driver: install Npcap\n"},
	} {
		var b strings.Builder
		printDriver(&b, func() (string, error) { return c.driver, c.err })
		if b.String() != c.want {
			t.Errorf("%q, want %q", b.String(), c.want)
		}
	}
}
