//go:build unix

package tcpdump

import (
	"slices"
	"strings"
	"testing"

	"rpcapd/filter"
	"rpcapd/rpcap"
	"rpcapd/test/tool"
)

// asksForTag reports whether a program asks for the tag beside a frame, which is refused outside Linux.
func asksForTag(p rpcap.Program) bool {
	return slices.ContainsFunc(p, func(in rpcap.Instruction) bool { return in.K == filter.TagPresent })
}

// TestVLANPrograms: which filters become two programs, and for whom.
func TestVLANPrograms(t *testing.T) {
	tool.Need(t, "tcpdump")
	c := NewCompiler()
	for _, tc := range []struct {
		expression string
		linkType   uint32
		device     string
		asks       bool
		err        string
	}{
		{"vlan 5", Ethernet, "eth0", true, ""},
		{"vlan 5", Ethernet, `\Device\NPF_{4F5E}`, false, ""},
		{"vlan and ip", Ethernet, "eth0", true, ""},
		{"ip", Ethernet, "eth0", false, ""},
		{"geneve and vlan 5", Ethernet, "eth0", false, ""},
		{"vlan 5 and geneve", Ethernet, "eth0", true, ""},
		{"vlan 5", 105, "wlan0", false, ""},
		{"vlan 5", 12, "tun0", false, "no VLAN support for Raw IP"},
		{"vlan 5000", Ethernet, "eth0", false, "VLAN tag 5000 greater than maximum 4095"},
		// Nothing passes as long as the tag is in the bytes: the second "vlan" would have to be the ethertype of IP.
		{"ip and vlan", Ethernet, `\Device\NPF_{4F5E}`, false, errRejectsAll.Error()},
		{"ip and vlan", Ethernet, "eth0", true, ""},
		{"vlan and ip and arp", Ethernet, "eth0", false, errRejectsAll.Error()},
	} {
		p, err := c.CompileFor(t.Context(), tc.expression, tc.linkType, tc.device)
		if tc.err != "" {
			if err == nil || !strings.HasPrefix(err.Error(), tc.err) {
				t.Errorf("%q for %s: %v, want %q", tc.expression, tc.device, err, tc.err)
			}
			continue
		}
		if err != nil || asksForTag(p) != tc.asks || filter.Validate(p) != nil {
			t.Errorf("%q for %s: asks %v, want %v; %v, %v", tc.expression, tc.device, asksForTag(p), tc.asks, err, filter.Validate(p))
		}
	}
}

// TestVLANTooLong: two programs of which each has a place in a request, and both together have none.
func TestVLANTooLong(t *testing.T) {
	c := NewCompiler()
	tool.Fake(t, "tcpdump", "echo 5000; for i in 0 1 2 3 4 5 6 7 8 9; do for j in 0 1 2 3 4 5 6 7 8 9; do for k in 0 1 2 3 4; do for l in 0 1 2 3 4 5 6 7 8; do echo 0 0 0 0; done; echo 6 0 0 1; done; done; done")
	if p, err := c.Compile(t.Context(), "ip", Ethernet); err != nil || len(p) != 5000 {
		t.Fatalf("%d instructions, %v", len(p), err)
	}
	if _, err := c.Compile(t.Context(), "vlan", Ethernet); err == nil || !strings.HasPrefix(err.Error(), "it is too long: 10003 instructions") {
		t.Errorf("%v", err)
	}
}
