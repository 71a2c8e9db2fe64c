package udpsock

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkSend sends runs of 44 datagrams over loopback to a socket that throws them away on arrival, so that it is mostly the
// sending that is measured; loopback carries a super-packet whole, as an uplink with segmentation offload does.
func BenchmarkSend(b *testing.B) {
	const size, perRun = 1472, 44
	for _, gso := range []Mode{On, Off} {
		b.Run(fmt.Sprintf("gso=%v", gso), func(b *testing.B) {
			r := listen(b, loopback4, ListenOptions{})
			rejectAll(b, r)
			s := dial(b, r.LocalAddr(), Options{GSO: gso, DontFragment: true})
			run := pattern(perRun*size, 1)
			b.SetBytes(int64(len(run)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Send(run, size, maxWait); err != nil {
					b.Fatal(err)
				}
			}
			c := s.Counters()
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(c.Datagrams), "ns/datagram")
			b.ReportMetric(float64(c.Datagrams)/float64(c.Sends), "datagrams/send")
		})
	}
}

// BenchmarkSendItself is what Send costs without the kernel.
func BenchmarkSendItself(b *testing.B) {
	const size, perRun = 1472, 44
	for _, gso := range []Mode{On, Off} {
		b.Run(fmt.Sprintf("gso=%v", gso), func(b *testing.B) {
			r := listen(b, loopback4, ListenOptions{})
			s := dial(b, r.LocalAddr(), Options{GSO: gso, DontFragment: true})
			s.call.sendmsg = func(int, *unix.Msghdr) unix.Errno { return 0 }
			s.call.sendmmsg = func(_ int, m []message) (int, unix.Errno) { return len(m), 0 }
			run := pattern(perRun*size, 1)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Send(run, size, maxWait); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkReceive measures the way over loopback, sending and receiving, with offload at both ends or none.
func BenchmarkReceive(b *testing.B) {
	const size, perRun = 1472, 44
	for _, mode := range []Mode{On, Off} {
		b.Run(fmt.Sprintf("offload=%v", mode), func(b *testing.B) {
			r := listen(b, loopback4, ListenOptions{GRO: mode})
			s := dial(b, r.LocalAddr(), Options{GSO: mode, DontFragment: true})
			run := pattern(perRun*size, 1)
			b.SetBytes(8 * int64(len(run)))
			b.ReportAllocs()
			var receiving time.Duration
			sum := byte(0)
			for b.Loop() {
				for range 8 {
					if _, err := s.Send(run, size, maxWait); err != nil {
						b.Fatal(err)
					}
				}
				begin := time.Now()
				for got := 0; got < 8*perRun; {
					n, err := r.Receive(time.Time{})
					if err != nil {
						b.Fatal(err)
					}
					for i := range n {
						_, d := r.Datagram(i)
						sum += d[0]
					}
					got += n
				}
				receiving += time.Since(begin)
			}
			c := r.Counters()
			b.ReportMetric(float64(receiving.Nanoseconds())/float64(c.Datagrams), "ns/datagram-received")
			b.ReportMetric(float64(c.Datagrams)/float64(c.Messages), "datagrams/message")
			_ = sum
		})
	}
}

// rejectAll attaches a program to a socket that refuses everything.
func rejectAll(b *testing.B, r *Receiver) {
	b.Helper()
	program := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K}}
	var err error
	if e := r.raw.Control(func(fd uintptr) {
		err = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
			&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
	}); e != nil || err != nil {
		b.Fatal(e, err)
	}
}
