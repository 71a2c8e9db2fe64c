package capture

import (
	"testing"
	"time"

	"github.com/vishvananda/netlink"
)

// ringKind is a ring at one end of a virtual cable.
var ringKind = kind{
	name: "ring", slow: plainSlack,
	in: func(t *testing.T, test func(t *testing.T)) {
		newNamespace(t)
		test(t)
	},
	rig: func(t *testing.T) *rig {
		if _, err := netlink.LinkByName("a"); err == nil { // the test has a second rig
			deleteVeth(t)
		}
		newVeth(t, "a", "b", 1500)
		in := newInjector(t, "a")
		return &rig{
			named: "b",
			open: func(o Options, frames ...[]byte) (Source, error) {
				o.Interface = "b"
				s, err := Open(o)
				if err == nil {
					in.send(frames...)
				}
				return s, err
			},
			send:    func(frames ...[]byte) { in.send(frames...) },
			missing: func(name string) error { _, err := Open(Options{Interface: name, Filter: acceptAll(96)}); return err },
			remove:  func() { deleteVeth(t) },
			restore: func() {
				newVeth(t, "a", "b", 1500)
				in = newInjector(t, "a")
			},
			impatient: func(s Source) { s.(*ringSource).timeToBack = 300 * time.Millisecond },
		}
	},
}

func TestRootConformance(t *testing.T) { ringKind.conform(t) }
