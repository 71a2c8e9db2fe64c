package capture

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"rpcapd/filter"
	"rpcapd/rpcap"
	"rpcapd/savefile"
	"rpcapd/udpstr"
)

// The files are written by gopacket's writers, or byte by byte where those cannot.

// frame is a copy of what Next returned.
type frame struct {
	data []byte
	udpstr.Frame
}

type stamped struct {
	at   time.Time
	len  int
	data []byte
}

func samples() []stamped {
	base := time.Unix(1700000000, 123456789)
	var out []stamped
	for i, n := range []int{60, 14, 1, 0, 1514, 65535, MaxSnaplen, 60} {
		b := bytes.Repeat([]byte{byte(i)}, n)
		out = append(out, stamped{base.Add(time.Duration(i) * 1001001 * time.Nanosecond), n + i%3, b})
	}
	return out
}

func writePcap(t testing.TB, nano bool, link layers.LinkType, frames []stamped) []byte {
	t.Helper()
	var b bytes.Buffer
	w := pcapgo.NewWriter(&b)
	if nano {
		w = pcapgo.NewWriterNanos(&b)
	}
	if err := w.WriteFileHeader(MaxSnaplen, link); err != nil {
		t.Fatal(err)
	}
	for _, f := range frames {
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: f.at, CaptureLength: len(f.data), Length: f.len}, f.data); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func writePcapng(t testing.TB, link layers.LinkType, frames []stamped) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := pcapgo.NewNgWriter(&b, link) // nanoseconds
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range frames {
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: f.at, CaptureLength: len(f.data), Length: f.len}, f.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// swapped is a classic file in the other byte order.
func swapped(pcap []byte) []byte {
	out := bytes.Clone(pcap)
	flip := func(at, n int) {
		for i := range n / 2 {
			out[at+i], out[at+n-1-i] = out[at+n-1-i], out[at+i]
		}
	}
	for _, at := range []int{0, 8, 12, 16, 20} {
		flip(at, 4)
	}
	flip(4, 2)
	flip(6, 2)
	for at := 24; at < len(pcap); at += 16 + int(binary.LittleEndian.Uint32(pcap[at+8:])) {
		for i := range 4 {
			flip(at+4*i, 4)
		}
	}
	return out
}

