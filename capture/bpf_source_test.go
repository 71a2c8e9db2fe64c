package capture

import (
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/filter"
	"rpcapd/rpcap"
)

// etherFrame is a numbered frame of a type.
func etherFrame(kind uint16, seq uint32, n int) []byte {
	f := make([]byte, max(n, 18))
	binary.BigEndian.PutUint16(f[12:], kind)
	binary.BigEndian.PutUint32(f[14:], seq)
	return f
}

// collector takes all frames of a source until it ends.
type collector struct {
	mu    sync.Mutex
	seqs  []uint32
	kinds []uint16
	at    []time.Duration // since the collector began
	bytes uint64
	end   error
	done  chan struct{}
}

func collectFrom(s Source) *collector {
	c := &collector{done: make(chan struct{})}
	began := time.Now()
	go func() {
		defer close(c.done)
		for {
			frames, err := s.Next(time.Time{})
			if err == os.ErrDeadlineExceeded {
				continue
			}
			if err != nil {
				c.end = err
				return
			}
			c.mu.Lock()
			for _, f := range frames {
				c.kinds = append(c.kinds, binary.BigEndian.Uint16(f.Data[12:]))
				c.seqs = append(c.seqs, binary.BigEndian.Uint32(f.Data[14:]))
				c.at = append(c.at, time.Since(began))
				c.bytes += uint64(len(f.Data))
			}
			c.mu.Unlock()
			s.Release()
		}
	}()
	return c
}

// checkBPFSum is the equation of the package comment, after the end.
func checkBPFSum(t *testing.T, s Source, c *collector) Stats {
	t.Helper()
	st, err := s.Stats()
	if err != nil {
		t.Fatal(err)
	}
	if st.Received != st.RingDrops+st.Delivered+st.Refused || st.Delivered != uint64(len(c.seqs)) || st.Bytes != c.bytes {
		t.Errorf("%+v, %d frames of %d bytes", st, len(c.seqs), c.bytes)
	}
	return st
}

var acceptEthernet = rpcap.Program{{Op: 0x06, K: MaxSnaplen}}

// TestBPFGathers: a frame is handed over within Retire, with those that came meanwhile; under load as soon as a buffer is
// half full; and an idle interface costs a look now and then, and nothing else.
func TestBPFGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKernel("macOS and OpenBSD")
		s := openFakeBPF(t, k, Options{Filter: bpfFilter(t, 1, 0, acceptEthernet), Retire: 18 * time.Millisecond})
		c := collectFrom(s)
		time.Sleep(time.Minute)
		if synctest.Wait(); k.waits < 25 || k.waits > 40 {
			t.Errorf("%d waits of an idle minute", k.waits)
		}
		for n := range uint32(5) {
			k.deliver(etherFrame(0x800, n, 60))
			time.Sleep(3 * time.Millisecond)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if !slices.Equal(c.seqs, []uint32{0, 1, 2, 3, 4}) || c.at[0] != c.at[4] || c.at[0] > time.Minute+18*time.Millisecond {
			t.Errorf("frames %v at %v", c.seqs, c.at)
		}
		for n := range uint32(4000) { // 1,500 bytes each 10 µs: 1.2 Gbit/s, through buffers of 64 KiB
			k.deliver(etherFrame(0x800, n, 1500))
			time.Sleep(10 * time.Microsecond)
		}
		if err := s.Drain(time.Second); err != nil {
			t.Fatal(err)
		}
		<-c.done
		if st := checkBPFSum(t, s, c); c.end != io.EOF || st.RingDrops == 0 || st.Received != 4005 {
			t.Errorf("%v, %+v", c.end, st) // 4 ms are 600 KB, and both buffers 128 KB
		}
	})
}

// TestBPFKeepsUp: with the buffers that FreeBSD gives, the same load loses nothing.
func TestBPFKeepsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKernel("FreeBSD, NetBSD and DragonFly")
		k.size = 512 << 10
		s := openFakeBPF(t, k, Options{Filter: bpfFilter(t, 1, 96, acceptEthernet)})
		c := collectFrom(s)
		for n := range uint32(20000) {
			k.deliver(etherFrame(0x800, n, 1500))
			time.Sleep(10 * time.Microsecond)
		}
		if err := s.Drain(time.Second); err != nil {
			t.Fatal(err)
		}
		<-c.done
		st := checkBPFSum(t, s, c)
		if st.Delivered != 20000 || st.RingDrops != 0 || st.Bytes != 20000*96 {
			t.Errorf("%+v", st)
		}
	})
}

