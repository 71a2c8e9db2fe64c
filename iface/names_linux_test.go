package iface

import (
	"slices"
	"testing"

	"github.com/vishvananda/netlink"

	"rpcapd/test/netlab"
)

// TestRootAlternativeNames: they are listed, and select like names.
func TestRootAlternativeNames(t *testing.T) {
	lab := netlab.New(t)
	n := lab.Namespace("host")
	lab.Veth(n, "eth0", n, "eth1")
	names := []string{"enp0s31f6", "a-name-of-more-than-fifteen-bytes"}
	var list []Interface
	n.Must(func() (err error) {
		for _, name := range names {
			if err := netlink.LinkAddAltName(n.Link("eth1"), name); err != nil {
				return err
			}
		}
		list, err = List()
		return err
	})
	for _, name := range append(names, "eth1") {
		i, found := Selector{Name: name}.First(list)
		if !found || list[i].Name != "eth1" || !slices.Equal(list[i].AltNames, names) {
			t.Errorf("%s selects %v, %v", name, found, list)
		}
	}
}
