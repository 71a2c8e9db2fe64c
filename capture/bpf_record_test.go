package capture

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"rpcapd/filter"
	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

// layouts are those of the systems, from their net/bpf.h; see recordLayout.
var layouts = map[string]recordLayout{
	"macOS and OpenBSD":              {secSize: 4, usecAt: 4, usecSize: 4, caplenAt: 8, hdrlenAt: 16, align: 4},
	"FreeBSD, NetBSD and DragonFly":  {secSize: 8, usecAt: 8, usecSize: 8, caplenAt: 16, hdrlenAt: 24, align: 8},
	"FreeBSD on a 32-bit ARM":        {secSize: 8, usecAt: 8, usecSize: 4, caplenAt: 16, hdrlenAt: 24, align: 4},
	"NetBSD with 32 bits (as macOS)": {secSize: 4, usecAt: 4, usecSize: 4, caplenAt: 8, hdrlenAt: 16, align: 4},
}

// record is one frame as the kernel puts it into the buffer.
type record struct {
	micros int64
	length uint32
	data   []byte
	hdrlen int // 0: as the kernel aligns it behind an Ethernet header
}

// appendRecord does as catchpacket in the kernels: the padding stands in front of the next record.
func appendRecord(b []byte, l recordLayout, r record) []byte {
	for len(b)%l.align != 0 {
		b = append(b, 0xee)
	}
	hdrlen := r.hdrlen
	if hdrlen == 0 {
		hdrlen = (14+l.headerLen()+l.align-1)&^(l.align-1) - 14
	}
	h := bytes.Repeat([]byte{0xdd}, hdrlen)
	order := binary.NativeEndian
	if l.secSize == 4 {
		order.PutUint32(h, uint32(r.micros/1e6))
	} else {
		order.PutUint64(h, uint64(r.micros/1e6))
	}
	if l.usecSize == 4 {
		order.PutUint32(h[l.usecAt:], uint32(r.micros%1e6))
	} else {
		order.PutUint64(h[l.usecAt:], uint64(r.micros%1e6))
	}
	order.PutUint32(h[l.caplenAt:], uint32(len(r.data)))
	order.PutUint32(h[l.caplenAt+4:], max(r.length, uint32(len(r.data))))
	order.PutUint16(h[l.hdrlenAt:], uint16(hdrlen))
	return append(append(b, h...), r.data...)
}

// walkAll reads a buffer with room for n frames at a time.
func walkAll(l recordLayout, b []byte, n int) (got []udpstr.Frame, err error) {
	w := recordWalker{layout: l}
	w.begin(b)
	for !w.done() {
		dst := make([]udpstr.Frame, n)
		k, err := w.fill(dst)
		got = append(got, dst[:k]...)
		if err != nil {
			return got, err
		}
	}
	return got, nil
}

// sifted is what a source leaves of frames, and how many it refuses.
func sifted(s *deviceSource, frames []udpstr.Frame) ([]udpstr.Frame, int) {
	frames = slices.Clone(frames)
	n := s.sift(frames)
	return frames[:n], int(s.refused.Load())
}

func TestRecords(t *testing.T) {
	const base = 1_700_000_000_000_000
	for name, l := range layouts {
		var b []byte
		var want []record
		for n := range 40 { // all distances to the alignment
			r := record{micros: base + int64(n)*333_333, length: uint32(n * 3), data: bytes.Repeat([]byte{byte(n)}, n)}
			if n%5 == 4 {
				r.hdrlen = l.headerLen() + n%3 // a kernel may align otherwise
			}
			b, want = appendRecord(b, l, r), append(want, r)
		}
		for _, room := range []int{1, 7, 100} {
			got, err := walkAll(l, b, room)
			if err != nil || len(got) != len(want) {
				t.Fatalf("%s: %d frames, %v", name, len(got), err)
			}
			for n, f := range got {
				r := want[n]
				if !bytes.Equal(f.Data, r.data) || f.Len != max(r.length, uint32(len(r.data))) ||
					int64(f.Sec) != r.micros/1e6 || int64(f.Usec) != r.micros%1e6 {
					t.Fatalf("%s, frame %d: %+v, want %+v", name, n, f, r)
				}
			}
		}
		for cut := 1; cut < len(b); cut++ {
			got, err := walkAll(l, b[:cut], 100)
			whole := 0 // records that end at or before the cut, the padding of the last one left out
			var p []byte
			for _, r := range want {
				if p = appendRecord(p, l, r); len(p) > cut {
					break
				}
				whole++
			}
			if len(got) != whole {
				t.Fatalf("%s, cut at %d: %d frames, want %d", name, cut, len(got), whole)
			}
			if end := len(appendRecords(l, want[:whole])); err == nil && cut > (end+l.align-1)&^(l.align-1) {
				t.Fatalf("%s, cut at %d: no error", name, cut)
			}
		}
	}
}

