package udpstr

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Recordings of the C agent; the README in this folder tells how they were made.
const recordings = "../test/testdata/vectors"

// recordedCapture is what was recorded of one capture.
type recordedCapture struct {
	name      string
	limit     int
	threaded  bool // the C agent ran in its two-thread mode
	flushes   bool // the C agent sent what it had when nothing more came
	datagrams [][]byte
	frames    []Frame      // that it captured, made from those injected
	complete  int          // so many of them came with all their bytes
	tail      int          // bytes that the one after those lacks
	idle      map[int]bool // nothing came for a while after these frames
}

type session struct {
	Phases []struct {
		Capture int
		Frames  [2]int
		Idle    float64 `json:"idle_after_each_frame_s"`
	}
	Captures []struct {
		Snaplen uint32
		Layout  []struct {
			HeaderOffsets []int `json:"header_offsets"`
		} `json:"datagram_layout"`
		Incomplete int `json:"incomplete_tail_bytes_missing"`
		Packets    []struct {
			Len, Sec, Usec uint32
			Injected       int
		}
	}
	Note    string
	Options []string `json:"agent_options"`
}

func readJSON(t testing.TB, name string, v any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(recordings, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// readPcap returns the frames of a little-endian pcap file.
func readPcap(t testing.TB, name string) [][]byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(recordings, name))
	if err != nil {
		t.Fatal(err)
	}
	var frames [][]byte
	for b = b[24:]; len(b) > 0; {
		n := binary.LittleEndian.Uint32(b[8:])
		frames = append(frames, b[16:16+n])
		b = b[16+n:]
	}
	return frames
}

// readRecorded returns capture i of a recorded session.
func readRecorded(t testing.TB, name string, i int) recordedCapture {
	t.Helper()
	var s session
	readJSON(t, name+".session.json", &s)
	var datagrams []struct{ Hex string }
	readJSON(t, fmt.Sprintf("%s.capture%d.datagrams.json", name, i+1), &datagrams)
	injected := readPcap(t, name+".injected.pcap")
	capture := s.Captures[i]

	c := recordedCapture{name: fmt.Sprintf("%s.capture%d", name, i+1), limit: DefaultLimit, idle: map[int]bool{}}
	c.flushes = strings.Contains(s.Note, "1.7.4")
	for k, o := range s.Options {
		switch o {
		case "-t":
			fmt.Sscan(s.Options[k+1], &c.limit)
		case "-c":
			c.threaded = true
		}
	}
	for _, d := range datagrams {
		b, err := hex.DecodeString(d.Hex)
		if err != nil {
			t.Fatal(err)
		}
		c.datagrams = append(c.datagrams, b)
	}
	for _, p := range capture.Packets {
		data := injected[p.Injected]
		c.frames = append(c.frames, Frame{Data: data[:min(len(data), int(capture.Snaplen))], Len: p.Len, Sec: p.Sec, Usec: p.Usec})
	}
	c.complete, c.tail = len(c.frames), capture.Incomplete
	if capture.Incomplete > 0 { // the last frame of which a part came, with the time stamp that is there
		l := capture.Layout[len(capture.Layout)-1]
		h := c.datagrams[len(c.datagrams)-1][l.HeaderOffsets[len(l.HeaderOffsets)-1]:]
		data := injected[capture.Packets[c.complete-1].Injected+1]
		c.frames = append(c.frames, Frame{Data: data, Len: uint32(len(data)), Sec: binary.BigEndian.Uint32(h), Usec: binary.BigEndian.Uint32(h[4:])})
	}
	phase := func(k int) int {
		for j, p := range s.Phases {
			if n := capture.Packets[k].Injected; p.Capture == i && n >= p.Frames[0] && n < p.Frames[1] {
				return j
			}
		}
		t.Fatalf("%s: frame %d is in no phase", name, k)
		return 0
	}
	for k := range c.complete {
		c.idle[k] = k == c.complete-1 || phase(k) != phase(k+1) || s.Phases[phase(k)].Idle > 0
	}
	return c
}

// udpstrRecordings calls test with each capture that was recorded with udpstr over UDP.
func udpstrRecordings(t *testing.T, test func(t *testing.T, c recordedCapture)) {
	for _, c := range []struct {
		name    string
		capture int
	}{
		{"eh-mtu1472", 0}, {"eh-mtu1472", 1}, {"eh-mtu1472-noidleflush", 0}, {"eh-mtu512", 0}, {"eh-mtu8972", 0},
		{"eh-mtu1472-threaded", 0}, {"eh-nopreselect", 0},
	} {
		r := readRecorded(t, c.name, c.capture)
		t.Run(r.name, func(t *testing.T) { test(t, r) })
	}
}

