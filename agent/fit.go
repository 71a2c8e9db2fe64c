package agent

import "rpcapd/rpcap"

// leftOutRoom is what is kept free for saying how much was left out, in bytes.
const leftOutRoom = 64

// fitting makes an interface list short enough for one message. What sensors choose by
// counts: names, and an address of each interface. Sizes are computed once, so that it
// costs no more than the list is long.
type fitting struct {
	list     []rpcap.Interface
	chosen   bool // the first one is preselected: nothing of it is given up, if it fits alone
	size     int  // encoded, in bytes, like limit
	limit    int
	hadNone  []bool // the interface has no address of IPv4 or IPv6
	dropped  []bool
	left     rpcap.LeftOut
	addrSize int // of one address, encoded
}

// fit shortens the list to limit bytes and says in its last entry what was left out. In
// this order: link-layer addresses; all but one of the other addresses, evenly; interfaces
// that are down and have none; the last addresses, as far as they take more than half of
// the message and more than the names leave; interfaces without address; the rest. Each
// time the last ones of the list go first.
func fit(list []rpcap.Interface, chosen bool, limit int) ([]rpcap.Interface, rpcap.LeftOut) {
	f := fitting{list: list, chosen: chosen, limit: limit - leftOutRoom, addrSize: addressSize()}
	for i := range list {
		f.size += list[i].Size()
	}
	if f.size <= limit {
		return list, rpcap.LeftOut{}
	}
	f.hadNone, f.dropped = make([]bool, len(list)), make([]bool, len(list))
	for i := range list {
		n := len(list[i].Addresses)
		f.hadNone[i] = n == 0 || n == 1 && linkLayer(&list[i].Addresses[0])
	}
	f.dropLinkLayer()
	f.levelAddresses()
	f.dropInterfaces(func(i int) bool { return f.hadNone[i] && f.list[i].Flags&rpcap.InterfaceUp == 0 })
	f.dropLastAddresses()
	f.dropInterfaces(func(i int) bool { return f.hadNone[i] })
	f.dropInterfaces(func(i int) bool { return len(f.list[i].Addresses) == 0 })
	f.dropInterfaces(func(int) bool { return true })
	f.cutChosen()
	return f.kept(), f.left
}

func addressSize() int {
	one := rpcap.Interface{Addresses: make([]rpcap.Address, 1)}
	return one.Size() - (&rpcap.Interface{}).Size()
}

func linkLayer(a *rpcap.Address) bool { return a.Addr.Family() == rpcap.FamilyLinkLayer }

func (f *fitting) tooLong() bool { return f.size > f.limit }

// backwards calls give for the interfaces that may be shortened, the last one first,
// until the list fits.
func (f *fitting) backwards(give func(i int)) {
	first := 0
	if f.chosen {
		first = 1
	}
	for i := len(f.list) - 1; i >= first && f.tooLong(); i-- {
		if !f.dropped[i] {
			give(i)
		}
	}
}

func (f *fitting) dropLinkLayer() {
	f.backwards(func(i int) {
		if a := f.list[i].Addresses; len(a) > 0 && linkLayer(&a[0]) {
			f.setAddresses(i, a[1:])
		}
	})
}

func (f *fitting) setAddresses(i int, a []rpcap.Address) {
	n := len(f.list[i].Addresses) - len(a)
	f.list[i].Addresses = a
	f.size -= n * f.addrSize
	f.left.Addresses += n
}

// levelAddresses takes the addresses of those interfaces that have the most, down to one.
func (f *fitting) levelAddresses() {
	above := f.countAbove()
	level := len(above) - 1
	excess := f.size - f.limit
	for ; level > 1; level-- { // to the level at which enough has been given up, and one above
		if excess -= above[level] * f.addrSize; excess <= 0 {
			break
		}
	}
	level = max(level, 1)
	f.backwards(func(i int) {
		if a := f.list[i].Addresses; len(a) > level {
			f.setAddresses(i, a[:level])
		}
	})
	if level > 1 {
		f.backwards(func(i int) {
			if a := f.list[i].Addresses; len(a) == level {
				f.setAddresses(i, a[:level-1])
			}
		})
	}
}

// countAbove counts, for each n, the interfaces that have at least n addresses.
func (f *fitting) countAbove() []int {
	most := 0
	for i := range f.list {
		most = max(most, len(f.list[i].Addresses))
	}
	above := make([]int, most+1)
	for i := range f.list {
		if i > 0 || !f.chosen {
			above[len(f.list[i].Addresses)]++
		}
	}
	for n := most - 1; n >= 0; n-- {
		above[n] += above[n+1]
	}
	return above
}

func (f *fitting) dropInterfaces(which func(i int) bool) {
	f.backwards(func(i int) {
		if which(i) {
			f.setAddresses(i, nil)
			f.size -= f.list[i].Size()
			f.dropped[i] = true
			f.left.Interfaces++
		}
	})
}

// dropLastAddresses takes the only address of interfaces, those of link-local scope
// first. Half of the message is theirs all the same: names alone leave a rule by address
// nothing to go by.
func (f *fitting) dropLastAddresses() {
	addresses := 0
	for i := range f.list {
		addresses += len(f.list[i].Addresses)
	}
	for _, local := range []bool{true, false} {
		f.backwards(func(i int) {
			a := f.list[i].Addresses
			if len(a) == 0 || addresses*f.addrSize <= f.limit/2 {
				return
			}
			if ip, ok := a[0].Addr.Addr(); !local || ok && ip.IsLinkLocalUnicast() {
				addresses -= len(a)
				f.setAddresses(i, nil)
			}
		})
	}
}

// cutChosen shortens the preselected interface, when nothing else is left to give.
func (f *fitting) cutChosen() {
	if a := f.list[0].Addresses; f.tooLong() {
		over := (f.size - f.limit + f.addrSize - 1) / f.addrSize
		f.setAddresses(0, a[:max(0, len(a)-over)])
	}
}

func (f *fitting) kept() []rpcap.Interface {
	kept := f.list[:0]
	for i := range f.list {
		if !f.dropped[i] {
			kept = append(kept, f.list[i])
		}
	}
	last := &kept[len(kept)-1]
	d := rpcap.ParseDescription(last.Description)
	d.LeftOut = f.left
	last.Description = d.String()
	return kept
}
