package sink

import (
	"fmt"
	"net/netip"
	"testing"

	"rpcapd/filter"
	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

// lengthSink notes the lengths of the frames it gets, and that it was closed.
type lengthSink struct {
	testSink
	lengths []int
	closed  int
}

type lengthFeed struct {
	Feed
	sink *lengthSink
}

func (s *lengthSink) Attach(src Source) Feed { return &lengthFeed{s.testSink.Attach(src), s} }
func (f *lengthFeed) Frame(p *udpstr.Packet) {
	f.sink.lengths = append(f.sink.lengths, len(p.Data))
	f.Feed.Frame(p)
}
func (s *lengthSink) Close() error {
	s.closed++
	return nil
}

// TestMaxFrame: one output gets no more of a frame than it wants, the number of cut ones is known, and the frame is whole for
// the next output.
func TestMaxFrame(t *testing.T) {
	under := &lengthSink{}
	k, err := Select(t.Context(), Selection{MaxFrame: 100}, under)
	if err != nil {
		t.Fatal(err)
	}
	f := k.Attach(Source{Host: "a", Agent: netip.MustParseAddr("10.0.0.1"), LinkType: 1})
	for _, n := range []int{99, 100, 101, 65535} {
		p := &udpstr.Packet{Frame: udpstr.Frame{Data: make([]byte, n), Len: uint32(n)}}
		if f.Frame(p); len(p.Data) != n || p.Len != uint32(n) {
			t.Errorf("a frame of %d bytes is one of %d, %d on the wire, for the next output", n, len(p.Data), p.Len)
		}
	}
	if want := [4]int{99, 100, 100, 100}; [4]int(under.lengths) != want {
		t.Errorf("%v, want %v", under.lengths, want)
	}
	st := k.(interface{ Status() Status }).Status()
	if n := len(st.Details); n != 2 || st.Details[0].Text != "100 bytes" || st.Details[1].Number != 2 || !st.Details[1].Total {
		t.Errorf("status %+v", st.Details)
	}
	p := &udpstr.Packet{Frame: udpstr.Frame{Data: make([]byte, 200), Len: 200}}
	under.lengths = make([]int, 0, 1000)
	if n := testing.AllocsPerRun(100, func() { f.Frame(p) }); n > 0 {
		t.Errorf("%v allocations for each frame", n)
	}
}

// TestSelectedSinkCloses: a sink behind a selection that never runs is closed like another.
func TestSelectedSinkCloses(t *testing.T) {
	under := &lengthSink{}
	k, err := Select(t.Context(), Selection{Agents: []string{"web*"}}, under)
	if err != nil {
		t.Fatal(err)
	}
	c, ok := k.(interface{ Close() error })
	if !ok {
		t.Fatal("it cannot be closed")
	}
	if err := c.Close(); err != nil || under.closed != 1 {
		t.Errorf("%v, closed %d times", err, under.closed)
	}
}

// togetherSink notes the numbers of the frames that it gets together.
type togetherSink struct {
	testSink
	batches [][]uint64
}

type togetherFeed struct {
	Feed
	sink *togetherSink
}

func (s *togetherSink) Attach(src Source) Feed { return &togetherFeed{s.testSink.Attach(src), s} }
func (f *togetherFeed) Frames(batch []udpstr.Packet) {
	var numbers []uint64
	for _, p := range batch {
		numbers = append(numbers, p.Number)
		f.Feed.Frame(&p)
	}
	f.sink.batches = append(f.sink.batches, numbers)
}

// TestFramesTogether: what a selection wants stays together and in order, what it does not want is counted; a feed that takes
// frames one by one gets them so.
func TestFramesTogether(t *testing.T) {
	batch := make([]udpstr.Packet, 6)
	for i := range batch {
		batch[i] = udpstr.Packet{Number: uint64(i + 1), Frame: udpstr.Frame{Data: make([]byte, 100), Len: 100}}
	}
	src := Source{Host: "a", Agent: netip.MustParseAddr("10.0.0.1"), LinkType: 1}

	under := &togetherSink{}
	f := &selectedFeed{sink: &selectedSink{Sink: under, selector: &Selector{}}, source: src, matches: true}
	f.attach()
	Frames(f, batch)
	f.sink.selector = lengthSelector(t, 100)
	batch[0].Len, batch[2].Len, batch[5].Len = 99, 99, 99
	Frames(f, batch)
	if got, want := fmt.Sprint(under.batches), "[[1 2 3 4 5 6] [2] [4 5]]"; got != want {
		t.Errorf("together %s, want %s", got, want)
	}
	if c := f.Counters(); c.LeftOut != 3 || c.Written != 9 {
		t.Errorf("%+v", c)
	}

	cut := &lengthSink{}
	k, err := Select(t.Context(), Selection{MaxFrame: 60}, cut)
	if err != nil {
		t.Fatal(err)
	}
	if Frames(k.Attach(src), batch); len(cut.lengths) != len(batch) || cut.lengths[0] != 60 || len(batch[0].Data) != 100 {
		t.Errorf("lengths %v, the next output gets %d bytes", cut.lengths, len(batch[0].Data))
	}

	single := &lengthSink{}
	if Frames(&Attachment{Feed: single.Attach(src)}, batch); len(single.lengths) != len(batch) {
		t.Errorf("%d frames of %d", len(single.lengths), len(batch))
	}
}

// lengthSelector wants Ethernet frames of at least n bytes on the wire.
func lengthSelector(t *testing.T, n uint32) *Selector {
	t.Helper()
	c, err := filter.UserSpace(1, filter.Exclusion{}, rpcap.Program{
		{Op: 0x80}, {Op: 0x35, Jf: 1, K: n}, {Op: 6, K: rpcap.MaxSnaplen}, {Op: 6}, // ld len; jge n
	}, rpcap.MaxSnaplen)
	if err != nil {
		t.Fatal(err)
	}
	s := &Selector{filter: "length"}
	s.machines.Store(&map[uint32]*machine{1: {vm: c.VM, state: machineReady}})
	return s
}
