package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/gopacket/layers"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// packed is data in one of the formats that are read.
func packed(t testing.TB, format string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch format {
	case "":
		return data
	case "gzip":
		w = gzip.NewWriter(&b)
	case "zstd":
		z, err := zstd.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		w = z
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestLongRecords: frames above the largest snap length are cut and counted, and are not the end.
func TestLongRecords(t *testing.T) {
	frames := samples()
	frames = append(frames[:3:3], stamped{time.Unix(5, 0), 300_000, bytes.Repeat([]byte{7}, 300_000)}, stamped{time.Unix(6, 0), 60, bytes.Repeat([]byte{8}, 60)})
	for name, data := range map[string][]byte{
		"pcap":   writePcapRaw(frames),
		"pcapng": writePcapng(t, layers.LinkTypeEthernet, frames),
	} {
		s, err := OpenFile(save(t, data), Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, end := replay(t, s)
		odd := s.(*fileSource).Odd()
		s.Close()
		if end != io.EOF || len(got) != 5 || odd != (Odd{Cut: 1}) {
			t.Errorf("%s: %d frames, %+v, %v", name, len(got), odd, end)
			continue
		}
		if f := got[3]; len(f.data) != MaxSnaplen || f.Len != 300_000 || !bytes.Equal(got[4].data, frames[4].data) {
			t.Errorf("%s: %d of %d bytes", name, len(f.data), f.Len)
		}
	}
}

// writePcapRaw writes what gopacket refuses to.
func writePcapRaw(frames []stamped) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, magicMicroseconds)
	b = le.AppendUint16(le.AppendUint16(b, 2), 4)
	for _, v := range []uint32{0, 0, 400_000, 1} {
		b = le.AppendUint32(b, v)
	}
	for _, f := range frames {
		for _, v := range []uint32{uint32(f.at.Unix()), 0, uint32(len(f.data)), uint32(f.len)} {
			b = le.AppendUint32(b, v)
		}
		b = append(b, f.data...)
	}
	return b
}

// TestOtherLinkTypes: the link type is that of the first frame; frames of another one are left out and counted.
func TestOtherLinkTypes(t *testing.T) {
	f := newNG(binary.LittleEndian).iface(113, 0).iface(1, 0).
		enhanced(1, 0, 4, []byte("one.")).
		enhanced(0, 0, 4, []byte("not1")).
		enhanced(1, 0, 4, []byte("two."))
	f.b = append(f.b, newNG(binary.BigEndian).iface(113, 0).enhanced(0, 0, 4, []byte("not2")).iface(1, 0).enhanced(1, 0, 4, []byte("last")).b...)
	s, err := OpenFile(save(t, f.b), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got, end := replay(t, s)
	var text []string
	for _, g := range got {
		text = append(text, string(g.data))
	}
	if odd := s.(*fileSource).Odd(); end != io.EOF || s.LinkType() != 1 || len(text) != 3 || text[0] != "one." || text[2] != "last" || odd != (Odd{OtherLink: 2}) {
		t.Errorf("%q, link type %d, %+v, %v", text, s.LinkType(), odd, end)
	}
}

// TestBadEnds: what a file has before its bad end is delivered once, whatever the end is, and the end is told.
func TestBadEnds(t *testing.T) {
	two := samples()[:2]
	le := binary.LittleEndian
	for format, whole := range map[string][]byte{
		"pcap": writePcap(t, false, layers.LinkTypeEthernet, two), "pcapng": writePcapng(t, layers.LinkTypeEthernet, two),
	} {
		next := writePcap(t, false, layers.LinkTypeEthernet, two[:1])[24:]
		if format == "pcapng" {
			next = newNG(le).enhanced(0, 0, 60, make([]byte, 60)).b[28:]
		}
		ends := map[string][]byte{"junk": []byte("this is no record of a capture file, is it?")}
		for _, n := range []int{1, 8, 15, 17, 30, len(next) - 1} {
			ends["cut after "+string(rune('0'+n/10))+string(rune('0'+n%10))] = next[:n]
		}
		for what, tail := range ends {
			for _, pack := range []string{"", "gzip", "zstd"} {
				path := save(t, packed(t, pack, append(bytes.Clone(whole), tail...)))
				s, err := OpenFile(path, Options{})
				if err != nil {
					t.Fatal(err)
				}
				got, end := replay(t, s)
				var bad *FileError
				if len(got) != 2 || !errors.As(end, &bad) || bad.Path != path || !s.(*fileSource).Exhausted() {
					t.Errorf("%s, %s, %s: %d frames, %v", format, what, pack, len(got), end)
				}
				if _, again := s.Next(past); again != end {
					t.Errorf("%s, %s: then %v", format, what, again)
				}
				s.Close()
			}
		}
	}
}

// TestPackedFiles: gzip and zstd are read, also of several members, and their own damage is a bad end.
func TestPackedFiles(t *testing.T) {
	want := samples()
	plain := writePcap(t, false, layers.LinkTypeEthernet, want)
	for _, format := range []string{"gzip", "zstd"} {
		data := append(packed(t, format, plain[:1000]), packed(t, format, plain[1000:])...)
		s, err := OpenFile(save(t, data), Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, end := replay(t, s)
		s.Close()
		if end != io.EOF || len(got) != len(want) {
			t.Errorf("%s: %d frames, %v", format, len(got), end)
		}
		s, err = OpenFile(save(t, data[:len(data)-3]), Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, end = replay(t, s)
		s.Close()
		if bad := (*FileError)(nil); !errors.As(end, &bad) {
			t.Errorf("%s, cut: %v", format, end)
		}
	}
}

// TestPipe: frames of a live stream come as they are written; a source goes on where the one before has ended.
func TestPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data := writePcap(t, false, layers.LinkTypeEthernet, samples()[:2])
	if _, err := w.Write(data[:24]); err != nil {
		t.Fatal(err)
	}
	pipe, err := OpenPipe(r, "stdin")
	if err != nil {
		t.Fatal(err)
	}
	one, err := pipe.Open(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pipe.Open(Options{}); err == nil {
		t.Error("two read it at once")
	}
	if _, err := one.Next(past); err != os.ErrDeadlineExceeded {
		t.Errorf("nothing to read: %v", err)
	}
	first := 24 + 16 + 60
	if _, err := w.Write(data[24 : first+5]); err != nil { // and the beginning of the next
		t.Fatal(err)
	}
	fs, err := one.Next(within(20 * time.Second))
	if err != nil || len(fs) != 1 || len(fs[0].Data) != 60 {
		t.Fatalf("%d frames, %v", len(fs), err)
	}
	if err := one.Drain(20 * time.Second); err != nil {
		t.Fatal(err)
	}
	if _, err := one.Next(time.Time{}); err != io.EOF || one.(*pipeSource).Exhausted() {
		t.Errorf("drained: %v", err)
	}
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := one.Next(time.Time{}); err != net.ErrClosed {
		t.Errorf("closed: %v", err)
	}
	waits, err := pipe.Open(Options{})
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(10*time.Millisecond, func() { waits.Close() })
	if _, err := waits.Next(time.Time{}); err != net.ErrClosed {
		t.Errorf("closed while it waits: %v", err)
	}
	two, err := pipe.Open(Options{Snaplen: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	if _, err := w.Write(data[first+5:]); err != nil {
		t.Fatal(err)
	}
	if fs, err = two.Next(within(20 * time.Second)); err != nil || len(fs) != 1 || len(fs[0].Data) != 4 {
		t.Fatalf("%d frames, %v", len(fs), err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := two.Next(within(20 * time.Second)); err != io.EOF || !two.(*pipeSource).Exhausted() {
		t.Errorf("end: %v", err)
	}
	if _, err := OpenFile(filepath.Join(t.TempDir(), "none"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