func appendRecords(l recordLayout, list []record) (b []byte) {
	for _, r := range list {
		b = appendRecord(b, l, r)
	}
	return b
}

// TestRecordsThatLie: lengths beyond the buffer, of the header less than its fields, a captured length above that on the wire.
func TestRecordsThatLie(t *testing.T) {
	for name, l := range layouts {
		good := appendRecord(nil, l, record{micros: 1, data: make([]byte, 60)})
		for what, change := range map[string]func(b []byte){
			"caplen beyond the buffer": func(b []byte) { binary.NativeEndian.PutUint32(b[l.caplenAt:], 61) },
			"caplen of 4 GiB":          func(b []byte) { binary.NativeEndian.PutUint64(b[l.caplenAt:], ^uint64(0)) },
			"caplen above datalen":     func(b []byte) { binary.NativeEndian.PutUint32(b[l.caplenAt+4:], 59) },
			"hdrlen 0":                 func(b []byte) { binary.NativeEndian.PutUint16(b[l.hdrlenAt:], 0) },
			"hdrlen within the header": func(b []byte) { binary.NativeEndian.PutUint16(b[l.hdrlenAt:], uint16(l.headerLen()-1)) },
			"hdrlen beyond the buffer": func(b []byte) { binary.NativeEndian.PutUint16(b[l.hdrlenAt:], 65535) },
		} {
			b := bytes.Clone(good)
			change(b)
			if got, err := walkAll(l, b, 4); err == nil || len(got) != 0 {
				t.Errorf("%s, %s: %d frames, %v", name, what, len(got), err)
			}
		}
	}
}

// TestRecordsOfLoopback: the address family is taken away, in either byte order; what is not IP is refused.
func TestRecordsOfLoopback(t *testing.T) {
	l := layouts["macOS and OpenBSD"]
	packet := func(family []byte, first byte) []byte { return append(family, first, 1, 2, 3, 4, 5, 6, 7) }
	list := []record{
		{data: packet([]byte{2, 0, 0, 0}, 0x45), length: 100}, // DLT_NULL of a little-endian machine
		{data: packet([]byte{0, 0, 0, 24}, 0x60)},             // DLT_LOOP
		{data: packet([]byte{0, 0, 0, 7}, 0x00)},              // another family
		{data: []byte{2, 0, 0, 0}},                            // nothing behind it
		{data: []byte{2}},
		{data: packet([]byte{30, 0, 0, 0}, 0x6f)},
	}
	all, err := walkAll(l, appendRecords(l, list), 10)
	got, refused := sifted(&deviceSource{options: Options{Snaplen: 6}, judges: []judge{{strip: familyLen}}}, all)
	if err != nil || refused != 3 || len(got) != 3 {
		t.Fatalf("%d frames, %d refused, %v", len(got), refused, err)
	}
	if !bytes.Equal(got[0].Data, []byte{0x45, 1, 2, 3, 4, 5}) || got[0].Len != 96 || got[1].Data[0] != 0x60 || got[2].Len != 8 {
		t.Errorf("%+v", got)
	}
}

