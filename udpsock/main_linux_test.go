package udpsock

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"testing"

	"rpcapd/test/netlab"
)

func TestMain(m *testing.M) {
	if slices.Contains(os.Args, "-test.fuzzworker") {
		os.Exit(m.Run()) // its pipes would not outlive another execution, and it needs no network
	}
	netlab.Main(m)
}

// Whatever way a socket ends, or fails to begin, its descriptor is closed.
func TestNoDescriptorLeaks(t *testing.T) {
	use := func() {
		r, err := Listen(loopback4, ListenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := Dial(r.LocalAddr(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Listen(r.LocalAddr(), ListenOptions{}); err == nil {
			t.Fatal("bound twice")
		}
		for _, o := range []Options{{Local: netip.MustParseAddr("192.0.2.1")}, {Local: loopback6.Addr()}} {
			if _, err := Dial(r.LocalAddr(), o); err == nil {
				t.Fatalf("dialed with %+v", o)
			}
		}
		if err := errors.Join(s.Close(), r.Close()); err != nil {
			t.Fatal(err)
		}
	}
	use() // the runtime opens its poller
	before := openFiles(t)
	for range 10 {
		use()
	}
	if after := openFiles(t); after > before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

func openFiles(t *testing.T) int {
	d, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(d)
}
