package agent

import (
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"rpcapd/capture"
	"rpcapd/iface"
)

// interfaces is what can be captured: the host's interfaces, or one file that
// takes their place.
type interfaces struct {
	file string        // path of the capture file; empty: the host
	name string        // that the file appears as
	pipe *capture.Pipe // of a file that can be read only once
	raw  atomic.Bool   // Driver = raw: IP packets, without a capture driver

	ignored atomic.Pointer[iface.Patterns] // IgnoreInterfaces

	read func() ([]iface.Interface, error) // iface.List but for tests

	mu     sync.Mutex // a leaf; guards what follows
	last   []iface.Interface
	lastAt time.Time
}

// listFor is how long a list serves all sessions. Many that begin at once would each ask for it several times; the agent itself
// looks anew after each change.
const listFor = 100 * time.Millisecond

// list are the interfaces that sensors may be offered.
func (i *interfaces) list() ([]iface.Interface, error) {
	i.mu.Lock()
	last, age := i.last, time.Since(i.lastAt)
	i.mu.Unlock()
	if last == nil || age >= listFor {
		var err error
		if last, err = i.all(); err != nil {
			return nil, err
		}
	}
	return slices.Clone(i.offered(last)), nil
}

// offered are those of a list that IgnoreInterfaces leaves.
func (i *interfaces) offered(list []iface.Interface) []iface.Interface {
	if p := i.ignored.Load(); p != nil && i.file == "" {
		return iface.Without(list, *p)
	}
	return list
}

// ignores tells whether IgnoreInterfaces leaves an interface out.
func (i *interfaces) ignores(one *iface.Interface) bool {
	p := i.ignored.Load()
	return p != nil && i.file == "" && p.Matches(one)
}

// all are the interfaces that there are now.
func (i *interfaces) all() ([]iface.Interface, error) {
	if i.file != "" {
		return []iface.Interface{{
			Name:        i.name,
			Description: "capture file",
			Flags:       iface.Up | iface.Running,
		}}, nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	list, err := i.read()
	if err != nil {
		return nil, err
	}
	i.last, i.lastAt = list, time.Now()
	return list, nil
}

// named finds the interface that has a name, or alternative name; false if none has. One that is ignored is an error.
func (i *interfaces) named(name string) (iface.Interface, bool, error) {
	list, err := i.all()
	if err != nil {
		return iface.Interface{}, false, fmt.Errorf("list interfaces: %w", err)
	}
	n, found := iface.Selector{Name: name}.First(list)
	if !found {
		return iface.Interface{}, false, nil
	}
	if i.ignores(&list[n]) {
		return iface.Interface{}, false, fmt.Errorf("interface %s is left out by IgnoreInterfaces of the agent's ini", list[n].Name)
	}
	return list[n], true, nil
}

// addresses are those of an interface now, none if they cannot be told.
func (i *interfaces) addresses(name string) []netip.Addr {
	list, err := i.all()
	if err != nil {
		return nil
	}
	return addressesOf(list, name)
}

func addressesOf(list []iface.Interface, name string) []netip.Addr {
	for n := range list {
		if list[n].Name != name {
			continue
		}
		addrs := make([]netip.Addr, len(list[n].Addresses))
		for a := range addrs {
			addrs[a] = list[n].Addresses[a].Addr
		}
		return addrs
	}
	return nil
}

// useRaw puts Driver = raw in force, where there is a choice, and tells its limits.
func (i *interfaces) useRaw(raw bool, log *zap.Logger) {
	raw = raw && runtime.GOOS == "windows" && i.file == ""
	if before := i.raw.Swap(raw); raw && !before {
		log.Warn("Driver = raw: only IP packets are captured, without link-layer headers and ARP, and losses in the receive buffer are not counted")
	}
}

// linkType opens the interface for a moment, as OPEN asks for.
func (i *interfaces) linkType(name string) (uint32, error) {
	if i.file == "" && !i.raw.Load() {
		return capture.LinkType(name)
	}
	if i.pipe != nil && name == i.name {
		return i.pipe.LinkType(), nil
	}
	src, err := i.open(capture.Options{Interface: name})
	if err != nil {
		return 0, err
	}
	return src.LinkType(), src.Close()
}

func (i *interfaces) open(o capture.Options) (capture.Source, error) {
	switch {
	case i.file != "":
	case i.raw.Load():
		return capture.OpenRaw(o)
	default:
		return capture.Open(o)
	}
	if o.Interface != i.name {
		return nil, fmt.Errorf("open %s: only the capture file %s can be opened", o.Interface, i.name)
	}
	if i.pipe != nil {
		return i.pipe.Open(o)
	}
	return capture.OpenFile(i.file, o)
}