// TestBPFSetFilter: frames come without pause while the filter changes over and over, between programs of the kernel, and such
// as run here. A frame that both programs accept comes once, whichever way the kernel goes; one that neither accepts
// never.
func TestBPFSetFilter(t *testing.T) {
	for _, inPlace := range []bool{true, false} {
		for name := range layouts {
			synctest.Test(t, func(t *testing.T) {
				k := newFakeKernel(name)
				k.inPlace = inPlace
				// Types 1 and 2: one program accepts 1 and both, the other 2 and both. Nobody accepts 9.
				const both, neither = 0x1111, 0x9999
				either := func(v uint32) rpcap.Program {
					return rpcap.Program{{Op: 0x28, K: 12}, {Op: 0x15, K: both, Jt: 1}, {Op: 0x15, K: v, Jf: 1}, {Op: 0x06, K: MaxSnaplen}, {Op: 0x06}}
				}
				here := func(v uint32) filter.Program {
					p, err := filter.UserSpace(1, filter.Exclusion{}, either(v), 0)
					if err != nil {
						t.Fatal(err)
					}
					return p
				}
				programs := []filter.Program{bpfFilter(t, 1, 0, either(1)), bpfFilter(t, 1, 0, either(2)), here(1), here(2), bpfFilter(t, 1, 0, either(2)), here(1)}
				s := openFakeBPF(t, k, Options{Filter: programs[0]})
				c := collectFrom(s)
				sent, stop, stopped := uint32(0), make(chan struct{}), make(chan struct{})
				go func() {
					defer close(stopped)
					r := rand.New(rand.NewPCG(1, 2))
					for {
						select {
						case <-stop:
							return
						default:
						}
						if r.IntN(3) > 0 {
							k.deliver(etherFrame(both, sent, 60))
							sent++
						} else {
							k.deliver(etherFrame([]uint16{1, 2, neither}[r.IntN(3)], 0, 60))
						}
						if r.IntN(4) > 0 {
							time.Sleep(time.Duration(r.IntN(300)) * time.Microsecond)
						}
					}
				}()
				for n := range 30 {
					time.Sleep(7 * time.Millisecond)
					if err := s.SetFilter(programs[n%len(programs)]); err != nil {
						t.Fatal(err)
					}
				}
				close(stop)
				<-stopped
				if err := s.Drain(time.Second); err != nil {
					t.Fatal(err)
				}
				<-c.done
				var got []uint32
				for n, kind := range c.kinds {
					if kind == both {
						got = append(got, c.seqs[n])
					} else if kind == neither {
						t.Fatal("a frame that no program accepts")
					}
				}
				if len(got) != int(sent) || !slices.IsSorted(got) || len(slices.Compact(got)) != int(sent) {
					t.Errorf("in place %v: %d of %d frames that all programs accept, in order %v", inPlace, len(got), sent, slices.IsSorted(got))
				}
				checkBPFSum(t, s, c)
				if c.end != io.EOF {
					t.Error(c.end)
				}
			})
		}
	}
}

// TestBPFSetFilterFails: the old program stays, with its frames.
func TestBPFSetFilterFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKernel("macOS and OpenBSD")
		s := openFakeBPF(t, k, Options{Filter: bpfFilter(t, 1, 0, keepType(1))})
		c := collectFrom(s)
		k.deliver(etherFrame(1, 0, 60))
		k.startErr = os.NewSyscallError("ioctl BIOCSETF", syscall.EINVAL)
		err := s.SetFilter(bpfFilter(t, 1, 0, keepType(2)))
		if !errors.Is(err, syscall.EINVAL) || !errors.As(err, new(*net.OpError)) {
			t.Error(err)
		}
		k.deliver(etherFrame(1, 1, 60))
		k.deliver(etherFrame(2, 2, 60))
		if err := s.Drain(time.Second); err != nil {
			t.Fatal(err)
		}
		<-c.done
		if !slices.Equal(c.seqs, []uint32{0, 1}) {
			t.Errorf("%v", c.seqs)
		}
	})
}

// TestBPFDrain: what came before Drain comes, what comes after does not, though the kernel's program goes on.
func TestBPFDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKernel("macOS and OpenBSD")
		s := openFakeBPF(t, k, Options{Filter: bpfFilter(t, 1, 0, acceptEthernet)})
		for n := range uint32(3000) {
			k.deliver(etherFrame(1, n, 60))
		}
		before, err := s.Stats()
		if err != nil || before.RingDrops == 0 {
			t.Fatalf("%+v, %v: the buffers should be full", before, err)
		}
		if err := s.Drain(time.Second); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Microsecond)
		for n := range uint32(3000) {
			k.deliver(etherFrame(2, n, 60))
		}
		if err := s.SetFilter(filter.Program{}); err != nil { // without effect
			t.Error(err)
		}
		c := collectFrom(s)
		<-c.done
		if st := checkBPFSum(t, s, c); c.end != io.EOF || slices.Contains(c.kinds, 2) || st.RingDrops != before.RingDrops || st.Received != 3000 {
			t.Errorf("%v, %+v, before %+v", c.end, st, before)
		}
		if _, err := s.Next(time.Time{}); err != io.EOF {
			t.Error(err)
		}
		if err := s.Drain(time.Second); err != nil {
			t.Error(err)
		}
	})
}