func save(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// replay reads a whole file.
func replay(t testing.TB, s Source) (got []frame, end error) {
	t.Helper()
	for range 1000000 {
		fs, err := s.Next(past)
		if err != nil && err != os.ErrDeadlineExceeded {
			if len(fs) != 0 {
				t.Error("frames beside an error")
			}
			return got, err
		}
		for _, f := range fs {
			got = append(got, frame{bytes.Clone(f.Data), f})
		}
		s.Release()
	}
	t.Fatal("no end")
	return nil, nil
}

func TestFileFormats(t *testing.T) {
	want := samples()
	for name, data := range map[string][]byte{
		"pcap":            writePcap(t, false, layers.LinkTypeEthernet, want),
		"pcap ns":         writePcap(t, true, layers.LinkTypeEthernet, want),
		"pcap swapped":    swapped(writePcap(t, false, layers.LinkTypeEthernet, want)),
		"pcap ns swapped": swapped(writePcap(t, true, layers.LinkTypeEthernet, want)),
		"pcapng":          writePcapng(t, layers.LinkTypeEthernet, want),
		"two sections":    append(writePcapng(t, layers.LinkTypeEthernet, want[:3]), writePcapng(t, layers.LinkTypeEthernet, want[3:])...),
	} {
		for _, snaplen := range []uint32{0, 60, 1} {
			s, err := OpenFile(save(t, data), Options{Snaplen: snaplen})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if s.LinkType() != LinkTypeEthernet {
				t.Errorf("%s: link type %d", name, s.LinkType())
			}
			got, end := replay(t, s)
			if end != io.EOF || len(got) != len(want) {
				t.Errorf("%s: %d frames, %v", name, len(got), end)
				continue
			}
			for i, g := range got {
				w := want[i]
				cut := w.data[:min(len(w.data), int(snaplenOf(snaplen)))]
				if !bytes.Equal(g.data, cut) || int(g.Len) != w.len ||
					g.Sec != uint32(w.at.Unix()) || g.Usec != uint32(w.at.Nanosecond()/1000) {
					t.Errorf("%s, snaplen %d, frame %d: %d of %d bytes at %d.%06d", name, snaplen, i, len(g.data), g.Len, g.Sec, g.Usec)
				}
			}
			st := checkFileSum(t, s)
			if st.Received != uint64(len(want)) {
				t.Errorf("%s: %+v", name, st)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if _, err := s.Next(past); !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
		}
	}
}

func checkFileSum(t testing.TB, s Source) Stats {
	t.Helper()
	st, err := s.Stats()
	if err != nil || st.Received != st.RingDrops+st.Delivered+st.Refused {
		t.Fatalf("%+v, %v", st, err)
	}
	return st
}

// ng builds pcapng files block by block.
type ng struct {
	order binary.AppendByteOrder
	b     []byte
}

func (f *ng) block(kind uint32, body []byte) *ng {
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	n := uint32(len(body) + 12)
	f.b = f.order.AppendUint32(f.b, kind)
	f.b = f.order.AppendUint32(f.b, n)
	f.b = append(f.b, body...)
	f.b = f.order.AppendUint32(f.b, n)
	return f
}

func (f *ng) words(w ...uint32) (b []byte) {
	for _, v := range w {
		b = f.order.AppendUint32(b, v)
	}
	return b
}

func newNG(order binary.AppendByteOrder) *ng {
	f := &ng{order: order}
	return f.block(0x0a0d0d0a, append(f.words(0x1a2b3c4d), append(order.AppendUint16(order.AppendUint16(nil, 1), 0), f.words(0xffffffff, 0xffffffff)...)...))
}

// iface adds an interface; options are code and value in turn.
func (f *ng) iface(link uint16, snaplen uint32, options ...any) *ng {
	b := f.order.AppendUint16(f.order.AppendUint16(nil, link), 0)
	b = f.order.AppendUint32(b, snaplen)
	for i := 0; i < len(options); i += 2 {
		v := options[i+1].([]byte)
		b = f.order.AppendUint16(b, uint16(options[i].(int)))
		b = f.order.AppendUint16(b, uint16(len(v)))
		b = append(b, v...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	return f.block(1, b)
}

func (f *ng) enhanced(index uint32, ts uint64, length uint32, data []byte) *ng {
	return f.block(6, append(f.words(index, uint32(ts>>32), uint32(ts), uint32(len(data)), length), data...))
}

func TestPcapngForms(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		data := []byte("abcdefg")
		f := newNG(order).
			block(0x0bad, []byte("custom")). // unknown
			iface(101, 5, 2, []byte("eth0"), 9, []byte{3}, 14, order.AppendUint64(nil, 100)).
			iface(101, 0, 9, []byte{0x80 | 10}).
			iface(1, 0). // of another link type, without frames
			iface(101, 0, 9, []byte{19}).
			block(5, []byte("statistics..")).
			enhanced(0, 7042, 9, data).
			enhanced(1, 5<<10|512, 7, data).
			enhanced(3, 12345678901234567890, 7, data)
		f.block(3, append(f.words(9), data...)) // simple: cut by the snap length of interface 0
		f.block(3, append(f.words(3), "xyz"...))
		f.block(2, append(f.words(0, 0, 1000, 7, 7), data...)) // obsolete; index and drops are 16 bits each
		s, err := OpenFile(save(t, f.b), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if s.LinkType() != LinkTypeRaw {
			t.Errorf("link type %d", s.LinkType())
		}
		got, end := replay(t, s)
		s.Close()
		if end != io.EOF || len(got) != 6 {
			t.Fatalf("%d frames, %v", len(got), end)
		}
		for i, w := range []struct {
			data           string
			len, sec, usec uint32
		}{
			{"abcdefg", 9, 107, 42000},
			{"abcdefg", 7, 5, 500000},
			{"abcdefg", 7, 1, 234567},
			{"abcde", 9, 0, 0},
			{"xyz", 3, 0, 0},
			{"abcdefg", 7, 101, 0},
		} {
			g := got[i]
			if string(g.data) != w.data || g.Len != w.len || g.Sec != w.sec || g.Usec != w.usec {
				t.Errorf("frame %d: %q of %d at %d.%06d", i, g.data, g.Len, g.Sec, g.Usec)
			}
		}
	}
}

func TestDamagedFiles(t *testing.T) {
	le := binary.LittleEndian
	ok := func() *ng { return newNG(le).iface(1, 0) }
	record := func(caplen, length uint32) []byte {
		b := writePcap(t, false, layers.LinkTypeEthernet, nil)
		return append(b, (&ng{order: le}).words(1, 2, caplen, length)...)
	}
	for name, c := range map[string]struct {
		data []byte
		want error // nil: any
		text string
	}{
		"empty":               {nil, nil, "it is empty"},
		"three bytes":         {[]byte{0xd4, 0xc3, 0xb2}, errFormat, ""},
		"text":                {[]byte("hello, this is no capture"), errFormat, ""},
		"header cut":          {record(0, 0)[:20], io.ErrUnexpectedEOF, ""},
		"frame of 4 GiB":      {record(0xffffffff, 0xffffffff), errTooBig, ""},
		"frame too long":      {append(record(maxRecord+1, maxRecord+1), make([]byte, 100)...), errTooBig, ""},
		"long frame cut":      {append(record(MaxSnaplen+100, MaxSnaplen+100), make([]byte, MaxSnaplen+50)...), io.ErrUnexpectedEOF, ""},
		"xz":                  {[]byte("\xfd7zXZ\x00 and more"), nil, "compressed with xz, which is not supported; unpack it: xz -dc FILE | rpcapd -r -"},
		"bzip2":               {[]byte("BZh91AY&SY"), nil, "bzip2 -dc FILE"},
		"lz4":                 {[]byte("\x04\x22\x4d\x18...."), nil, "lz4 -dc FILE"},
		"zip":                 {[]byte("PK\x03\x04...."), nil, "a ZIP archive"},
		"snoop":               {[]byte("snoop\x00\x00\x00"), nil, "editcap -F pcapng"},
		"gzip header cut":     {[]byte{0x1f, 0x8b, 8}, io.ErrUnexpectedEOF, ""},
		"gzip of text":        {packed(t, "gzip", []byte("hello, this is no capture")), errFormat, ""},
		"frame cut":           {append(record(100, 100), 1, 2, 3), io.ErrUnexpectedEOF, ""},
		"frame missing":       {record(100, 100), io.ErrUnexpectedEOF, ""},
		"record cut":          {record(100, 100)[:30], io.ErrUnexpectedEOF, ""},
		"byte order":          {append(append([]byte{}, newNG(le).b[:8]...), make([]byte, 40)...), savefile.ErrBlock, ""},
		"no interface":        {newNG(le).b, nil, "no interface in the file"},
		"frame first":         {newNG(le).enhanced(0, 0, 4, []byte("1234")).b, savefile.ErrBlock, ""},
		"interface too short": {newNG(le).block(1, make([]byte, 4)).b, savefile.ErrBlock, ""},
		"interface of 4 GiB":  {append(newNG(le).b, ok().words(1, 0xfffffffc, 0, 0)...), savefile.ErrBlock, ""},
		"block of 8 bytes":    {append(ok().b, ok().words(5, 8)...), savefile.ErrBlock, ""},
		"block of 13 bytes":   {append(ok().b, ok().words(5, 13, 0, 0)...), savefile.ErrBlock, ""},
		"block of 4 GiB":      {append(ok().b, ok().words(5, 0xfffffffc, 0, 0)...), io.ErrUnexpectedEOF, ""},
		"unknown interface":   {ok().enhanced(1, 0, 4, []byte("1234")).b, savefile.ErrBlock, ""},
		"frame beyond block":  {ok().block(6, ok().words(0, 0, 0, 5, 5, 0)).b, savefile.ErrBlock, ""},
		"enhanced too short":  {ok().block(6, ok().words(0, 0, 0, 5)).b, savefile.ErrBlock, ""},
		"simple too short":    {ok().block(3, nil).b, savefile.ErrBlock, ""},
		"ng frame of 4 GiB":   {append(ok().b, ok().words(6, 0xfffffffc, 0, 0, 0, 0xffffff00, 0)...), errTooBig, ""},
		"resolution":          {newNG(le).iface(1, 0, 9, []byte{20}).b, savefile.ErrBlock, ""},
		"resolution of 2":     {newNG(le).iface(1, 0, 9, []byte{0x80 | 64}).b, savefile.ErrBlock, ""},
		"option beyond":       {newNG(le).block(1, append(ok().words(1, 0), 9, 0, 200, 0)).b, savefile.ErrBlock, ""},
	} {
		path := save(t, c.data)
		s, err := OpenFile(path, Options{})
		if err == nil {
			_, err = replay(t, s)
			s.Close()
		}
		if err == nil || err == io.EOF || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := OpenFile(filepath.Join(t.TempDir(), "none"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// TestFilePrefixes: whatever is missing at the end, what is before it is delivered.
func TestFilePrefixes(t *testing.T) {
	frames := samples()[:3]
	for _, data := range [][]byte{
		writePcap(t, false, layers.LinkTypeEthernet, frames),
		writePcapng(t, layers.LinkTypeEthernet, frames),
	} {
		whole := 0
		for n := range data {
			r, err := newRecords(bufio.NewReader(bytes.NewReader(data[:n])))
			if err != nil {
				continue
			}
			count := 0
			buf := make([]byte, MaxSnaplen)
			for {
				_, err = r.next(buf)
				if err != nil {
					break
				}
				count++
			}
			if count < whole || err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%d bytes: %d frames, %v", n, count, err)
			}
			whole = count
		}
		if whole < 2 {
			t.Errorf("%d frames before the last byte", whole)
		}
	}
}

func TestFileFilter(t *testing.T) {
	frames := []stamped{}
	for i := range 100 {
		b := make([]byte, 200)
		b[12], b[13] = 0x88, 0xb5+byte(i%2)
		frames = append(frames, stamped{time.Unix(int64(i), 0), 200, b})
	}
	path := save(t, writePcap(t, false, layers.LinkTypeEthernet, frames))
	program := rpcap.Program{{Op: 0x28, K: 12}, {Op: 0x15, Jf: 1, K: 0x88b5}, {Op: 6, K: 96}, {Op: 6}}
	none := rpcap.Program{{Op: 6}}
	compose := map[string]func(uint32, filter.Exclusion, rpcap.Program, uint32) (filter.Program, error){
		"for the kernel": filter.Compose, "for user space": filter.UserSpace,
	}
	for name, f := range compose {
		p, err := f(LinkTypeEthernet, filter.Exclusion{}, program, 80)
		if err != nil {
			t.Fatal(err)
		}
		s, err := OpenFile(path, Options{Filter: p, Snaplen: 90})
		if err != nil {
			t.Fatal(err)
		}
		got, end := replay(t, s)
		if end != io.EOF || len(got) != 50 || len(got[0].data) != 80 || got[0].Len != 200 {
			t.Errorf("%s: %d frames, %v", name, len(got), end)
		}
		if st := checkFileSum(t, s); st.Received != 100 || st.Refused != 50 {
			t.Errorf("%s: %+v", name, st)
		}
		s.Close()

		if p, err = f(LinkTypeEthernet, filter.Exclusion{}, none, 80); err != nil {
			t.Fatal(err)
		}
		s, err = OpenFile(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.SetFilter(p); err != nil {
			t.Fatal(err)
		}
		if got, end := replay(t, s); end != io.EOF || len(got) != 0 {
			t.Errorf("%s: %d frames, %v", name, len(got), end)
		}
		s.Close()
	}
}

func TestFileDrain(t *testing.T) {
	s, err := OpenFile(save(t, writePcap(t, false, layers.LinkTypeRaw, samples())), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fs, err := s.Next(time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	n := uint64(len(fs))
	if err := s.Drain(20 * time.Second); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Next(past); err != io.EOF {
		t.Fatal(err)
	}
	if st := checkFileSum(t, s); st.Received != n {
		t.Errorf("%+v", st)
	}
}

func FuzzFile(f *testing.F) {
	small := []stamped{{time.Unix(1, 2), 60, make([]byte, 60)}, {time.Unix(3, 4), 70, make([]byte, 60)}}
	f.Add(writePcap(f, false, layers.LinkTypeEthernet, small))
	f.Add(swapped(writePcap(f, true, layers.LinkTypeEthernet, small)))
	f.Add(writePcapng(f, layers.LinkTypeEthernet, small))
	f.Add(newNG(binary.BigEndian).iface(1, 5, 9, []byte{0x8a}).enhanced(0, 5, 9, []byte("abc")).b)
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := newRecords(bufio.NewReader(bytes.NewReader(data)))
		if err != nil {
			return
		}
		buf := make([]byte, MaxSnaplen)
		for total := 0; ; {
			fr, err := r.next(buf)
			if err != nil {
				return
			}
			if total += len(fr.Data); total > len(data) || int(fr.Len) < len(fr.Data) || fr.Usec >= 1e6 && !validPcap(r) {
				t.Fatalf("%d bytes out of %d; %+v", total, len(data), fr)
			}
		}
	})
}

// validPcap: the classic format carries what its writer put there.
func validPcap(r records) bool { _, ok := r.(*pcap); return ok }
