package system

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/pcapgo"
)

// frame is one packet of a capture file.
type frame struct {
	at   time.Time
	data []byte
	wire int    // length on the wire, bytes
	from string // interface, as the file names it
}

// readFrames reads a pcapng or pcap file with gopacket. A file that is being written
// ends where its last whole block does.
func readFrames(t *testing.T, path string) (all []frame) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var read func() ([]byte, gopacket.CaptureInfo, error)
	name := func(int) string { return "" }
	if bytes.HasPrefix(b, []byte{0x0a, 0x0d, 0x0d, 0x0a}) {
		r, err := pcapgo.NewNgReader(bytes.NewReader(b), pcapgo.DefaultNgReaderOptions)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) { // no interface yet
			return nil
		}
		if err != nil {
			t.Fatalf("read %s: %v", path, err)
		}
		read = r.ReadPacketData
		name = func(i int) string {
			x, err := r.Interface(i)
			if err != nil {
				t.Fatalf("read %s: interface %d: %v", path, i, err)
			}
			return x.Name
		}
	} else {
		r, err := pcapgo.NewReader(bytes.NewReader(b))
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			t.Fatalf("read %s: %v", path, err)
		}
		read = r.ReadPacketData
	}
	for {
		data, info, err := read()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return all
		}
		if err != nil {
			t.Fatalf("read %s: %v", path, err)
		}
		all = append(all, frame{at: info.Timestamp, data: data, wire: info.Length, from: name(info.InterfaceIndex)})
	}
}

// window cuts out what is between the first and the last marker; their own frames
// belong to it.
func window(t *testing.T, what string, all []frame) []frame {
	t.Helper()
	first := slices.IndexFunc(all, func(f frame) bool { return isMarker(f.data, markBegin) })
	last := slices.IndexFunc(all, func(f frame) bool { return isMarker(f.data, markEnd) })
	if first < 0 || last < first {
		t.Fatalf("%s: no markers among %d frames (%d, %d)", what, len(all), first, last)
	}
	return all[first : last+1]
}

// What two captures of a frame may differ in time. The kernel reads the clock once for
// each packet socket (af_packet.c, tpacket_get_timestamp), and may be interrupted, or lose
// its virtual CPU, between the two: that delays a few frames, never half of them.
const (
	stampTolerance = time.Millisecond // the median of all frames
	stampLimit     = time.Second      // any frame
)

// Two CPUs that have a frame each at the same time give them to the packet sockets of an interface independently, so that
// either socket may have either frame first (net/core/dev.c, dev_queue_xmit_nit and deliver_skb).
const (
	concurrentTime = 10 * time.Millisecond // between the stamps of frames that two sockets have in different order
	concurrentMost = 10                    // of them in a list
)

// sameFrames fails the test unless both lists have the same frames in the same order, but for concurrent ones, byte for byte,
// with the same lengths and about the same times.
func sameFrames(t *testing.T, got, want []frame) {
	t.Helper()
	want = inOrderOf(got, want)
	var apart []time.Duration
	for i := range min(len(got), len(want)) {
		g, w := &got[i], &want[i]
		if !bytes.Equal(g.data, w.data) {
			t.Fatalf("frame %d of %d (%d) differs:\n%s\n%s%s", i, len(got), len(want), brief(g), brief(w), around(got, want, i))
		}
		if g.wire != w.wire {
			t.Errorf("frame %d: length on the wire %d, want %d", i, g.wire, w.wire)
		}
		d := g.at.Sub(w.at).Abs()
		if d > stampLimit {
			t.Errorf("frame %d: time stamps differ by %v", i, d)
		}
		apart = append(apart, d)
	}
	slices.Sort(apart)
	if n := len(apart); n > 0 && apart[n/2] > stampTolerance {
		t.Errorf("time stamps differ by %v in the median of %d frames", apart[n/2], n)
	}
	if len(got) != len(want) {
		t.Errorf("%d frames, want %d", len(got), len(want))
	}
}

// inOrderOf is want with the order that got has for concurrent frames.
func inOrderOf(got, want []frame) []frame {
	want = slices.Clone(want)
	moved := 0
	for i := range min(len(got), len(want)) {
		for j := i; j < len(want) && want[j].at.Sub(want[i].at).Abs() < concurrentTime; j++ {
			if !bytes.Equal(got[i].data, want[j].data) {
				continue
			}
			if j > i && moved < concurrentMost {
				moved++
				f := want[j]
				copy(want[i+1:j+1], want[i:j])
				want[i] = f
			}
			break
		}
	}
	return want
}

func brief(f *frame) string {
	return f.at.Format("05.000000 ") + hex.EncodeToString(f.data[:min(len(f.data), 64)])
}

// around shows where each side's frame of a mismatch is found on the other side.
func around(got, want []frame, i int) string {
	var b strings.Builder
	at := func(list []frame, x []byte) int {
		return slices.IndexFunc(list, func(f frame) bool { return bytes.Equal(f.data, x) })
	}
	b.WriteString("\nthe first is at ")
	b.WriteString(time.Duration(at(want, got[i].data)).String())
	b.WriteString(" of the wanted, the second at ")
	b.WriteString(time.Duration(at(got, want[i].data)).String())
	return strings.ReplaceAll(b.String(), "ns", "")
}