// TestBPFDrainUnderLoad: frames without end do not hold it.
func TestBPFDrainUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKernel("macOS and OpenBSD")
		s := openFakeBPF(t, k, Options{Filter: bpfFilter(t, 1, 0, acceptEthernet)})
		c := collectFrom(s)
		stop := make(chan struct{})
		go func() {
			for n := uint32(0); ; n++ {
				select {
				case <-stop:
					return
				case <-time.After(100 * time.Microsecond):
					k.deliver(etherFrame(2, n, 60))
				}
			}
		}()
		time.Sleep(time.Second)
		began := time.Now()
		if err := s.Drain(100 * time.Millisecond); err != nil {
			t.Fatal(err)
		}
		<-c.done
		close(stop)
		if d := time.Since(began); d > 2*bpfSettle || c.end != io.EOF {
			t.Errorf("%v, %v", d, c.end)
		}
	})
}

// TestBPFDeadlines: see Source.
func TestBPFDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKernel("macOS and OpenBSD")
		s := openFakeBPF(t, k, Options{Filter: bpfFilter(t, 1, 0, acceptEthernet)})
		began := time.Now()
		if _, err := s.Next(time.Unix(1, 0)); err != os.ErrDeadlineExceeded || time.Since(began) != 0 {
			t.Error(err, time.Since(began))
		}
		if _, err := s.Next(time.Now().Add(5 * time.Second)); err != os.ErrDeadlineExceeded || time.Since(began) != 5*time.Second {
			t.Error(err, time.Since(began))
		}
		s.Wake() // the next one that would wait
		if _, err := s.Next(time.Time{}); err != os.ErrDeadlineExceeded || time.Since(began) != 5*time.Second {
			t.Error(err, time.Since(began))
		}
		time.AfterFunc(time.Hour, s.Wake)
		if _, err := s.Next(time.Time{}); err != os.ErrDeadlineExceeded || time.Since(began) != time.Hour+5*time.Second {
			t.Error(err, time.Since(began))
		}
		time.AfterFunc(time.Hour, func() { s.Close() })
		if _, err := s.Next(time.Time{}); err != net.ErrClosed || time.Since(began) != 2*time.Hour+5*time.Second {
			t.Error(err, time.Since(began))
		}
		if _, err := s.Next(time.Time{}); err != net.ErrClosed {
			t.Error(err)
		}
		s.Wake()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := s.SetFilter(bpfFilter(t, 1, 0, acceptEthernet)); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if err := s.Drain(time.Second); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if _, err := s.Stats(); err != nil {
			t.Error(err)
		}
	})
}

// TestBPFCloseWithLease: the frames stay readable, and everything is freed with their release.
func TestBPFCloseWithLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKernel("macOS and OpenBSD")
		s := openFakeBPF(t, k, Options{Filter: bpfFilter(t, 1, 0, acceptEthernet)})
		k.deliver(etherFrame(1, 77, 60))
		frames, err := s.Next(time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil || k.leftovers() != 2 {
			t.Fatalf("%v, %d left", err, k.leftovers())
		}
		if binary.BigEndian.Uint32(frames[0].Data[14:]) != 77 {
			t.Error("another frame")
		}
		s.Release()
		if k.leftovers() != 0 {
			t.Error("not freed")
		}
	})
}

