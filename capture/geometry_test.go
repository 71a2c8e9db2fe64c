package capture

import "testing"

func TestRingGeometry(t *testing.T) {
	for _, c := range []struct {
		ring, block int
		snaplen     uint32
		want        geometry
	}{
		{0, 0, MaxSnaplen, geometry{2 << 20, 8}},
		{-5, 0, MaxSnaplen, geometry{2 << 20, 8}},
		{64 << 20, 0, 96, geometry{2 << 20, 32}},
		{16<<20 + 5, 0, 96, geometry{2 << 20, 8}},
		{8 << 20, 0, MaxSnaplen, geometry{1 << 20, 8}},
		{4 << 20, 0, MaxSnaplen, geometry{512 << 10, 8}},
		{4 << 20, 0, 1514, geometry{512 << 10, 8}},
		{1 << 20, 0, MaxSnaplen, geometry{512 << 10, 2}},
		{1 << 20, 0, 1514, geometry{128 << 10, 8}},
		{1, 0, MaxSnaplen, geometry{512 << 10, 2}},
		{1, 0, 96, geometry{128 << 10, 2}},
		{16 << 20, 1 << 22, MaxSnaplen, geometry{4 << 20, 4}},
		{16 << 20, 3 << 20, MaxSnaplen, geometry{2 << 20, 8}},
		{16 << 20, 1, MaxSnaplen, geometry{512 << 10, 32}},
		{16 << 20, 1 << 18, 96, geometry{256 << 10, 64}},
	} {
		if got := plan(c.ring, c.block, c.snaplen); got != c.want {
			t.Errorf("plan(%d, %d, %d) = %+v, want %+v", c.ring, c.block, c.snaplen, got, c.want)
		}
	}
}
