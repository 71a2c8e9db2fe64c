package udpstr

import (
	"bytes"
	"fmt"
	"testing"
)

// Frames of every length around those that fixed moves copy, alone and among longer ones, are what comes out, and nothing is
// written behind a record.
func TestSmallFrames(t *testing.T) {
	for size := range 2 * smallMost {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			frames := make([]Frame, 40)
			for i := range frames {
				n := size
				if i%13 == 12 {
					n = 1514
				}
				frames[i] = Frame{Data: make([]byte, n), Len: uint32(n + i), Sec: uint32(i) << 24, Usec: uint32(i)}
				fillPattern(frames[i].Data, uint64(i))
			}
			d := newDriver(t, DefaultLimit, 65536)
			d.block(frames)
			d.flush()
			wantFrames(t, readDatagrams(t, d.datagrams, DefaultLimit, MinLimit), frames, 1)

			room := bytes.Repeat([]byte{0xee}, 8*(PacketHeaderLen+size))
			n, used := putSmall(room, frames[:8], 0)
			if want := size >= smallLeast && size <= smallMost; want != (n > 0) || used != n*(PacketHeaderLen+size) {
				t.Errorf("%d small frames in %d bytes", n, used)
			}
			if rest := room[used:]; !bytes.Equal(rest, bytes.Repeat([]byte{0xee}, len(rest))) {
				t.Error("written behind the last record")
			}
		})
	}
}
