package pcapoverip

import (
	"slices"
	"time"

	"rpcapd/savefile"
	"rpcapd/sensor/sink"
)

const (
	// maxInterfaces bounds the interfaces of a stream: names come from agents.
	maxInterfaces = 4096
)

// table is the interfaces of all streams, numbered anew whenever the first client comes. backlog.mu guards it.
type table struct {
	feeds      []*feed // attached ones, in order
	interfaces []*ifaceEntry
	index      map[ifaceKey]*ifaceEntry
	oneType    bool  // classic pcap
	linkType   int64 // of all streams when oneType, else of the first source; -1 before it
	mixed      bool  // there was a second one, and the log knows
}

type ifaceKey struct {
	name, filter string
	linkType     uint32
	snaplen      uint32
}

// ifaceEntry is one interface. Its fields do not change, but for those that say so.
type ifaceEntry struct {
	id     uint32
	source sink.Source
	block  []byte    // the interface block
	start  time.Time // of the first feed

	forwarded sink.Forwarded // of the feeds that were detached; guarded by backlog.mu
}

// fits reports whether frames of a source can be in these streams at all.
func (t *table) fits(src sink.Source) bool {
	fileType := savefile.FromDLT(src.LinkType)
	return fileType <= savefile.MaxLinkType && (!t.oneType || t.linkType == int64(fileType))
}

// settle makes the first source's link type that of a classic stream.
func (t *table) settle(src sink.Source) {
	if fileType := savefile.FromDLT(src.LinkType); t.linkType < 0 && fileType <= savefile.MaxLinkType {
		t.linkType = int64(fileType)
	}
}

// fill numbers the interfaces of all feeds.
func (t *table) fill() {
	t.clear()
	for _, f := range t.feeds {
		t.number(f)
	}
}

func (t *table) clear() {
	t.interfaces, t.index = nil, make(map[ifaceKey]*ifaceEntry)
	for _, f := range t.feeds {
		f.entry = nil
	}
}

// number gives a feed its interface, one that it had before if there is one. It reports whether there is a new one.
func (t *table) number(f *feed) (added bool) {
	if !t.fits(f.source) {
		return false
	}
	src := f.source
	key := ifaceKey{src.Name(), src.Filter, src.LinkType, src.Snaplen}
	if f.entry = t.index[key]; f.entry != nil || len(t.interfaces) >= maxInterfaces {
		return false
	}
	f.entry = &ifaceEntry{id: uint32(len(t.interfaces)), source: src, start: f.begin, block: savefile.AppendInterface(nil, src.InterfaceBlock())}
	t.interfaces = append(t.interfaces, f.entry)
	t.index[key] = f.entry
	return true
}

func (t *table) remove(f *feed) {
	t.feeds = slices.DeleteFunc(t.feeds, func(o *feed) bool { return o == f })
}

// feed is one stream of the sensor. All that changes is guarded by backlog.mu.
type feed struct {
	sink   *Sink
	source sink.Source
	begin  time.Time

	entry    *ifaceEntry // nil: nobody is connected, or the frames cannot be in these streams
	counters sink.Counters
}
