package sink

import (
	"context"
	"errors"
	"net/netip"
	"strconv"

	"rpcapd/printable"
	"rpcapd/savefile"
	"rpcapd/udpstr"
)

var (
	// ErrConsumerGone is wrapped by the error of a sink whose reader has gone away; for a pipe that is a normal end.
	ErrConsumerGone = errors.New("nobody reads any more")
	// ErrTryAgain is wrapped by the error of a sink whose Run may be called again: the disk was full, the listener of a
	// connection dialed out was not there. The sensor does so after a pause of 1 s that grows to 30 s.
	ErrTryAgain = errors.New("tried again later")
)

// Source names where the frames of one feed come from. It does not change while the feed lives.
type Source struct {
	Host        string     // the agent's alias, else its own name, else its address; "#2" is appended when two sessions would have the same Name
	Agent       netip.Addr // the address the agent's control connection comes from
	Interface   string
	Description string // as the agent gave it, without the preselected mark
	LinkType    uint32 // DLT number as the agent gave it; savefile.FromDLT converts
	Snaplen     uint32 // bytes, what was asked of the agent
	Filter      string // tcpdump syntax; empty is everything. A reload may change it: that of the beginning stays here
	Rule        string
}

// Name is "host/interface".
func (s Source) Name() string { return s.Host + "/" + s.Interface }

// Shown is Name fit to be logged.
func (s *Source) Shown() string { return printable.Line(s.Name(), printable.MaxName) }

// Sink is a consumer of all streams: a file, standard output, a network server.
//
// A sink is independent of the others: a slow one loses its own copy of a frame and counts it, one that fails is shown
// as failed by Sensor.Sinks while the sensor goes on. Only that of Options.Purpose ends the sensor with it. A sink may
// also have a method Status() Status, to show more of itself.
type Sink interface {
	// Name is short and constant, for logs and status; no two sinks of a sensor have the same.
	Name() string
	// Attach announces a stream. It is called before its first frame, from any goroutine, also before Run and after
	// Run has failed, and must not block.
	Attach(Source) Feed
	// Run works until ctx is cancelled, which happens after every feed was detached; it then writes what is queued,
	// the statistics, and returns. A return before that means that the sink cannot go on, and that its feeds count
	// every further frame as dropped; an error that wraps ErrConsumerGone means that nobody reads any more, one that
	// wraps ErrTryAgain that Run is to be called again.
	Run(ctx context.Context) error
}

// Feed takes the frames of one stream. Calls of Frame, of Frames if it is a BatchFeed, and of Detach never overlap.
type Feed interface {
	// Frame takes one frame. It must not block and must not keep p or its data: a frame for which the sink has no
	// room is dropped and counted.
	Frame(p *udpstr.Packet)
	// Counters may be called at any time after Attach, also while Frame runs, and after Detach: as long as frames wait they
	// change. No counter but Waiting ever falls.
	Counters() Counters
	// Detach ends the feed with the agent's last numbers. Only calls of Counters follow.
	Detach(Forwarded)
}

// BatchFeed is a Feed that takes frames together, to pay once for what they have in common.
type BatchFeed interface {
	Feed
	// Frames is Frame for each of the frames, of which there is at least one, in order. It must not change them: other feeds get
	// the same.
	Frames([]udpstr.Packet)
}

// Frames gives frames to a feed, together if it takes them so.
func Frames(f Feed, batch []udpstr.Packet) {
	if b, ok := f.(BatchFeed); ok {
		b.Frames(batch)
		return
	}
	for i := range batch {
		f.Frame(&batch[i])
	}
}

// Counters says what became of the frames given to a feed: each of them is in Written, Dropped, LeftOut or Waiting.
type Counters struct {
	Written uint64 // frames that are where they belong
	Bytes   uint64 // of frame data in them
	Dropped uint64 // no room, link type not possible, sink failed
	LeftOut uint64 // not wanted by the sink's Selection
	Waiting uint64 // taken, and not yet known to be written: queued, or in a file that was not looked after since
}

// Taken is the number of frames that the sink has accepted and not lost.
func (c Counters) Taken() uint64 { return c.Written + c.Waiting }

// Add sums two feeds' counters.
func (c *Counters) Add(o Counters) {
	c.Written += o.Written
	c.Bytes += o.Bytes
	c.Dropped += o.Dropped
	c.LeftOut += o.LeftOut
	c.Waiting += o.Waiting
}

// Since is what has changed; Waiting may have fallen, and add then takes it away.
func (c Counters) Since(o Counters) Counters {
	return Counters{
		Written: c.Written - o.Written, Bytes: c.Bytes - o.Bytes, Dropped: c.Dropped - o.Dropped,
		LeftOut: c.LeftOut - o.LeftOut, Waiting: c.Waiting - o.Waiting,
	}
}

// InterfaceBlock is what a capture file says of a source. What an agent has said is made printable, for whoever shows the
// file's names and comments may do so on a terminal. The snap length of every block is the same because readers such as
// tcpdump stop at one that differs; the comment has the real one.
func (s Source) InterfaceBlock() savefile.Interface {
	return savefile.Interface{
		Name: printable.Name(s.Name()), Description: printable.Line(s.Description, printable.MaxText),
		Filter: printable.Text(s.Filter),
		Comment: "agent " + s.Agent.String() + ", rule " + printable.Name(s.Rule) +
			", snap length " + strconv.FormatUint(uint64(s.Snaplen), 10),
		LinkType: savefile.FromDLT(s.LinkType),
	}
}

// Forwarded is what the agent says of its capture (STATS), summed in 64 bits. All zero and Known false before the
// first answer.
type Forwarded struct {
	Known            bool
	Received         uint64 // ifrecv: accepted by the filter, ring drops included
	InterfaceDropped uint64 // ifdrop
	KernelDropped    uint64 // krnldrop: dropped because the agent's ring was full
	Captured         uint64 // svrcapt: given to the forwarder, equals the number of the last frame
}

// Since is what was forwarded after an earlier reading.
func (f Forwarded) Since(earlier Forwarded) Forwarded {
	f.Received -= earlier.Received
	f.InterfaceDropped -= earlier.InterfaceDropped
	f.KernelDropped -= earlier.KernelDropped
	f.Captured -= earlier.Captured
	return f
}

// Add adds the numbers of another stream.
func (f *Forwarded) Add(o Forwarded) {
	f.Known = f.Known || o.Known
	f.Received += o.Received
	f.InterfaceDropped += o.InterfaceDropped
	f.KernelDropped += o.KernelDropped
	f.Captured += o.Captured
}
