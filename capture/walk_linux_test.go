package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"rpcapd/udpstr"
)

// syntheticBlock lays out frames as the kernel does.
func syntheticBlock(size int, frames ...[]byte) []byte {
	// On a multiple of 8 like a real one.
	words := make([]uint64, size/8)
	b := unsafeBytes(words)
	le := binary.NativeEndian
	le.PutUint32(b[8:], unix.TP_STATUS_USER)
	le.PutUint32(b[16:], 48)
	le.PutUint64(b[24:], 1)
	at, n := 48, 0
	for i, f := range frames {
		const mac = 86
		next := (mac + len(f) + 7) &^ 7
		if at+next > size {
			break
		}
		n++
		le.PutUint32(b[at:], uint32(next))
		le.PutUint32(b[at+4:], 1700000000)
		le.PutUint32(b[at+8:], uint32(i)*1000+999)
		le.PutUint32(b[at+12:], uint32(len(f)))
		le.PutUint32(b[at+16:], uint32(len(f)))
		le.PutUint16(b[at+24:], mac)
		le.PutUint16(b[at+26:], mac+14)
		copy(b[at+mac:], f)
		at += next
	}
	le.PutUint32(b[12:], uint32(n))
	le.PutUint32(b[20:], uint32(at))
	return b
}

func TestWalkInSteps(t *testing.T) {
	var frames [][]byte
	for i := range 10 {
		frames = append(frames, testFrame(60+i, uint32(i)))
	}
	block := syntheticBlock(4096, frames...)
	w := walker{snaplen: 64, tags: true}
	w.begin(block, nil)
	dst := make([]udpstr.Frame, 3)
	for done := 0; done < 10; {
		n, refused, err := w.fill(dst)
		if err != nil || refused != 0 || n != min(3, 10-done) {
			t.Fatal(n, refused, err)
		}
		for i, f := range dst[:n] {
			want := frames[done+i]
			if !bytes.Equal(f.Data, want[:min(64, len(want))]) || f.Len != uint32(len(want)) || f.Sec != 1700000000 || f.Usec != uint32(done+i) {
				t.Errorf("frame %d: %+v", done+i, f)
			}
			if cap(f.Data) != len(f.Data) {
				t.Errorf("frame %d: an append would write on", done+i)
			}
		}
		done += n
	}
	if n, _, err := w.fill(dst); n != 0 || err != nil {
		t.Error(n, err)
	}
}

// TestWalkTakesEveryKind has frames with a tag and without, cut ones, empty ones and longer ones in one block, in leases that
// end anywhere among them.
func TestWalkTakesEveryKind(t *testing.T) {
	const snaplen = 90
	rng := rand.New(rand.NewPCG(1, 2))
	var frames, want [][]byte
	var tagged []bool
	for i := range 300 {
		f := testFrame([]int{0, 5, 60, 64, 100, 700, 1514}[rng.IntN(7)], uint32(i))
		w := f
		tag := rng.IntN(3) == 0
		if tag && len(f) >= addressesLen {
			w = slices.Concat(f[:12], []byte{0x81, 0, 0, 42}, f[12:])
		}
		frames, tagged, want = append(frames, f), append(tagged, tag), append(want, w)
	}
	for lease := 1; lease < 40; lease += 3 {
		block := syntheticBlock(1<<18, frames...)
		at := 48
		for i := range frames {
			if tagged[i] {
				binary.NativeEndian.PutUint32(block[at+20:], unix.TP_STATUS_VLAN_VALID)
				binary.NativeEndian.PutUint32(block[at+32:], 42)
			}
			at += int(binary.NativeEndian.Uint32(block[at:]))
		}
		w := walker{snaplen: snaplen, tags: true}
		w.begin(block, nil)
		dst := make([]udpstr.Frame, lease)
		for done := 0; done < len(frames); {
			n, refused, err := w.fill(dst)
			if n == 0 || refused != 0 || err != nil {
				t.Fatal(done, n, refused, err)
			}
			var bytesWalked uint64
			for i, f := range dst[:n] {
				length := len(frames[done+i])
				if tagged[done+i] {
					length += tagLen
				}
				data := want[done+i]
				data = data[:min(len(data), snaplen)]
				if !bytes.Equal(f.Data, data) || cap(f.Data) != len(data) || f.Len != uint32(length) || f.Usec != uint32(done+i) {
					t.Fatalf("lease of %d, frame %d: %d bytes of %d, want %d of %d", lease, done+i, len(f.Data), f.Len, len(data), length)
				}
				bytesWalked += uint64(len(data))
			}
			if w.bytes != bytesWalked {
				t.Fatalf("%d bytes counted, want %d", w.bytes, bytesWalked)
			}
			done += n
		}
		if n, _, err := w.fill(dst); n != 0 || err != nil || w.bytes != 0 {
			t.Error(n, err, w.bytes)
		}
	}
}

