package rpcap

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipe returns a framed end and the raw other one. Both are closed with the test.
func pipe(t *testing.T, maxPayload uint32) (*Conn, net.Conn) {
	t.Helper()
	a, b := net.Pipe()
	t.Cleanup(func() { a.Close(); b.Close() })
	return NewConn(a, maxPayload), b
}

var never time.Time

func TestConnReadsExactly(t *testing.T) {
	for _, piece := range []int{1, 2, 7, 8, 9, 4096, 1 << 20} {
		t.Run(fmt.Sprint(piece), func(t *testing.T) {
			c, raw := pipe(t, MaxReplyAccepted)
			var stream []byte
			for _, e := range examples() {
				stream = append(stream, e.message(t)...)
			}
			large := append(Header{Type: TypeFindAllReply, PayloadLen: 300_000}.Append(nil), make([]byte, 300_000)...)
			large[len(large)-1] = 0xee
			stream = append(append(stream, large...), AppendEmpty(nil, TypeClose)...)
			go func() {
				for b := stream; len(b) > 0; b = b[min(piece, len(b)):] {
					raw.Write(b[:min(piece, len(b))])
				}
				raw.Close()
			}()
			var got []byte
			for {
				if err := c.Await(never); err != nil {
					if err != io.EOF {
						t.Error(err)
					}
					break
				}
				h, payload, err := c.ReadMessage(never)
				if err != nil {
					t.Fatal(err)
				}
				if len(payload) != int(h.PayloadLen) {
					t.Fatalf("%s: payload of %d, header says %d", h.Type, len(payload), h.PayloadLen)
				}
				got = append(h.Append(got), payload...)
			}
			if !bytes.Equal(got, stream) {
				t.Errorf("%d bytes read of %d, or others", len(got), len(stream))
			}
			if _, _, err := c.ReadMessage(never); err != io.EOF {
				t.Errorf("after the end: %v", err)
			}
		})
	}
}

// TestConnEnds closes the stream at each byte of two messages.
func TestConnEnds(t *testing.T) {
	m := OpenRequest{"eth0"}.Append(nil)
	stream := append(bytes.Clone(m), m...)
	for end := range len(stream) + 1 {
		c, raw := pipe(t, MaxRequestPayload)
		go func() {
			raw.Write(stream[:end])
			raw.Close()
		}()
		var err error
		n := 0
		for ; ; n++ {
			if _, _, err = c.ReadMessage(never); err != nil {
				break
			}
		}
		want := io.ErrUnexpectedEOF
		if end%len(m) == 0 {
			want = io.EOF
		}
		if n != end/len(m) || !errors.Is(err, want) || (want == io.ErrUnexpectedEOF) == errors.Is(err, io.EOF) {
			t.Errorf("end after %d bytes: %d messages, then %v, want %v", end, n, err, want)
		}
	}
}

