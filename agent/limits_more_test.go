package agent

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"rpcapd/config"
	"rpcapd/udpsock"
	"rpcapd/udpstr"
)

// TestHighRates: the products of rates and times do not run over.
func TestHighRates(t *testing.T) {
	for _, gigabits := range []uint64{10, 74, 100, 400, 1_000, 1_000_000} {
		var r rateLimit
		r.set(gigabits * 1e9)
		now := time.Unix(1000, 0)
		r.keep(nil, now)
		full := r.tokens
		if want := int64(gigabits * 1e9 / 8 / 10); full != want { // rateBurst is a tenth of a second
			t.Errorf("%d Gbit/s: a burst of %d bytes, want %d", gigabits, full, want)
		}
		for _, d := range []time.Duration{time.Microsecond, 50 * time.Millisecond, time.Second, time.Hour} {
			r.tokens = 0
			now = now.Add(d)
			r.keep(nil, now)
			if want := min(full, int64(gigabits*1e9/8/1e6)*max(1, int64(d/time.Microsecond))); r.tokens != want && d < time.Second || r.tokens < want && d >= time.Second {
				t.Errorf("%d Gbit/s: %d bytes after %v, want %d", gigabits, r.tokens, d, want)
			}
		}
	}
	for _, bits := range []uint64{1 << 62, 1<<64 - 1} {
		var r rateLimit
		r.set(bits)
		frames := []udpstr.Frame{{Data: make([]byte, 1500)}}
		for i := range 3 {
			if len(r.keep(frames, time.Unix(1000, int64(i)))) != 1 {
				t.Errorf("nothing passes at %d bit/s", bits)
			}
		}
	}
}

// TestSheddingIsSaidOnce: a load that makes shedding come and go for an hour is one line when it begins, and
// one when it is over.
func TestSheddingIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logs := &logCounter{}
		s := shedding{log: zap.New(logs)}
		ended := func() int {
			logs.mu.Lock()
			defer logs.mu.Unlock()
			return logs.lines[zap.InfoLevel]
		}
		for range 400 { // two captures, each few seconds
			s.change(1, 2)
			s.change(1, 3)
			s.change(2, 5)
			time.Sleep(5 * time.Second)
			s.change(5, 1)
			s.change(3, 1)
			time.Sleep(4 * time.Second)
		}
		if _, lines := logs.warned(); lines != 1 || s.count() != 400 || s.active != 0 || ended() != 0 {
			t.Errorf("%d warnings, %d episodes, %d active, its end is said %d times", lines, s.count(), s.active, ended())
		}
		time.Sleep(sheddingQuiet) // no capture says anything any more
		time.Sleep(sheddingQuiet)
		if ended() != 1 {
			t.Errorf("its end is said %d times", ended())
		}
		s.change(1, 2)
		if _, lines := logs.warned(); lines != 2 {
			t.Errorf("%d warnings after it has begun again", lines)
		}
		s.change(2, 1)
		s.close()
		time.Sleep(2 * sheddingQuiet)
		if ended() != 1 {
			t.Error("its end is said after the agent has ended")
		}
	})
}

// TestSlowReaderMoves: while a reader takes a block of 2 MiB in a minute, or nothing at all, the forwarder shows each
// few seconds that it is alive, until the capture ends after half a minute without a byte.
func TestSlowReaderMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		o := &packetTCP{conn: near}
		block := make([]byte, 2<<20)
		done := make(chan error, 1)
		go func() { done <- o.write(block) }()
		watch := func(d time.Duration) (stuck int) {
			for end := time.Now().Add(d); time.Now().Before(end); {
				before := o.moves()
				time.Sleep(2 * dataWriteStep)
				if o.moves() == before && len(done) == 0 {
					stuck++
				}
			}
			return stuck
		}
		go func() {
			for range 64 {
				if _, err := io.CopyN(io.Discard, far, 32<<10); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Second)
			}
		}()
		if n := watch(70 * time.Second); n > 0 || len(done) != 1 {
			t.Fatalf("stuck %d times, ended %d", n, len(done))
		}
		if err := <-done; err != nil || o.bytes.Load() != 2<<20 {
			t.Fatal(err, o.bytes.Load())
		}
		begin := time.Now()
		var took time.Duration
		go func() {
			err := o.write(block)
			took = time.Since(begin)
			done <- err
		}()
		if n := watch(dataWriteTimeout + 10*time.Second); n > 0 {
			t.Errorf("stuck %d times", n)
		}
		if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) || took < dataWriteTimeout || took > dataWriteTimeout+2*dataWriteStep {
			t.Errorf("%v after %v", err, took)
		}
		near.Close()
		far.Close()
	})
}

// TestGrowsAgain: a path that took less for a while is used in full again.
func TestGrowsAgain(t *testing.T) {
	data := openDataPort(t)
	out, err := openUDPStr(data.addr(), &Options{GSO: udpsock.Off}, &config.Agent{Datagram: config.Datagram{Size: 1472}}, false, zap.NewNop(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer out.close()
	u := out.(*udpStr)
	pack := func() {
		t.Helper()
		frames := make([]udpstr.Frame, 4)
		for i := range frames {
			frames[i] = udpstr.Frame{Data: make([]byte, 1000), Len: 1000}
		}
		if err := out.forward(frames); err != nil {
			t.Fatal(err)
		}
	}
	send := func() {
		t.Helper()
		pack()
		if err := out.flush(); err != nil {
			t.Fatal(err)
		}
	}
	send()
	pack()
	run, ok := u.packer.Take()
	if !ok {
		t.Fatal("no run")
	}
	if err := u.shrink(run, 900); err != nil {
		t.Fatal(err)
	}
	if u.limit.Load() != 900 || u.regrow.IsZero() {
		t.Fatal(u.limit.Load(), u.regrow)
	}
	send()
	if u.limit.Load() != 900 {
		t.Errorf("%d at once", u.limit.Load())
	}
	u.regrow = time.Now()
	send()
	if u.limit.Load() != 1472 || !u.regrow.IsZero() {
		t.Errorf("limit %d, next try %v", u.limit.Load(), u.regrow)
	}
}
