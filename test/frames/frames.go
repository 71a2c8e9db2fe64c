// Package frames has frames for tests, and the datagrams and messages that an agent makes of them.
package frames

import (
	"encoding/binary"
	"testing"

	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

// Make returns n frames of growing length, beginning with the given one.
func Make(n, size int) []udpstr.Frame {
	frames := make([]udpstr.Frame, n)
	for i := range frames {
		data := make([]byte, size+i%7)
		for k := range data {
			data[k] = byte(i + k)
		}
		frames[i] = udpstr.Frame{Data: data, Len: uint32(len(data)), Sec: uint32(1_700_000_000 + i), Usec: uint32(i)}
	}
	return frames
}

// Packed returns the udpstr datagrams of the frames.
func Packed(t testing.TB, frames []udpstr.Frame, limit int) (out [][]byte) {
	t.Helper()
	p, err := udpstr.NewPacker(limit, make([]byte, 1<<16))
	if err != nil {
		t.Fatal(err)
	}
	take := func() {
		for {
			r, ok := p.Take()
			if !ok {
				return
			}
			for i := range r.Datagrams {
				out = append(out, append([]byte(nil), r.Datagram(i)...))
			}
		}
	}
	for len(frames) > 0 {
		n, full := p.Append(frames)
		frames = frames[n:]
		if full {
			take()
		}
	}
	take()
	return out
}

// Plain is a PACKET message.
func Plain(f udpstr.Frame, number uint32) []byte {
	b := []byte{0, byte(rpcap.TypePacket), 0, 0}
	b = binary.BigEndian.AppendUint32(b, uint32(20+len(f.Data)))
	for _, v := range []uint32{f.Sec, f.Usec, uint32(len(f.Data)), f.Len, number} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return append(b, f.Data...)
}