func TestConnPayloadTooLong(t *testing.T) {
	for _, n := range []uint32{MaxRequestPayload + 1, 1 << 31, 0xffffffff} {
		c, raw := pipe(t, MaxRequestPayload)
		go func() {
			raw.Write(Header{Type: TypeAuthRequest, Value: 7, PayloadLen: n}.Append(nil))
		}()
		var h Header
		var payload []byte
		var err error
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		h, payload, err = c.ReadMessage(never)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, ErrPayloadTooLong) || payload != nil || h.PayloadLen != n || h.Type != TypeAuthRequest || h.Value != 7 {
			t.Errorf("length %d: %+v, %d bytes, %v", n, h, len(payload), err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<10 {
			t.Errorf("length %d: %d bytes allocated", n, used)
		}
	}
	c, raw := pipe(t, 4)
	go raw.Write(OpenRequest{"eth0"}.Append(nil))
	if _, payload, err := c.ReadMessage(never); err != nil || string(payload) != "eth0" {
		t.Errorf("payload of just the limit: %q, %v", payload, err)
	}
}

// TestConnPromises: a peer that announces much and sends little gets little memory.
func TestConnPromises(t *testing.T) {
	c, raw := pipe(t, 1<<30)
	go func() {
		raw.Write(Header{Type: TypeFindAllReply, PayloadLen: 1 << 30}.Append(nil))
		raw.Write(make([]byte, 100_000))
		raw.Close()
	}()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	h, _, err := c.ReadMessage(never)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, io.ErrUnexpectedEOF) || h.Type != TypeFindAllReply {
		t.Errorf("%+v, %v", h, err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("%d bytes allocated for 100,000 received", used)
	}
}

// TestConnReuses: messages of a usual size cost no memory once the first was read.
func TestConnReuses(t *testing.T) {
	m := StatsReply{1, 2, 3, 4}.Append(nil)
	c := NewConn(endless{message: m}, MaxReplyAccepted)
	if n := testing.AllocsPerRun(100, func() {
		if err := c.Await(never); err != nil {
			t.Fatal(err)
		}
		if _, p, err := c.ReadMessage(never); err != nil || len(p) != 16 {
			t.Fatal(len(p), err)
		}
		if err := c.WriteMessage(never, m); err != nil {
			t.Fatal(err)
		}
	}); n > 1 {
		t.Errorf("%v allocations a message", n)
	}
}

// endless sends the same message for ever and takes everything.
type endless struct {
	net.Conn
	message []byte
}

func (e endless) Read(b []byte) (n int, err error) {
	for n+len(e.message) <= len(b) {
		n += copy(b[n:], e.message)
	}
	return n, nil
}
func (endless) Write(b []byte) (int, error)      { return len(b), nil }
func (endless) SetReadDeadline(time.Time) error  { return nil }
func (endless) SetWriteDeadline(time.Time) error { return nil }

// TestConnStalls: the peer stops after each byte of a message. The wait for a first
// byte may time out and be taken up again; inside a message a time-out is an error.
func TestConnStalls(t *testing.T) {
	m := OpenRequest{"eth0"}.Append(nil)
	for sent := range len(m) {
		synctest.Test(t, func(t *testing.T) {
			c, raw := pipe(t, MaxRequestPayload)
			start := time.Now()
			for range 2 {
				if err := c.Await(time.Now().Add(time.Hour)); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatalf("await without a byte: %v", err)
				}
			}
			if waited := time.Since(start); waited != 2*time.Hour {
				t.Errorf("waited %v", waited)
			}
			if sent > 0 {
				go raw.Write(m[:sent])
				if err := c.Await(never); err != nil {
					t.Fatal(err)
				}
				if err := c.Await(time.Now().Add(-time.Second)); err != nil {
					t.Errorf("await of a byte that is there: %v", err)
				}
			}
			start = time.Now()
			h, _, err := c.ReadMessage(start.Add(30 * time.Second))
			if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 30*time.Second {
				t.Errorf("stall after %d bytes: %v after %v", sent, err, time.Since(start))
			}
			if (h.Type == TypeOpenRequest) != (sent >= HeaderLen) {
				t.Errorf("stall after %d bytes: header %+v", sent, h)
			}
		})
	}
}

// TestConnDeadlineIsNotKept: a deadline holds for the call it was given to.
func TestConnDeadlineIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, raw := pipe(t, MaxRequestPayload)
		m := OpenRequest{"eth0"}.Append(nil)
		for range 2 {
			go func() {
				time.Sleep(time.Minute)
				raw.Write(m)
			}()
			if err := c.Await(time.Now().Add(time.Second)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal(err)
			}
			if err := c.Await(never); err != nil {
				t.Fatal(err)
			}
			if _, p, err := c.ReadMessage(time.Now().Add(time.Second)); err != nil || string(p) != "eth0" {
				t.Fatalf("%q, %v", p, err)
			}
		}
	})
}

