package rpcap

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// seedMessages adds the recorded messages and the hand-written ones.
func seedMessages(f *testing.F) {
	for _, e := range examples() {
		f.Add(e.message(f))
	}
	for _, pattern := range []string{"*.ctrl.*.bin", "errors/*.bin"} {
		for _, file := range vectorFiles(f, pattern, 22) {
			for b := readFile(f, file); len(b) > 0; {
				_, _, n, err := splitMessage(b)
				if err != nil {
					f.Add(b)
					break
				}
				f.Add(b[:n])
				b = b[n:]
			}
		}
	}
}

func FuzzHeader(f *testing.F) {
	seedMessages(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := ParseHeader(b)
		if (err != nil) != (len(b) < HeaderLen) {
			t.Fatalf("%d bytes: %v", len(b), err)
		}
		if err == nil && !bytes.Equal(h.Append(nil), b[:n]) {
			t.Fatalf("% x encodes to % x", b[:n], h.Append(nil))
		}
		if h, payload, n, err := splitMessage(b); err == nil && (uint64(len(payload)) != uint64(h.PayloadLen) || n != HeaderLen+len(payload)) {
			t.Fatalf("%+v: payload of %d, %d used", h, len(payload), n)
		}
	})
}

// FuzzMessage gives the rest of the input to the parser of the type in its header. A
// value encodes to a message that decodes to the same, within the bound of memory.
func FuzzMessage(f *testing.F) {
	seedMessages(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := ParseHeader(b)
		if err != nil {
			return
		}
		payload := b[n:]
		if _, again, used, err := decode(h, payload); err == nil {
			if used > len(payload) {
				t.Fatalf("%d of %d bytes used", used, len(payload))
			}
			h2, payload2, n2, err := splitMessage(again)
			if err != nil || n2 != len(again) {
				t.Fatalf("% x encodes to % x: %v", b, again, err)
			}
			_, twice, _, err := decode(h2, payload2)
			if err != nil || !bytes.Equal(again, twice) {
				t.Fatalf("% x\nencodes to % x\nthen to    % x: %v", b, again, twice, err)
			}
		}
		checkMemory(t, len(payload), func() { parse(h, payload) })
	})
}

func FuzzProgram(f *testing.F) {
	f.Add(AcceptAll().Append(nil))
	f.Add([]byte{0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, n, err := ParseProgram(b)
		if err == nil {
			again := p.Append(nil)
			// Bytes 2 and 3 mean nothing and are not kept.
			if len(again) != n || !bytes.Equal(again[4:], b[4:n]) || len(p) > MaxInstructions {
				t.Fatalf("% x encodes to % x", b[:n], again)
			}
		}
		checkMemory(t, len(b), func() { ParseProgram(b) })
	})
}

// FuzzInterfaceList: the entries are kept as they came, whatever is in them, and what
// they decode to encodes to as many bytes.
func FuzzInterfaceList(f *testing.F) {
	for _, file := range vectorFiles(f, "*.ctrl.agent-to-sensor.bin", 11) {
		for b := readFile(f, file); len(b) > 0; {
			h, payload, n, err := splitMessage(b)
			if err != nil {
				f.Fatal(err)
			}
			if h.Type == TypeFindAllReply {
				f.Add(h.Value, payload)
			}
			b = b[n:]
		}
	}
	f.Fuzz(func(t *testing.T, count uint16, payload []byte) {
		if l, n, err := ParseInterfaceList(count, payload); err == nil {
			if !bytes.Equal(l.Append(nil)[HeaderLen:], payload[:n]) || l.Len() != int(count) {
				t.Fatal("the list changed")
			}
			seen := 0
			for i := range l.All() {
				touch(&i)
				seen += len(i.append(nil))
			}
			if seen != n {
				t.Fatalf("%d bytes gave interfaces of %d", n, seen)
			}
		}
		checkMemory(t, len(payload), func() { parse(Header{Type: TypeFindAllReply, Value: count}, payload) })
	})
}

func FuzzPacket(f *testing.F) {
	for _, pattern := range []string{"up-udp.*.datagrams.json", "eh-mtu0-tcp.*.tcpdata.bin"} {
		for _, file := range vectorFiles(f, pattern, 1) {
			for _, b := range recordedPackets(f, file) {
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, frame, n, err := ParsePacket(b)
		if err != nil {
			return
		}
		again := append(m.Append(nil), frame...)
		// Bytes 2 to 7 are value and length, which are not trusted.
		if n != len(again) || !bytes.Equal(again[8:], b[8:n]) {
			t.Fatalf("% x encodes to % x", b[:n], again)
		}
	})
}

// FuzzConn reads a stream to its end: the same messages as splitMessage finds, then
// the error that says how it ended.
func FuzzConn(f *testing.F) {
	for _, file := range vectorFiles(f, "errors/*.bin", 190) {
		f.Add(readFile(f, file))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		const most = 1 << 14
		c := NewConn(recorded{bytes.NewReader(b)}, most)
		for {
			want, payload, n, splitErr := splitMessage(b)
			h, got, err := c.ReadMessage(never)
			switch {
			case len(b) >= HeaderLen && want.PayloadLen > most:
				if !errors.Is(err, ErrPayloadTooLong) {
					t.Fatalf("%+v: %v", want, err)
				}
				return
			case len(b) == 0:
				if err != io.EOF {
					t.Fatalf("at the end: %v", err)
				}
				return
			case splitErr != nil:
				if !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("%v, but %v", splitErr, err)
				}
				return
			case err != nil || h != want || !bytes.Equal(got, payload):
				t.Fatalf("%+v, want %+v: %v", h, want, err)
			}
			b = b[n:]
		}
	})
}

// FuzzTakeInstruction: either the payload grows by the next 8 bytes, which are a
// "return k" and no CLOSE, or the stream is as it was.
func FuzzTakeInstruction(f *testing.F) {
	_, instruction := withoutFilter()
	for n := range len(instruction) + 1 {
		f.Add(instruction[:n])
	}
	f.Add(AppendEmpty(nil, TypeClose))
	f.Fuzz(func(t *testing.T, behind []byte) {
		request, _ := withoutFilter()
		c := NewConn(recorded{bytes.NewReader(append(request, behind...))}, MaxRequestPayload)
		_, payload, err := c.ReadMessage(never)
		if err != nil {
			t.Fatal(err)
		}
		got := c.TakeInstruction(payload, never)
		rest, err := io.ReadAll(c.r)
		if err != nil || !bytes.Equal(append(bytes.Clone(got[20:]), rest...), behind) {
			t.Fatalf("% x became % x and % x: %v", behind, got[20:], rest, err)
		}
		taken := len(behind) >= 8 && bytes.HasPrefix(behind, []byte{0, 6, 0, 0}) && !bytes.Equal(behind[4:8], make([]byte, 4))
		if taken != (len(got) == 28) {
			t.Fatalf("% x: taken %v, want %v", behind, !taken, taken)
		}
	})
}

// recorded is a connection that gives what was recorded and ends.
type recorded struct{ io.Reader }

func (recorded) Write([]byte) (int, error)        { return 0, os.ErrInvalid }
func (recorded) Close() error                     { return nil }
func (recorded) LocalAddr() net.Addr              { return nil }
func (recorded) RemoteAddr() net.Addr             { return nil }
func (recorded) SetDeadline(time.Time) error      { return nil }
func (recorded) SetReadDeadline(time.Time) error  { return nil }
func (recorded) SetWriteDeadline(time.Time) error { return nil }
