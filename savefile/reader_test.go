package savefile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"rpcapd/udpstr"
)

// sample is a file as this package writes it, and its frames.
func sample() (file []byte, frames []udpstr.Packet) {
	file = AppendSectionHeader(nil, "test")
	file = AppendInterface(file, Interface{Name: "a/eth0", LinkType: 1, Filter: "tcp", Comment: "a comment"})
	file = AppendInterface(file, Interface{Name: "b/tun0", LinkType: 101})
	for n := range 5 {
		p := udpstr.Packet{Frame: udpstr.Frame{Data: bytes.Repeat([]byte{byte(n)}, n), Len: uint32(60 + n), Sec: 4e9, Usec: uint32(n)}}
		file = AppendPacket(file, uint32(n%2), &p)
		frames = append(frames, p)
	}
	return AppendStatistics(file, 0, Statistics{}), frames
}

// bigEndian turns the file around, but for the texts.
func bigEndian(file []byte) []byte {
	out := bytes.Clone(file)
	turn := func(from, to, width int) {
		for ; from < to; from += width {
			for i := range width / 2 {
				out[from+i], out[from+width-1-i] = out[from+width-1-i], out[from+i]
			}
		}
	}
	at := 0
	for b := range Blocks(file) {
		turn(at, at+8, 4)
		turn(at+len(b)-4, at+len(b), 4)
		options := 0
		switch b.Type() {
		case blockSectionHeader:
			turn(at+8, at+12, 4)
		case blockInterface:
			turn(at+8, at+12, 2)
			turn(at+12, at+16, 4)
			options = 16
		case TypePacket:
			turn(at+8, at+28, 4)
		}
		for options > 0 && options < len(b)-4 {
			n := int(binary.LittleEndian.Uint16(b[options+2:]))
			turn(at+options, at+options+4, 2)
			options += 4 + (n+3)&^3
		}
		at += len(b)
	}
	return out
}

func readAll(file []byte) (all []udpstr.Frame, links []uint32, err error) {
	r := NewReader(bufio.NewReaderSize(bytes.NewReader(file), 16))
	for {
		h, err := r.Next()
		if err != nil {
			return all, links, err
		}
		f := udpstr.Frame{Sec: h.Sec, Usec: h.Usec, Len: h.Len, Data: make([]byte, min(h.Caplen, uint32(len(file))))}
		if err := r.Data(f.Data); err != nil {
			return all, links, err
		}
		all, links = append(all, f), append(links, h.LinkType)
	}
}

// TestReader: what was encoded is decoded, in both byte orders, also when sections of both follow each other; and a file
// that was cut anywhere gives what is whole before that.
func TestReader(t *testing.T) {
	little, want := sample()
	big := bigEndian(little)
	if bytes.Equal(little, big) {
		t.Fatal("not turned")
	}
	for name, file := range map[string][]byte{"little": little, "big": big, "both": append(bytes.Clone(big), little...)} {
		got, links, err := readAll(file)
		if err != io.EOF || len(got) != len(want)*len(file)/len(little) {
			t.Fatalf("%s: %d frames, %v", name, len(got), err)
		}
		for n, f := range got {
			w := want[n%len(want)].Frame
			if !bytes.Equal(f.Data, w.Data) || f.Len != w.Len || f.Sec != w.Sec || f.Usec != w.Usec || links[n] != []uint32{1, 101}[n%len(want)%2] {
				t.Errorf("%s: frame %d: %+v, link type %d", name, n, f, links[n])
			}
		}
	}
	for n := range big {
		got, _, err := readAll(big[:n])
		if err == nil || len(got) > len(want) || err == io.EOF && Whole(little[:n]) != n {
			t.Errorf("%d bytes: %d frames, %v", n, len(got), err)
		}
	}
}

// TestReaderPartly: data that is not asked for is passed over, and unknown blocks are, too.
func TestReaderPartly(t *testing.T) {
	file, want := sample()
	unknown := endBlock(append(beginBlock(nil, 0x80000042), 1, 2, 3, 4), 0)
	i := Whole(AppendSectionHeader(nil, "test"))
	file = append(append(bytes.Clone(file[:i]), unknown...), file[i:]...)
	r := NewReader(bufio.NewReader(bytes.NewReader(file)))
	for n := range want {
		h, err := r.Next()
		if err != nil || int(h.Caplen) != n || !r.Buffered() {
			t.Fatalf("frame %d: %+v, %v", n, h, err)
		}
		buf := make([]byte, n/2)
		if err := r.Data(buf); err != nil || !bytes.Equal(buf, want[n].Data[:n/2]) {
			t.Errorf("frame %d: %x, %v", n, buf, err)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Error(err)
	}
}

// TestBlocks: the encoder's own blocks, and no further than they are whole.
func TestBlocks(t *testing.T) {
	file, want := sample()
	n := 0
	for b := range Blocks(file) {
		if !b.IsPacket() {
			continue
		}
		p := b.Packet()
		if b.Interface() != uint32(n%2) || b.Caplen() != n || !bytes.Equal(p.Data, want[n].Data) || p.Sec != 4e9 || p.Usec != uint32(n) {
			t.Errorf("frame %d: %+v", n, p)
		}
		b.SetInterface(7)
		if b.Interface() != 7 {
			t.Error("its number is not changed")
		}
		n++
	}
	if n != len(want) || Whole(file) != len(file) || Whole(file[:len(file)-1]) >= len(file)-4 || Whole(nil) != 0 {
		t.Errorf("%d frames; whole %d of %d", n, Whole(file), len(file))
	}
	if got := Whole([]byte{6, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}); got != 0 {
		t.Errorf("a length of 4 GiB: %d", got)
	}
	if a := testing.AllocsPerRun(10, func() {
		for b := range Blocks(file) {
			_ = b.Type()
		}
	}); a > 0 {
		t.Errorf("%v allocations", a)
	}
}

// FuzzReader: no file makes it panic, read more than there is, or return a time stamp that is none.
func FuzzReader(f *testing.F) {
	little, _ := sample()
	f.Add(little)
	f.Add(bigEndian(little))
	f.Add(little[:len(little)-3])
	f.Fuzz(func(t *testing.T, data []byte) {
		frames, _, err := readAll(data)
		if err == nil {
			t.Fatal("no end")
		}
		total := 0
		for _, f := range frames {
			if total += len(f.Data); total > len(data) || f.Usec >= 1e6 || int(f.Len) < len(f.Data) {
				t.Fatalf("%d bytes of %d: %+v", total, len(data), f)
			}
		}
		if errors.Is(err, io.EOF) && len(data) == 0 && len(frames) > 0 {
			t.Fatal("frames of nothing")
		}
	})
}