// TestConnConcurrentWrites: messages of many goroutines come out whole.
func TestConnConcurrentWrites(t *testing.T) {
	const writers, each = 8, 50
	c, raw := pipe(t, 0)
	peer := NewConn(raw, MaxReplyAccepted)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				text := bytes.Repeat([]byte{byte('a' + w)}, 1+(w*31+i)%255)
				if err := c.WriteMessage(never, (&Error{Code(w), string(text)}).Append(nil)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var seen [writers]int
	for range writers * each {
		h, payload, err := peer.ReadMessage(never)
		if err != nil {
			t.Fatal(err)
		}
		w := int(h.Value)
		if want := bytes.Repeat([]byte{byte('a' + w)}, 1+(w*31+seen[w])%255); !bytes.Equal(payload, want) {
			t.Fatalf("message %d of writer %d: %q", seen[w], w, payload)
		}
		seen[w]++
	}
	wg.Wait()
}

// TestConnWriteCut: a peer that reads a part of a message and no more. The time-out
// ends the writing side: what came after would be taken for the rest of that message.
func TestConnWriteCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, raw := pipe(t, 0)
		m := OpenRequest{"eth0"}.Append(nil)
		if err := c.WriteMessage(time.Now().Add(time.Second), m); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("nobody reads: %v", err)
		}
		got := make([]byte, 3*len(m))
		go io.ReadFull(raw, got[:len(m)])
		if err := c.WriteMessage(time.Now().Add(time.Second), m); err != nil {
			t.Fatalf("after a time-out that sent nothing: %v", err)
		}
		go io.ReadFull(raw, got[:5])
		if err := c.WriteMessage(time.Now().Add(time.Second), m); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("five bytes are read: %v", err)
		}
		more := make(chan int)
		go func() {
			raw.SetReadDeadline(time.Now().Add(time.Hour))
			n, _ := raw.Read(got)
			more <- n
		}()
		if err := c.WriteMessage(time.Now().Add(time.Second), m); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after a cut message: %v", err)
		}
		if n := <-more; n != 0 {
			t.Errorf("%d bytes were written after a cut message", n)
		}
	})
}

func TestConnClose(t *testing.T) {
	c, raw := pipe(t, 0)
	if c.NetConn() == nil || c.NetConn() == raw {
		t.Error("NetConn is not the connection underneath")
	}
	done := make(chan error)
	go func() { done <- c.Await(never) }()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil {
		t.Error("Await survives Close")
	}
	if err := c.WriteMessage(never, nil); err == nil {
		t.Error("WriteMessage after Close")
	}
	if _, _, err := c.ReadMessage(never); err == nil {
		t.Error("ReadMessage after Close")
	}
}

// TestConnInterrupt: an Await that waits ends at once, and so do later ones; a message
// that is being read is read to its end; after Resume all is as before.
func TestConnInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, raw := pipe(t, MaxRequestPayload)
		time.AfterFunc(time.Minute, c.Interrupt)
		began := time.Now()
		for range 2 {
			if err := c.Await(never); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != time.Minute {
				t.Errorf("%v after %v", err, time.Since(began))
			}
		}
		c.Resume()
		m := OpenRequest{"eth0"}.Append(nil)
		go func() {
			raw.Write(m[:9])
			time.Sleep(2 * time.Second)
			raw.Write(m[9:])
			time.Sleep(time.Second)
			raw.Write(m)
		}()
		if err := c.Await(never); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second, c.Interrupt)
		if _, payload, err := c.ReadMessage(never); err != nil || string(payload) != "eth0" {
			t.Errorf("%q, %v", payload, err)
		}
		if err := c.Await(never); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		c.Resume()
		if err := c.Await(never); err != nil {
			t.Error(err)
		}
		if _, payload, err := c.ReadMessage(never); err != nil || string(payload) != "eth0" {
			t.Errorf("after Resume: %q, %v", payload, err)
		}
	})
}

// TestTake: a payload that was taken stays as it is while further messages are read.
func TestTake(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	long := bytes.Repeat([]byte("x"), 3*payloadStep)
	go func() {
		for _, p := range [][]byte{long, []byte("short"), bytes.Repeat([]byte("y"), 3*payloadStep)} {
			_, _ = a.Write(append(Header{Version: Version, Type: TypeFindAllRequest, PayloadLen: uint32(len(p))}.Append(nil), p...))
		}
	}()
	c := NewConn(b, 1<<20)
	held := 0
	c.SetBudget(func(bytes int) error { held = bytes; return nil })
	_, p, err := c.ReadMessage(time.Time{})
	if err != nil || !bytes.Equal(p, long) {
		t.Fatalf("%d bytes, %v", len(p), err)
	}
	taken := c.Take()
	if _, _, err := c.ReadMessage(time.Time{}); err != nil || held != len(long) {
		t.Errorf("the budget has %d bytes, %v", held, err)
	}
	if _, _, err := c.ReadMessage(time.Time{}); err != nil || !bytes.Equal(taken, long) {
		t.Errorf("what was taken has changed, or %v", err)
	}
}
