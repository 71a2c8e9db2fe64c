package sink

import (
	"net/netip"
	"testing"

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