// TestBPFInterface: down and up, deleted and back, with and without the kernel's telling; a frame of the old one is not
// lost, the filter is the one that was set meanwhile, and numbers go on.
func TestBPFInterface(t *testing.T) {
	for _, tells := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			k := newFakeKernel("macOS and OpenBSD")
			var s *deviceSource
			var mu sync.Mutex
			var events []EventKind
			s = openFakeBPF(t, k, Options{Filter: bpfFilter(t, 1, 0, keepType(1)), OnEvent: func(e Event) {
				if _, err := s.Stats(); err != nil || e.Interface != "em0" { // no lock is held
					t.Error(e, err)
				}
				mu.Lock()
				events = append(events, e.Kind)
				mu.Unlock()
			}})
			want := func(kinds ...EventKind) {
				t.Helper()
				synctest.Wait()
				mu.Lock()
				defer mu.Unlock()
				if !slices.Equal(events, kinds) {
					t.Fatalf("events %v, want %v", events, kinds)
				}
				events = nil
			}
			c := collectFrom(s)
			time.Sleep(5 * time.Second)
			want()
			k.set(false)
			time.Sleep(5 * time.Second)
			want(InterfaceDown)
			k.set(true)
			time.Sleep(5 * time.Second)
			want(InterfaceUp)
			k.deliver(etherFrame(1, 0, 60))
			k.remove(tells)
			time.Sleep(5 * time.Second)
			want(InterfaceDeleted)
			if err := s.SetFilter(bpfFilter(t, 1, 0, keepType(2))); err != nil {
				t.Fatal(err)
			}
			k.add()
			time.Sleep(time.Second)
			want(InterfaceBack)
			k.deliver(etherFrame(1, 1, 60))
			k.deliver(etherFrame(2, 2, 60))
			time.Sleep(time.Second)
			k.remove(tells)
			time.Sleep(time.Minute)
			<-c.done
			want(InterfaceDeleted)
			if !errors.Is(c.end, ErrInterfaceGone) || !errors.As(c.end, new(*net.OpError)) {
				t.Error(c.end)
			}
			if !slices.Equal(c.seqs, []uint32{0, 2}) {
				t.Errorf("%v", c.seqs)
			}
			checkBPFSum(t, s, c)
		})
	}
}

// TestBPFComesBackOtherwise: an interface of the same name with another link type is not taken, and Drain ends the wait.
func TestBPFComesBackOtherwise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKernel("macOS and OpenBSD")
		s := openFakeBPF(t, k, Options{Filter: bpfFilter(t, 1, 0, acceptEthernet)})
		c := collectFrom(s)
		k.remove(true)
		time.Sleep(time.Second)
		k.dlt = bpfLink{0, LinkTypeRaw, familyLen}
		k.add()
		time.Sleep(10 * time.Second)
		if err := s.Drain(time.Second); err != nil {
			t.Fatal(err)
		}
		<-c.done
		if c.end != io.EOF {
			t.Error(c.end)
		}
	})
}

// TestBPFOpenFails frees what was opened.
func TestBPFOpenFails(t *testing.T) {
	for what, change := range map[string]func(k *fakeKernel, o *Options){
		"no device":  func(k *fakeKernel, _ *Options) { k.openErr = syscall.EACCES },
		"filter":     func(k *fakeKernel, _ *Options) { k.startErr = syscall.EINVAL },
		"no program": func(_ *fakeKernel, o *Options) { o.Filter = filter.Program{} },
	} {
		k := newFakeKernel("macOS and OpenBSD")
		o := Options{Interface: "em0", Filter: bpfFilter(t, 1, 0, acceptEthernet)}
		change(k, &o)
		if s, err := newBPFSource(k, k.layout, o); s != nil || !errors.As(err, new(*net.OpError)) || k.leftovers() != 0 {
			t.Errorf("%s: %v, %v, %d left", what, s, err, k.leftovers())
		}
	}
}

// TestBPFCorruptRecord: the capture ends with an error that says where, behind the frames in front of the record.
func TestBPFCorruptRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKernel("macOS and OpenBSD")
		s := openFakeBPF(t, k, Options{Filter: bpfFilter(t, 1, 0, acceptEthernet)})
		k.deliver(etherFrame(1, 0, 60))
		k.mu.Lock()
		for d := range k.devices {
			d.store = append(d.store, 1, 2, 3, 4)
		}
		k.mu.Unlock()
		if frames, err := s.Next(time.Time{}); err != nil || len(frames) != 1 {
			t.Error(frames, err)
		}
		if _, err := s.Next(time.Time{}); !errors.Is(err, errRecord) {
			t.Error(err)
		}
	})
}

// TestBPFDropsCount: the counter of the device has 32 bits.
func TestBPFDropsCount(t *testing.T) {
	k := newFakeKernel("macOS and OpenBSD")
	s := openFakeBPF(t, k, Options{Filter: bpfFilter(t, 1, 0, acceptEthernet)})
	for _, v := range []uint32{0xfffffff0, 5, 5, 0x80000000} {
		k.mu.Lock()
		for d := range k.devices {
			d.dropped = v
		}
		k.mu.Unlock()
		if _, err := s.Stats(); err != nil {
			t.Fatal(err)
		}
	}
	if st, _ := s.Stats(); st.RingDrops != 1<<32+0x80000000 {
		t.Errorf("%#x", st.RingDrops)
	}
}
