package capture

import (
	"testing"

	"github.com/vishvananda/netlink"
)

func TestRootLinkQuery(t *testing.T) {
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	if err := netlink.LinkSetDown(linkOf(t, "b")); err != nil {
		t.Fatal(err)
	}
	q, err := newLinkQuery()
	if err != nil {
		t.Fatal(err)
	}
	defer q.close()
	for name, up := range map[string]bool{"a": true, "b": false} {
		index := linkOf(t, name).Attrs().Index
		one, err := q.byName(name)
		if err != nil {
			t.Fatal(err)
		}
		two, err := q.byIndex(index)
		if err != nil {
			t.Fatal(err)
		}
		if one != two || one.index != index || one.up != up || one.arp != 1 || one.missed != 0 {
			t.Errorf("%s: %+v, %+v", name, one, two)
		}
	}
	if _, err := q.byIndex(4711); err != ErrNoInterface {
		t.Error(err)
	}
	if _, err := q.byName("c"); err != ErrNoInterface {
		t.Error(err)
	}
}