// TestRecordsOfTwoDevices: between two devices that both have a frame, the time stamp decides, and none is left out.
func TestRecordsOfTwoDevices(t *testing.T) {
	l := layouts["FreeBSD, NetBSD and DragonFly"]
	var list []record
	for n := range 20 {
		list = append(list, record{micros: 1000 + int64(n/3), data: []byte{byte(n)}}) // ties
	}
	all, err := walkAll(l, appendRecords(l, list), 3)
	if err != nil {
		t.Fatal(err)
	}
	for border := int64(998); border < 1010; border++ {
		var both []byte
		for _, part := range []*deviceSource{{until: border}, {after: border}} {
			part.options.Snaplen, part.judges = MaxSnaplen, []judge{{}}
			got, refused := sifted(part, all)
			if refused != 0 {
				t.Fatal(refused)
			}
			for _, f := range got {
				both = append(both, f.Data...)
			}
		}
		if len(both) != len(list) {
			t.Fatalf("border %d: %d frames", border, len(both))
		}
		for n, v := range both {
			if int(v) != n {
				t.Fatalf("border %d: %v", border, both)
			}
		}
	}
}

// bpfFilter composes a filter of tcpdump's instructions for Ethernet or raw IP.
func bpfFilter(t testing.TB, linkType uint32, snaplen uint32, p rpcap.Program) filter.Program {
	t.Helper()
	out, err := filter.Compose(linkType, filter.Exclusion{}, p, snaplen)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// keepType keeps frames of Ethernet with a type.
func keepType(v uint32) rpcap.Program {
	return rpcap.Program{{Op: 0x28, K: 12}, {Op: 0x15, K: v, Jf: 1}, {Op: 0x06, K: MaxSnaplen}, {Op: 0x06}}
}

// keepVersion keeps packets of raw IP with a version.
func keepVersion(v uint32) rpcap.Program {
	return rpcap.Program{{Op: 0x30, K: 0}, {Op: 0x54, K: 0xf0}, {Op: 0x15, K: v << 4, Jf: 1}, {Op: 0x06, K: MaxSnaplen}, {Op: 0x06}}
}

// TestDivideBPF: what the kernel gets and what runs here.
func TestDivideBPF(t *testing.T) {
	plain := bpfFilter(t, LinkTypeEthernet, 100, keepType(0x800))
	if kernel, j, err := divideBPF(plain, 0); err != nil || len(kernel) != len(plain.Kernel) || j.vm != nil {
		t.Errorf("plain: %v, %+v, %v", kernel, j, err)
	}
	raw := bpfFilter(t, LinkTypeRaw, 100, keepVersion(4))
	if kernel, j, err := divideBPF(raw, familyLen); err != nil || len(kernel) != 1 || kernel[0].K != MaxSnaplen+familyLen || j.vm == nil || j.tags {
		t.Errorf("loopback: %v, %+v, %v", kernel, j, err)
	}
	// "vlan 5 or ip" as a sensor sends it to an agent on Linux.
	byTag, err := filter.ByTag(rpcap.Program{{Op: 0x28, K: filter.TagField}, {Op: 0x54, K: 0xfff}, {Op: 0x15, K: 5, Jf: 1}, {Op: 0x06, K: 96}, {Op: 0x06}}, keepType(0x800))
	if err != nil {
		t.Fatal(err)
	}
	kernel, j, err := divideBPF(bpfFilter(t, LinkTypeEthernet, 0, byTag), 0)
	if err != nil || len(kernel) != 1 || !j.tags {
		t.Fatalf("VLAN: %v, %+v, %v", kernel, j, err)
	}
	frame := func(types ...uint16) []byte {
		f := make([]byte, 12)
		for _, v := range types {
			f = binary.BigEndian.AppendUint16(f, v)
		}
		return append(f, make([]byte, 40)...)
	}
	for _, c := range []struct {
		f    []byte
		want bool
	}{{frame(0x8100, 5, 0x86dd), true}, {frame(0x800), true}, {frame(0x8100, 6, 0x86dd), false}, {frame(0x86dd), false}} {
		if kept := j.keep(&udpstr.Frame{Data: c.f, Len: uint32(len(c.f))}) > 0; kept != c.want {
			t.Errorf("VLAN: % x: kept %v", c.f[12:18], kept)
		}
	}
	long := make(rpcap.Program, 0, 600)
	for range 598 {
		long = append(long, rpcap.Instruction{Op: 0x28, K: 12})
	}
	long = append(long, rpcap.Instruction{Op: 0x15, K: 0x800, Jf: 1}, rpcap.Instruction{Op: 0x06, K: 96}, rpcap.Instruction{Op: 0x06})
	if kernel, j, err := divideBPF(bpfFilter(t, LinkTypeEthernet, 0, long), 0); err != nil || len(kernel) != 1 || j.vm == nil || j.tags {
		t.Errorf("long: %d instructions, %+v, %v", len(kernel), j, err)
	}
	if _, _, err := divideBPF(filter.Program{}, 0); err == nil {
		t.Error("no program was taken")
	}
	inbound := rpcap.Program{{Op: 0x28, K: 0xfffff004}, {Op: 0x06, K: 96}}
	if _, _, err := divideBPF(bpfFilter(t, LinkTypeEthernet, 0, inbound), 0); err == nil {
		t.Error("a program that asks for the packet type was taken: it would refuse every frame")
	}
}

func TestChooseLink(t *testing.T) {
	usual := dltNumbers{null: 0, ethernet: 1, raw: 12, loop: 108}
	openBSD := dltNumbers{null: 0, ethernet: 1, raw: 14, loop: 12}
	for _, c := range []struct {
		name    string
		n       dltNumbers
		current uint32
		offered []uint32
		want    bpfLink
		bad     bool
	}{
		{"Ethernet", usual, 1, []uint32{1}, bpfLink{1, LinkTypeEthernet, 0}, false},
		{"no list", usual, 1, nil, bpfLink{1, LinkTypeEthernet, 0}, false},
		{"wireless with a choice", usual, 127, []uint32{105, 127, 1}, bpfLink{1, LinkTypeEthernet, 0}, false},
		{"loopback", usual, 0, []uint32{0}, bpfLink{0, LinkTypeRaw, 4}, false},
		{"utun of macOS", usual, 0, []uint32{0, 12}, bpfLink{12, LinkTypeRaw, 0}, false},
		{"loopback of OpenBSD", openBSD, 12, []uint32{12}, bpfLink{12, LinkTypeRaw, 4}, false},
		{"tun of OpenBSD", openBSD, 12, []uint32{12, 14}, bpfLink{14, LinkTypeRaw, 0}, false},
		{"loop", usual, 108, nil, bpfLink{108, LinkTypeRaw, 4}, false},
		{"pflog", usual, 117, []uint32{117}, bpfLink{}, true},
	} {
		got, err := chooseLink(c.n, c.current, c.offered)
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

// FuzzRecords: whatever is in the buffer, every frame lies in it, the walk ends, and it does not move back.
func FuzzRecords(f *testing.F) {
	for _, l := range layouts {
		b := appendRecords(l, []record{{micros: 7, data: make([]byte, 60)}, {micros: 8, data: make([]byte, 33), length: 90}})
		f.Add(b, uint8(0), uint32(64))
		f.Add(b, uint8(4), uint32(64))
	}
	f.Fuzz(func(t *testing.T, b []byte, strip uint8, snaplen uint32) {
		for _, l := range layouts {
			w := recordWalker{layout: l}
			w.begin(b)
			judges := []judge{{strip: int(strip % 5)}}
			dst := make([]udpstr.Frame, 3)
			for turns := 0; !w.done(); turns++ {
				at := w.at
				n, err := w.fill(dst)
				if err != nil {
					break
				}
				if w.at <= at || turns > len(b) || n == 0 {
					t.Fatalf("at %d of %d after %d, %d frames", w.at, len(b), at, n)
				}
				for _, f := range dst[:n] {
					if !present(&f, judges, snaplen) {
						continue
					}
					if uint32(len(f.Data)) > snaplen || uint32(len(f.Data)) > f.Len || cap(f.Data) != len(f.Data) {
						t.Fatalf("%d bytes of %d, snap length %d", len(f.Data), f.Len, snaplen)
					}
				}
			}
		}
	})
}
