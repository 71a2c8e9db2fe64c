package rpcap

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"testing"
)

// allocated returns the bytes that f allocates: more than most only if it did in each
// of some runs, since the runtime allocates in the background too.
func allocated(most uint64, f func()) (n uint64) {
	for range 4 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		if n = after.TotalAlloc - before.TotalAlloc; n <= most {
			break
		}
	}
	return n
}

// checkMemory fails if f allocates more than a payload of that size may cost.
func checkMemory(t *testing.T, payload int, f func()) {
	t.Helper()
	most := 4*uint64(payload) + 4096
	if got := allocated(most, f); got > most {
		t.Fatalf("%d bytes allocated for a payload of %d, at most %d", got, payload, most)
	}
}

// parse does what a receiver of the message does: decode it and read all of it.
func parse(h Header, payload []byte) {
	switch h.Type {
	case TypeError:
		ParseError(h, payload)
	case TypeFindAllReply:
		if l, _, err := ParseInterfaceList(h.Value, payload); err == nil {
			for i := range l.All() {
				i.Preselected()
			}
		}
	case TypeOpenRequest:
		ParseOpenRequest(payload)
	case TypeStartCaptureRequest:
		ParseStartCaptureRequest(payload)
	case TypeUpdateFilterRequest:
		ParseUpdateFilterRequest(payload)
	case TypeAuthRequest:
		ParseAuthRequest(payload)
	case TypeAuthReply:
		ParseAuthReply(payload)
	case TypeOpenReply:
		ParseOpenReply(payload)
	case TypeStartCaptureReply:
		ParseStartCaptureReply(payload)
	case TypeStatsReply:
		ParseStatsReply(payload)
	case TypeSamplingRequest:
		ParseSamplingRequest(payload)
	case TypePacket:
		ParsePacket(payload)
	}
}

// TestMemory: the inputs that would cost most for their size.
func TestMemory(t *testing.T) {
	entries := func(n int, entry []byte) (b []byte) {
		for range n {
			b = append(b, entry...)
		}
		return b
	}
	small := Interface{Name: "a", Description: "b"}
	oneAddress := Interface{Name: "abc", Description: "defgh", Addresses: make([]Address, 1)}
	list := Header{Type: TypeFindAllReply, Value: 65535}
	many := Header{Type: TypeFindAllReply, Value: 2000}
	claims := func(m []byte, at int) []byte { // a length field at its maximum, nothing behind it
		b := append([]byte(nil), m[HeaderLen:]...)
		binary.BigEndian.PutUint32(b[at:], 0xffffffff)
		return b
	}
	start := StartCaptureRequest{Filter: AcceptAll()}.Append(nil)
	update := UpdateFilterRequest{AcceptAll()}.Append(nil)
	for _, c := range []struct {
		name    string
		h       Header
		payload []byte
	}{
		{"65,535 empty interfaces", list, make([]byte, 12*65535)},
		{"65,535 interfaces of 14 bytes", list, entries(65535, small.append(nil))},
		{"2,000 interfaces with an address", many, entries(2000, oneAddress.append(nil))},
		{"list of 65,535 in no bytes", list, nil},
		{"interface of 65,535 addresses in 12 bytes", Header{Type: TypeFindAllReply, Value: 1}, []byte{11: 0, 8: 0xff, 9: 0xff}},
		{"4 G instructions in STARTCAP_REQ", Header{Type: TypeStartCaptureRequest}, claims(start, 16)},
		{"4 G instructions in UPDATEFILTER_REQ", Header{Type: TypeUpdateFilterRequest}, claims(update, 4)},
		{"strings of 65,535 bytes in 8", Header{Type: TypeAuthRequest}, []byte{0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff}},
		{"interface name of noise with a NUL", Header{Type: TypeOpenRequest}, append(bytes.Repeat([]byte{0xff, 1}, 500), 0, 1)},
		{"interface name of 1 MiB", Header{Type: TypeOpenRequest}, make([]byte, 1<<20)},
		{"error text of 1 MiB", Header{Type: TypeError, PayloadLen: 1 << 20}, make([]byte, 1<<20)},
		{"error text of 4 GiB", Header{Type: TypeError, PayloadLen: 0xffffffff}, make([]byte, 64)},
		{"frame of 4 GiB", Header{Type: TypePacket}, PacketHeader{Caplen: 0xffffffff}.Append(nil)},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkMemory(t, len(c.payload), func() { parse(c.h, c.payload) })
		})
	}
}

// TestMutations changes bytes of the recorded messages: what comes out is a value or
// an error, and never memory beyond the bound.
func TestMutations(t *testing.T) {
	random := rand.New(rand.NewPCG(2003, 2002))
	var messages [][]byte
	for _, e := range examples() {
		messages = append(messages, e.message(t))
	}
	for _, file := range vectorFiles(t, "*.ctrl.*.bin", 22) {
		for b := readFile(t, file); len(b) > 0; {
			_, _, n, err := splitMessage(b)
			if err != nil {
				t.Fatal(err)
			}
			messages = append(messages, b[:n])
			b = b[n:]
		}
	}
	values, refused := 0, 0
	for _, original := range messages {
		for round := range 30 {
			m := append([]byte(nil), original...)
			for range 1 + random.IntN(3) {
				// Lengths and counts are near the beginning: half of the changes go there.
				at := random.IntN(len(m))
				if random.IntN(2) == 0 {
					at = random.IntN(min(len(m), 32))
				}
				switch random.IntN(3) {
				case 0:
					m[at] = byte(random.Uint32())
				case 1:
					m[at] ^= 1 << random.IntN(8)
				case 2:
					m[at] = 0xff
				}
			}
			h, _, err := ParseHeader(m)
			if err != nil {
				t.Fatal(err)
			}
			payload := m[HeaderLen:]
			if _, again, used, err := decode(h, payload); err != nil {
				refused++
			} else {
				values++
				if used > len(payload) || len(again) > HeaderLen+max(used, MaxErrorText) {
					t.Fatalf("% x: used %d of %d, encodes to %d bytes", m[:min(len(m), 40)], used, len(payload), len(again))
				}
			}
			if round%10 == 0 { // measuring stops the world
				checkMemory(t, len(payload), func() { parse(h, payload) })
			}
		}
	}
	if values < 500 || refused < 500 {
		t.Errorf("%d values and %d errors: the changes do not reach both", values, refused)
	}
}