// The injected frames, packed with the rules of the C agent, give what it sent, byte for byte.
func TestLegacyPacking(t *testing.T) {
	udpstrRecordings(t, func(t *testing.T, c recordedCapture) {
		d := newDriver(t, c.limit, 65536)
		d.p.setMaxDatagrams(1)
		d.p.legacy = newLegacyRules(c.threaded)
		for i := range c.frames {
			d.block(c.frames[i : i+1])
			if c.flushes && c.idle[i] {
				d.flush()
			}
		}
		if len(d.datagrams) != len(c.datagrams) {
			t.Fatalf("%d datagrams, recorded %d", len(d.datagrams), len(c.datagrams))
		}
		for i, b := range d.datagrams {
			if !bytes.Equal(b, c.datagrams[i]) {
				t.Fatalf("datagram %d: %d bytes, % x; recorded %d, % x", i, len(b), b[:HeaderLen], len(c.datagrams[i]), c.datagrams[i][:HeaderLen])
			}
		}
	})
}

// placedFrames returns where the complete frames are in the recorded datagrams.
func (c *recordedCapture) placedFrames(t testing.TB) []placed {
	t.Helper()
	datagrams := c.datagrams
	if c.tail > 0 { // give the open frame its end, so that the stream can be read as a whole
		last := c.frames[c.complete]
		rest := append([]byte{0, 110, 0xff, 0xff, 0, 0, 0, 0}, last.Data[len(last.Data)-c.tail:]...)
		datagrams = append(datagrams[:len(datagrams):len(datagrams)], rest)
	}
	return readDatagrams(t, datagrams, MaxLimit, c.limit)[:c.complete]
}

// The recorded datagrams give the recorded frames.
func TestReassembleRecorded(t *testing.T) {
	udpstrRecordings(t, func(t *testing.T, c recordedCapture) {
		wantFrames(t, c.placedFrames(t), c.frames[:c.complete], 1)
		r := newCollector(ReassemblerConfig{})
		for _, b := range c.datagrams {
			r.feed(b, epoch)
		}
		r.Flush()
		r.want(t, c.placedFrames(t), func(int) bool { return false })
		if k := r.check(t); k.InOrder != uint64(len(c.datagrams)) || k.Inconsistent != 0 {
			t.Errorf("%+v", k)
		}
	})
}

// Each single datagram lost costs exactly the frames that have a byte in it.
func TestRecordedLosses(t *testing.T) {
	udpstrRecordings(t, func(t *testing.T, c recordedCapture) {
		frames := c.placedFrames(t)
		for lost := range c.datagrams {
			for _, window := range []int{-1, 0} {
				r := newCollector(ReassemblerConfig{Window: window})
				for i, b := range c.datagrams {
					if i != lost {
						r.feed(b, epoch)
					}
				}
				r.Flush()
				r.want(t, frames, func(i int) bool { return i == lost })
			}
		}
	})
}

// Each single datagram twice, at once or later, changes nothing.
func TestRecordedDuplicates(t *testing.T) {
	udpstrRecordings(t, func(t *testing.T, c recordedCapture) {
		frames := c.placedFrames(t)
		for twice := range c.datagrams {
			for _, later := range []int{0, 1, 5} {
				r := newCollector(ReassemblerConfig{})
				for i, b := range c.datagrams {
					r.feed(b, epoch)
					if i == min(twice+later, len(c.datagrams)-1) {
						r.feed(c.datagrams[twice], epoch)
					}
				}
				r.Flush()
				r.want(t, frames, func(int) bool { return false })
				if k := r.check(t); k.Duplicate != 1 || k.Lost != 0 {
					t.Fatalf("datagram %d twice: %+v", twice, k)
				}
			}
		}
	})
}

// Each pair of neighbours swapped: without a window the frames with bytes in the late one are lost, with a window none is.
func TestRecordedSwaps(t *testing.T) {
	udpstrRecordings(t, func(t *testing.T, c recordedCapture) {
		frames := c.placedFrames(t)
		for late := range len(c.datagrams) - 1 {
			for _, window := range []int{-1, 0, 1, 2} {
				r := newCollector(ReassemblerConfig{Window: window})
				for i := range c.datagrams {
					switch i {
					case late:
						i++
					case late + 1:
						i--
					}
					r.feed(c.datagrams[i], epoch)
				}
				r.Flush()
				r.want(t, frames, func(i int) bool { return window < 0 && i == late })
				if k := r.check(t); window < 0 && (k.Late != 1 || k.Lost != 1) || window >= 0 && (k.Reordered != 1 || k.Lost != 0) {
					t.Fatalf("datagram %d comes after the next, window %d: %+v", late, window, k)
				}
			}
		}
	})
}
