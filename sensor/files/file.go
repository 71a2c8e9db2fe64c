package files

import (
	"container/list"
	"errors"
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

// clockSlack is how much longer than meant a file lasts when the clock was set back under way.
const clockSlack = time.Minute

// over reports whether the time of a file has come: by the clock, or, should that have been set back, by the time that
// has passed.
func (f *file) over(now time.Time) bool {
	return !f.until.IsZero() && (!now.Before(f.until) || now.Sub(f.begun) >= f.lasts+clockSlack)
}

// Write is what the encoder writes to.
func (f *file) Write(p []byte) (int, error) {
	n, err := f.fd.Write(p)
	f.disk += int64(n)
	f.sink.inUse.Add(int64(n))
	f.sink.written.Add(uint64(n))
	f.unsynced = true
	return n, err
}

// emit writes whole blocks. Of a write that fails what is whole stays in the file.
func (f *file) emit(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if f.enc != nil {
		f.dirty = true
		_, err := f.enc.Write(b)
		return err
	}
	n, err := f.Write(b)
	if err == nil {
		return nil
	}
	whole := f.lose(b, n)
	if cutErr := f.fd.Truncate(f.disk - int64(n-whole)); cutErr != nil {
		return errors.Join(err, cutErr)
	}
	f.disk -= int64(n - whole)
	f.sink.inUse.Add(-int64(n - whole))
	return err
}

// lose counts the frames in b that do not end within its first n bytes, and returns where the last one that does ends.
// What compressed files lack is counted when they are finished.
func (f *file) lose(b []byte, n int) (whole int) {
	switch {
	case f.sink.opts.Compress != Uncompressed:
	case f.sink.opts.Format == savefile.Pcapng:
		whole = savefile.Whole(b[:n])
		f.loseBlocks(b[whole:])
		f.undeliver(b[whole:])
	default:
		header := 0
		if f.disk == int64(n) { // the first bytes of the file
			header = savefile.PcapHeaderSize
		}
		var lost tally
		whole, lost = wholeRecords(b, header, n)
		f.loseSome(lost)
	}
	return whole
}

// undeliver takes frames that could not be written out of the statistics at the end.
func (f *file) undeliver(b []byte) {
	for b := range savefile.Blocks(b) {
		if id := b.Interface(); b.IsPacket() && int(id) < len(f.order) {
			f.order[id].numbers.Delivered--
		}
	}
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

// interfaceKey tells interface blocks apart. A source that comes back with the same ones gets its old block again.
type interfaceKey struct {
	name, filter string
	linkType     uint32
	snaplen      uint32
}

func keyOf(src sink.Source) interfaceKey {
	return interfaceKey{src.Name(), src.Filter, src.LinkType, src.Snaplen}
}
