package files

import (
	"container/list"
	"os"
	"time"

	"rpcapd/savefile"
	"rpcapd/sensor/sink"
)

// file is a file that is not complete. The goroutine that writes has it, then the one that finishes.
type file struct {
	group  *group
	name   string // the final one, below the sink's directory; NAME.part until then
	fd     *os.File
	info   os.FileInfo   // of fd, to know the file again
	enc    encoder       // with compression, while fd is open
	place  *list.Element // in the order of use, while fd is open
	buf    []byte        // whole blocks that are not written yet
	begun  time.Time
	until  time.Time     // with RotateTime
	lasts  time.Duration // from begun until then, if nobody sets the clock
	frames uint64
	looked uint64 // frames at the last look whether the file is where it belongs
	data   uint64 // bytes of frames
	gone   tally  // of them that could not be written, as far as that is known
	size   int64  // before compression, buf included
	disk   int64  // written to fd
	sink   *Sink

	left     bool   // nobody writes to it any more
	dirty    bool   // there is something in buf, or in the encoder
	listed   bool   // in the writer's list of those
	broken   bool   // what the encoder has begun could not be ended
	unsynced bool   // something was written since the last fsync
	linkType uint32 // of the first interface
	index    map[interfaceKey]*fileInterface
	order    []*fileInterface
}

// fileInterface is an interface block of a file.
type fileInterface struct {
	id      uint32
	numbers savefile.Statistics
	shares  []*share
	begun   bool // a stream of it began in an earlier file: what its agent says at the end is not of this file alone
}

func (f *file) part() string { return f.name + partSuffix }

// look reports whether a file is where it was, under a name, with all that was written.
func (f *file) look(p *place, name string) error {
	now, err := p.root.Lstat(name)
	switch {
	case isGone(err):
		return takenError{errMoved}
	case err != nil:
		return err
	case !os.SameFile(now, f.info):
		return takenError{errReplaced}
	case now.Size() < f.disk:
		return takenError{errTruncated}
	}
	return nil
}

// clockSlack is how much longer than meant a file lasts when the clock was set back under way.
const clockSlack = time.Minute

// over reports whether the time of a file has come: by the clock, or, should that have been set back, by the time that
// has passed.
func (f *file) over(now time.Time) bool {
	return !f.until.IsZero() && (!now.Before(f.until) || now.Sub(f.begun) >= f.lasts+clockSlack)
}

// statisticsRoom is what the end of the file needs.
func (f *file) statisticsRoom() int64 {
	if f.sink.opts.Format == savefile.Pcap {
		return 0
	}
	return int64(len(f.order)) * savefile.StatisticsSize
}

// statistics is the end of the file.
func (f *file) statistics(now time.Time) (b []byte) {
	if f.sink.opts.Format == savefile.Pcap {
		return nil
	}
	for _, i := range f.order {
		n := i.numbers
		n.End = now
		n.Known = n.Known && !i.begun
		b = savefile.AppendStatistics(b, i.id, n)
	}
	return b
}

// share is what a file has of a feed since somebody last looked whether the file is still where it belongs. Its frames wait:
// they are counted as written, or as dropped, after the next look.
type share struct {
	feed *feed
	tally
	over bool // the feed has ended: nothing comes any more
}

// addForwarded adds what an agent says at the end of a capture.
func addForwarded(to *savefile.Statistics, sum sink.Forwarded) {
	to.Known = to.Known || sum.Known
	to.Received += sum.Received
	to.InterfaceDropped += sum.InterfaceDropped
	to.KernelDropped += sum.KernelDropped
}

// interfaceKey tells interface blocks apart. A source that comes back with the same ones gets its old block again.
type interfaceKey struct {
	name, filter string
	linkType     uint32
	snaplen      uint32
}

func keyOf(src sink.Source) interfaceKey {
	return interfaceKey{src.Name(), src.Filter, src.LinkType, src.Snaplen}
}
