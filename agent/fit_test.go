package agent

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"rpcapd/rpcap"
)

// wired is an interface as FINDALLIF_REPLY carries it, with a link-layer address and
// as many IPv4 addresses as said.
func wired(i int, up, link bool, addresses int) rpcap.Interface {
	w := rpcap.Interface{Name: fmt.Sprintf("veth%d", i), Description: "x"}
	if up {
		w.Flags = rpcap.InterfaceUp | rpcap.InterfaceRunning
	}
	if link {
		w.Addresses = append(w.Addresses, rpcap.Address{Addr: rpcap.LinkLayerBlock(i+1, 1, make([]byte, 6))})
	}
	for k := range addresses {
		a := netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), byte(k + 1)})
		w.Addresses = append(w.Addresses, rpcap.Address{Addr: rpcap.IPv4Block(a)})
	}
	return w
}

// ips are the addresses without those of the link layer.
func ips(i *rpcap.Interface) (list []netip.Addr) {
	for k := range i.Addresses {
		if a, ok := i.Addresses[k].Addr.Addr(); ok {
			list = append(list, a)
		}
	}
	return list
}

// fitted shortens a list and checks what holds for every one: it fits, it is said how
// much is missing, and names and addresses that are left are true.
func fitted(t *testing.T, list []rpcap.Interface, chosen bool) []rpcap.Interface {
	t.Helper()
	before := make(map[string]rpcap.Interface)
	addresses := 0
	for _, i := range list {
		before[i.Name] = i
		addresses += len(i.Addresses)
	}
	n := len(list)
	got, left := fit(list, chosen, rpcap.MaxReplyPayload)
	msg := rpcap.NewInterfaceList(got...)
	if msg.Size() > rpcap.MaxReplyPayload {
		t.Fatalf("%d interfaces are cut to %d bytes, more than %d", n, msg.Size(), rpcap.MaxReplyPayload)
	}
	if msg.LeftOut() != left || left.Interfaces != n-len(got) {
		t.Errorf("left out: %v, in the list %v, missing %d", left, msg.LeftOut(), n-len(got))
	}
	for k := range got {
		was := before[got[k].Name]
		addresses -= len(got[k].Addresses)
		if was.Flags != got[k].Flags || len(got[k].Addresses) > len(was.Addresses) {
			t.Errorf("%+v became %+v", was, got[k])
		}
	}
	if addresses != left.Addresses {
		t.Errorf("%d addresses are missing, said are %d", addresses, left.Addresses)
	}
	return got
}

// TestFitKeepsAnAddressOfEach: with 110 interfaces of three addresses each every one
// keeps its first, the preselected one all.
func TestFitKeepsAnAddressOfEach(t *testing.T) {
	for _, chosen := range []bool{false, true} {
		var list []rpcap.Interface
		for i := range 110 {
			list = append(list, wired(i, true, true, 3))
		}
		got := fitted(t, list, chosen)
		if len(got) != 110 {
			t.Fatalf("%d interfaces are left", len(got))
		}
		for k := range got {
			if n := len(ips(&got[k])); n < 1 || n > 2 {
				if k > 0 || !chosen {
					t.Errorf("interface %d has %d addresses", k, n)
				}
			}
		}
		if n := len(got[0].Addresses); chosen && n != 4 {
			t.Errorf("the preselected interface has %d addresses, want all 4", n)
		}
	}
}

// TestFitTakesLinkLayerFirst: nothing else is given up if that is enough.
func TestFitTakesLinkLayerFirst(t *testing.T) {
	var list []rpcap.Interface
	for i := range 100 {
		list = append(list, wired(i, true, true, 1))
	}
	for k, i := range fitted(t, list, false) {
		if len(ips(&i)) != 1 {
			t.Errorf("interface %d has lost its address", k)
		}
	}
}

// TestFitManyInterfaces: names of interfaces that are up or have an address outlast
// those that are down and have none; the costs are linear.
func TestFitManyInterfaces(t *testing.T) {
	for _, n := range []int{4000, 7000, 60000} {
		var list []rpcap.Interface
		for i := range n {
			switch {
			case i%1000 == 999: // few, far back
				list = append(list, wired(i, true, true, 2))
			case i%2 == 0:
				list = append(list, wired(i, false, true, 0))
			default:
				list = append(list, wired(i, true, true, 0))
			}
		}
		began := time.Now()
		got := fitted(t, list, false)
		if d := time.Since(began); d > 30*time.Second { // 0.1 s on an idle machine; if they were quadratic, minutes
			t.Errorf("%d interfaces take %v", n, d)
		}
		wanted, down, up := 0, 0, 0
		for k := range got {
			switch {
			case len(ips(&got[k])) > 0:
				wanted++
			case got[k].Flags&rpcap.InterfaceUp == 0:
				down++
			default:
				up++
			}
		}
		if wanted != n/1000 {
			t.Errorf("of %d: %d of %d interfaces have kept an address", n, wanted, n/1000)
		}
		if all := n/2 - n/1000; down > 0 && up != all {
			t.Errorf("of %d: %d that are down are left, but only %d of %d that are up", n, down, up, all)
		}
	}
}

// TestFitAnyList: what a list of any kind must keep to.
func TestFitAnyList(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(9, seed))
		var list []rpcap.Interface
		most := 1 + r.IntN(1<<r.IntN(13))
		for i := range most {
			list = append(list, wired(i, r.IntN(3) > 0, r.IntN(2) > 0, r.IntN(1<<r.IntN(5))))
		}
		chosen := r.IntN(2) == 0
		first := list[0]
		got := fitted(t, list, chosen)
		if chosen && (got[0].Name != first.Name || len(got[0].Addresses) != len(first.Addresses)) {
			t.Errorf("seed %d: the preselected interface became %+v", seed, got[0])
		}
	}
}

// TestFitOneInterface has more addresses than a message takes.
func TestFitOneInterface(t *testing.T) {
	for _, chosen := range []bool{false, true} {
		got := fitted(t, []rpcap.Interface{wired(0, true, true, 255), wired(1, true, true, 1)}, chosen)
		if len(got) == 0 || len(got[0].Addresses) < 100 {
			t.Errorf("chosen %v: %d interfaces, the first with %d addresses", chosen, len(got), len(got[0].Addresses))
		}
	}
}

func TestFitShortListStaysAsItIs(t *testing.T) {
	list := []rpcap.Interface{wired(0, true, true, 2), wired(1, false, false, 0)}
	got, left := fit(list, false, rpcap.MaxReplyPayload)
	if left != (rpcap.LeftOut{}) || len(got) != 2 || got[1].Description != "x" || len(got[0].Addresses) != 3 {
		t.Errorf("%+v, %v", got, left)
	}
}
