package config

import "testing"

func TestPortRange(t *testing.T) {
	for _, tt := range []struct {
		r    PortRange
		port uint16
		want bool
	}{
		{PortRange{}, 0, false},
		{PortRange{}, 53, false},
		{PortRange{}, 1023, false},
		{PortRange{}, 1024, true},
		{PortRange{}, 65535, true},
		{PortRange{1, 65535}, 1, true},
		{PortRange{1, 65535}, 0, false},
		{PortRange{2003, 2003}, 2003, true},
		{PortRange{2003, 2003}, 2004, false},
	} {
		if got := tt.r.Contains(tt.port); got != tt.want {
			t.Errorf("%v, port %d: %v", tt.r, tt.port, got)
		}
	}
}
