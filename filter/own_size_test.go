package filter

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
)

// TestTooMuchOwnTraffic: the error names what takes the room, be it sensors or the agent's own connections.
func TestTooMuchOwnTraffic(t *testing.T) {
	var sensors, ports Exclusion
	for i := range uint32(4096) {
		a := netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, 10<<24+i)))
		sensors.Endpoints = append(sensors.Endpoints, Endpoint{Addr: a, Control: 2003})
		ports.Near.TCP = append(ports.Near.TCP, uint16(40000+i))
	}
	ports.Near.Addrs = []netip.Addr{netip.MustParseAddr(near4)}
	for want, ex := range map[string]Exclusion{
		"4096 addresses of sensors, and 0 ports of own connections at 0 addresses,": sensors,
		"0 addresses of sensors, and 4096 ports of own connections at 1 addresses,": ports,
	} {
		_, err := Compose(linkEthernet, ex, acceptAll(), 0)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "fewer sessions") {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