// TestWalkStaysInItsBlock changes every field that the kernel writes to values that
// lead out of the block.
func TestWalkStaysInItsBlock(t *testing.T) {
	const size = 4096
	fresh := func() []byte {
		return syntheticBlock(size, testFrame(60, 1), testFrame(60, 2), testFrame(60, 3))
	}
	fields := map[string]struct{ at, width int }{
		"number of frames": {12, 4}, "first": {16, 4},
		"next": {48, 4}, "captured length": {60, 4}, "mac": {72, 2},
	}
	values := []uint32{0, 1, 7, 8, 47, 49, 51, 100, size - 100, size - 48, size - 40, size, size + 8, 0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffff8, 0xffffffff}
	failures := 0
	for name, f := range fields {
		for _, v := range values {
			for _, status := range []uint32{0, unix.TP_STATUS_VLAN_VALID} {
				b := fresh()
				if f.width == 4 {
					binary.NativeEndian.PutUint32(b[f.at:], v)
				} else {
					binary.NativeEndian.PutUint16(b[f.at:], uint16(v))
				}
				binary.NativeEndian.PutUint32(b[48+20:], status)
				w := walker{snaplen: MaxSnaplen, tags: true}
				w.begin(b, nil)
				n, _, err := w.fill(make([]udpstr.Frame, 4))
				if err != nil {
					failures++
					if !errors.Is(err, errCorrupt) {
						t.Errorf("%s=%d: %v", name, v, err)
					}
				}
				if n > 4 {
					t.Errorf("%s=%d: %d frames", name, v, n)
				}
			}
		}
	}
	if failures < 20 {
		t.Errorf("only %d found", failures)
	}
}

func TestLinkTypes(t *testing.T) {
	for arp, want := range map[uint16]uint32{
		unix.ARPHRD_ETHER: 1, unix.ARPHRD_LOOPBACK: 1, unix.ARPHRD_NONE: 12, unix.ARPHRD_PPP: 12, unix.ARPHRD_IPGRE: 12,
	} {
		if got, err := linkTypeOf(arp); got != want || err != nil {
			t.Errorf("%d: %d, %v", arp, got, err)
		}
	}
	for arp, want := range map[uint16]string{
		803:  "ARP hardware type 803 (802.11 with radiotap header): unsupported link type",
		4242: "ARP hardware type 4242: unsupported link type",
	} {
		if _, err := linkTypeOf(arp); !errors.Is(err, ErrLinkType) || err.Error() != want {
			t.Errorf("%d: %v", arp, err)
		}
	}
}

// BenchmarkWalk walks the blocks of a ring of 16 MiB in turn, so that headers come
// from memory as cold as in a real one. The copy variant also reads each frame, as
// the packer does, in leases of different sizes.
func BenchmarkWalk(b *testing.B) {
	for _, size := range []int{60, 300, 1514} {
		var ring [][]byte
		var filled [][]byte
		for i := range 16384 {
			filled = append(filled, testFrame(size, uint32(i)))
		}
		for range 16 {
			ring = append(ring, syntheticBlock(1<<20, filled...))
		}
		for _, lease := range []int{512, leaseFrames, 16384} {
			for _, copying := range []bool{false, true} {
				b.Run(fmt.Sprintf("frame=%d/lease=%d/copy=%v", size, lease, copying), func(b *testing.B) {
					dst := make([]udpstr.Frame, lease)
					out := make([]byte, 64<<10)
					w := walker{snaplen: MaxSnaplen, tags: true}
					frames := 0
					for i := 0; frames < b.N; i++ {
						w.begin(ring[i%len(ring)], nil)
						for w.left > 0 {
							n, _, err := w.fill(dst)
							if err != nil {
								b.Fatal(err)
							}
							frames += n
							if copying {
								at := 0
								for k := range dst[:n] {
									if at+20+len(dst[k].Data) > len(out) {
										at = 0
									}
									binary.BigEndian.PutUint32(out[at:], dst[k].Sec)
									at += 20
									at += copy(out[at:], dst[k].Data)
								}
							}
						}
					}
				})
			}
		}
	}
}
