package files

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"rpcapd/savefile"
	"rpcapd/sensor/sink"
	"rpcapd/udpstr"
)

// batchOf returns n frames of size bytes from a number on.
func batchOf(n, size int, from uint64) []udpstr.Packet {
	batch := make([]udpstr.Packet, n)
	for i, f := range testFrames(n, size) {
		f.Data, f.Len = f.Data[:size], uint32(size)
		batch[i] = udpstr.Packet{Frame: f, Number: from + uint64(i)}
	}
	return batch
}

// TestSingleBatch: frames that come together are written like those that come one by one, in order, and counted alike; so are
// those of two streams that take turns.
func TestSingleBatch(t *testing.T) {
	one, many := &syncBuffer{}, &syncBuffer{}
	var counters [2][2]sink.Counters
	for k, out := range []*syncBuffer{one, many} {
		s := NewSingle("out", out, false, nil)
		a, b := s.Attach(testSource("a", "eth0", 1)), s.Attach(testSource("b", "eth1", 1))
		for round := range 3 {
			for _, f := range []sink.Feed{a, b, b} {
				batch := batchOf(round+1, 60+round, uint64(round))
				if k == 1 {
					f.(sink.BatchFeed).Frames(batch)
					continue
				}
				for i := range batch {
					f.Frame(&batch[i])
				}
			}
		}
		stop := runSink(s)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		counters[k] = [2]sink.Counters{a.Counters(), b.Counters()}
	}
	want, got := readPcapng(t, one.Bytes()), readPcapng(t, many.Bytes())
	if len(want) != 18 || len(got) != len(want) {
		t.Fatalf("%d frames one by one, %d together", len(want), len(got))
	}
	for i := range want {
		if string(got[i].data) != string(want[i].data) || got[i].name != want[i].name || !got[i].time.Equal(want[i].time) {
			t.Errorf("frame %d: %+v, want %+v", i, got[i], want[i])
		}
	}
	if counters[0] != counters[1] || counters[0][0].Written != 6 || counters[0][1].Written != 12 || counters[0][1].Bytes != 2*(60+2*61+3*62) {
		t.Errorf("counters %+v", counters)
	}
}

// TestSingleBatchWithoutRoom: of frames that come together those are taken that there is room for, and the others counted.
func TestSingleBatchWithoutRoom(t *testing.T) {
	s := NewSingle("slow", &syncBuffer{}, false, nil)
	f := s.Attach(testSource("a", "eth0", 1)).(sink.BatchFeed)
	const together, size = 3, 60_000
	sent := uint64(0)
	for f.Counters().Dropped == 0 {
		f.Frames(batchOf(together, size, sent+1))
		sent += together
	}
	c := f.Counters()
	if c.Waiting != queueChunks*together+1 || c.Waiting+c.Dropped != sent {
		t.Errorf("%+v of %d frames", c, sent)
	}
	stop := runSink(s)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if got := f.Counters(); got.Written != c.Waiting || got.Bytes != size*c.Waiting || got.Dropped != c.Dropped || got.Waiting != 0 {
		t.Errorf("at the end %+v, before %+v", got, c)
	}
}

// partWriter takes some bytes and then none.
type partWriter struct{ room int }

func (w *partWriter) Write(p []byte) (int, error) {
	n := min(w.room, len(p))
	w.room -= n
	if n < len(p) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

// TestSingleBatchWrittenInPart: of a chunk that could be written in part, the frames that are whole are written, the others
// dropped.
func TestSingleBatchWrittenInPart(t *testing.T) {
	src := testSource("a", "eth0", 1)
	head := len(savefile.AppendInterface(savefile.AppendSectionHeader(nil, application), src.InterfaceBlock()))
	s := NewSingle("disk", &partWriter{head + 3*savefile.PacketSize(100) + 50}, false, nil)
	f := s.Attach(src).(sink.BatchFeed)
	f.Frames(batchOf(10, 100, 1))
	if err := s.Run(t.Context()); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if want := (sink.Counters{Written: 3, Bytes: 300, Dropped: 7}); f.Counters() != want {
		t.Errorf("%+v, want %+v", f.Counters(), want)
	}
}

// TestSingleBatchInFile: frames in a regular file wait for the look.
func TestSingleBatchInFile(t *testing.T) { singleBatchInFile(t, false) }

// singleBatchInFile writes frames to a file, which is taken away before the look if that is asked for.
func singleBatchInFile(t *testing.T, gone bool) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "out.pcapng")
	w, err := OpenOneFile(name)
	if err != nil {
		t.Fatal(err)
	}
	s := NewSingle(name, w, false, nil)
	f := s.Attach(testSource("a", "eth0", 1)).(sink.BatchFeed)
	f.Frames(batchOf(10, 100, 1))
	if err := s.writeQueued(); err != nil {
		t.Fatal(err)
	}
	if c := f.Counters(); c.Waiting != 10 || c.Written != 0 {
		t.Errorf("before the look %+v", c)
	}
	want := sink.Counters{Written: 10, Bytes: 1000}
	if gone {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		want = sink.Counters{Dropped: 10}
	}
	if err := s.look(); (err != nil) != gone {
		t.Errorf("gone %v: %v", gone, err)
	}
	if f.Counters() != want {
		t.Errorf("gone %v: %+v, want %+v", gone, f.Counters(), want)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

// TestBatchDoesNotAllocate: nothing is allocated for frames while the queue has memory.
func TestBatchDoesNotAllocate(t *testing.T) {
	s := NewSingle("out", failingWriter{}, false, nil)
	f := s.Attach(testSource("a", "eth0", 1)).(sink.BatchFeed)
	batch := batchOf(20, 64, 1)
	step := func() {
		f.Frames(batch)
		if c := s.queue.Take(); c != nil {
			s.queue.GiveBack(c)
		}
	}
	step()
	if n := testing.AllocsPerRun(100, step); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
