package udpstr

import (
	"encoding/binary"
	"testing"
	"time"
)

// FuzzPacker derives limits, block lengths and frames from bytes, packs and reassembles them.
func FuzzPacker(f *testing.F) {
	f.Add(uint16(64), uint8(64), []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Add(uint16(1472), uint8(1), []byte("\xff\xff\x00\x40\x00\x40\x05\xea"))
	f.Add(uint16(65000), uint8(3), []byte{255, 255, 255, 255, 0, 0, 0, 0})
	pattern := make([]byte, MaxCaplen+10)
	fillPattern(pattern, 1)
	f.Fuzz(func(t *testing.T, limit16 uint16, maxDatagrams uint8, script []byte) {
		limit := MinLimit + int(limit16)%(MaxLimit-MinLimit+1)
		d := newDriver(t, limit, limit+3000)
		d.p.setMaxDatagrams(int(maxDatagrams))
		var all, block []Frame
		total := 0
		for len(script) >= 2 && total < 1<<20 {
			op := binary.BigEndian.Uint16(script)
			script = script[2:]
			size := int(op & 0xfff)
			switch op >> 12 {
			case 0: // a block ends
				d.block(block)
				all, block = append(all, block...), block[:0]
				if op&1 != 0 {
					d.flush()
				}
				continue
			case 1:
				size *= 64
			case 2, 3, 4:
				size %= 128
			}
			block = append(block, Frame{Data: pattern[:size], Len: uint32(size) + 1, Sec: uint32(total), Usec: uint32(op)})
			total += size + PacketHeaderLen
		}
		d.block(block)
		all = append(all, block...)
		d.flush()
		placed := readDatagrams(t, d.datagrams, limit, limit-sizeSpread(limit))
		wantFrames(t, placed, all, 1)
		c := newCollector(ReassemblerConfig{})
		for _, b := range d.datagrams {
			c.feed(b, epoch)
		}
		c.want(t, placed, func(int) bool { return false })
	})
}

// FuzzReassembler hands over arbitrary datagrams: each is two bytes of length and as many bytes, the first of which are
// made a good header as often as not, so that the fuzzer gets behind it.
func FuzzReassembler(f *testing.F) {
	f.Add(int8(0), []byte{0, 29, 0, 0, 0, 8, 0, 0, 0, 0})
	d := newDriver(f, 100, 65536)
	d.block(randomFrames(newRand(1), 20))
	d.flush()
	var seed []byte
	for _, b := range d.datagrams {
		seed = binary.BigEndian.AppendUint16(seed, uint16(len(b)))
		seed = append(seed, b...)
	}
	f.Add(int8(4), seed)
	f.Add(int8(-1), seed)
	f.Fuzz(func(t *testing.T, window int8, script []byte) {
		c := newCollector(ReassemblerConfig{Window: int(window), MaxCaplen: 5000})
		// The same in runs, as receive offload gives them.
		joined := newCollector(ReassemblerConfig{Window: int(window), MaxCaplen: 5000})
		now := epoch
		var run []byte
		size := 0
		join := func() {
			joined.Datagrams(run, size, now)
			run = nil
		}
		for len(script) >= 2 {
			n := min(int(binary.BigEndian.Uint16(script)&0x3ff), len(script)-2)
			mode := script[0] >> 2
			b := append([]byte(nil), script[2:2+n]...)
			script = script[2+n:]
			if mode&1 != 0 && n >= HeaderLen {
				b[0], b[1] = Version, Type
				if mode&2 != 0 {
					binary.BigEndian.PutUint32(b[4:], c.next+uint32(int8(b[7])))
				}
			}
			if mode&4 != 0 {
				join()
				now = now.Add(time.Duration(mode) * time.Millisecond)
			}
			c.feed(b, now)
			k := c.check(t)
			if n == 0 || size == 0 || n > size || len(run)%size != 0 {
				join()
				size = n
			}
			if run = append(run, b...); n == 0 {
				joined.Datagram(nil, now)
			}
			joined.sent++
			if cap(c.records.open) > 5000 || c.held.memory > maxHeldBytes {
				t.Fatalf("%d bytes in the open frame, %d in the window", cap(c.records.open), c.held.memory)
			}
			if k.Delivered > k.Bytes/PacketHeaderLen || k.DeliveredBytes > k.Bytes {
				t.Fatalf("more was delivered than came: %+v", k)
			}
		}
		join()
		joined.Flush()
		c.Flush()
		if a, b := c.check(t), joined.check(t); a != b {
			t.Fatalf("one by one %+v\ntogether   %+v", a, b)
		}
		for i, f := range c.frames {
			if !sameFrame(f.Frame, joined.frames[i].Frame) {
				t.Fatalf("frame %d differs in a run", f.number)
			}
		}
		if _, ok := c.Deadline(); ok || c.jump.waiting || c.held.n != 0 || !c.quiet {
			t.Fatal("something is held after Flush")
		}
	})
}
