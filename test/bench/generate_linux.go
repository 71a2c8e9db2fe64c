package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// generator sends numbered frames on an interface at a set rate.
type generator struct {
	Interface string
	CPU       int
	Rate      float64 // frames per second; 0: as fast as it can
	For       time.Duration
	Count     uint64 // frames after which it ends, too; 0: no limit
	First     uint64 // number of the first frame
	Profile   profile
}

// generated is what was sent.
type generated struct {
	Frames, Bytes uint64
	Seconds       float64
	Waits         uint64 // the kernel had no memory for a frame at once
}

// plus is both, one after the other.
func (g generated) plus(o generated) generated {
	return generated{g.Frames + o.Frames, g.Bytes + o.Bytes, g.Seconds + o.Seconds, g.Waits + o.Waits}
}

const (
	// mostAtOnce is the most frames of one system call.
	mostAtOnce = 64
	// pace is how often frames are sent: more than one at once at rates above its
	// reciprocal.
	pace = 200 * time.Microsecond
	// sendMemory is for the generator's socket, bytes.
	sendMemory = 8 << 20
)

func generateMain(args []string) error {
	g := generator{}
	f := flag.NewFlagSet(helperGenerate, flag.ContinueOnError)
	f.StringVar(&g.Interface, "interface", "", "")
	f.IntVar(&g.CPU, "cpu", 0, "")
	f.Float64Var(&g.Rate, "rate", 0, "")
	f.DurationVar(&g.For, "for", time.Second, "")
	f.Uint64Var(&g.Count, "count", 0, "")
	f.Uint64Var(&g.First, "first", 0, "")
	size := f.String("size", "64", "")
	if err := f.Parse(args); err != nil {
		return err
	}
	var err error
	if g.Profile, err = parseProfile(*size); err != nil {
		return err
	}
	if err := pin(g.CPU); err != nil {
		return err
	}
	done, err := g.run()
	if err != nil {
		return fmt.Errorf("generate frames on %s: %w", g.Interface, err)
	}
	return json.NewEncoder(os.Stdout).Encode(done)
}

// arguments are what generateMain understands.
func (g generator) arguments() []string {
	return []string{"-interface", g.Interface, "-cpu", fmt.Sprint(g.CPU), "-rate", fmt.Sprint(g.Rate),
		"-for", g.For.String(), "-count", fmt.Sprint(g.Count), "-first", fmt.Sprint(g.First), "-size", g.Profile.name}
}

// socket sends past the queueing discipline and receives nothing.
func (g generator) socket() (int, error) {
	ifi, err := net.InterfaceByName(g.Interface)
	if err != nil {
		return -1, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1); err != nil {
		return -1, os.NewSyscallError("setsockopt PACKET_QDISC_BYPASS", err)
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, sendMemory) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, sendMemory) // what is granted is enough
	}
	return fd, os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: ifi.Index}))
}

// volley is the frames of one system call, each gathered from its headers and number
// and a piece of noise.
type volley struct {
	messages [mostAtOnce]message
	vectors  [mostAtOnce][2]unix.Iovec
	heads    [mostAtOnce][minFrame]byte
	headers  map[int][]byte // by size
}

func newVolley(p profile) *volley {
	v := &volley{headers: newChecker(p).headers}
	for i := range v.messages {
		v.vectors[i][0].Base = &v.heads[i][0]
		v.vectors[i][0].SetLen(minFrame)
		v.messages[i].header.Iov = &v.vectors[i][0]
	}
	return v
}

// load prepares the first n frames and returns their bytes.
func (v *volley) load(p profile, first uint64, n int) (bytes uint64) {
	for i := range n {
		number := first + uint64(i)
		size := p.size(number)
		copy(v.heads[i][:], v.headers[size])
		binary.BigEndian.PutUint64(v.heads[i][headerLen:], number)
		parts := 1
		if c := content(number, size); len(c) > 0 {
			v.vectors[i][1].Base = &c[0]
			v.vectors[i][1].SetLen(len(c))
			parts = 2
		}
		v.messages[i].header.SetIovlen(parts)
		bytes += uint64(size)
	}
	return bytes
}

// send sends the first n frames and returns how often the kernel was short of memory.
func (v *volley) send(fd, n int) (waits uint64, err error) {
	for at := 0; at < n; {
		sent, errno := sendmmsg(fd, v.messages[at:n])
		switch {
		case errno == 0:
			at += sent
		case errors.Is(errno, unix.ENOBUFS) || errors.Is(errno, unix.EAGAIN) || errors.Is(errno, unix.EINTR):
			waits++
		default:
			return waits, os.NewSyscallError("sendmmsg", errno)
		}
	}
	return waits, nil
}

func (g generator) run() (done generated, err error) {
	fd, err := g.socket()
	if err != nil {
		return done, err
	}
	defer unix.Close(fd)
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // without it waits are 50 µs too long
	v := newVolley(g.Profile)
	atOnce := mostAtOnce
	if g.Rate > 0 {
		atOnce = min(mostAtOnce, max(1, int(g.Rate*pace.Seconds())))
	}
	begin := monotonic()
	now := begin
	for ; now < begin+g.For && (g.Count == 0 || done.Frames < g.Count); now = monotonic() {
		n := atOnce
		if g.Count > 0 {
			n = int(min(uint64(n), g.Count-done.Frames))
		}
		if g.Rate > 0 {
			due := begin + time.Duration(float64(done.Frames)/g.Rate*float64(time.Second))
			if due >= begin+g.For {
				break
			}
			if due > now {
				sleepUntil(due)
			}
		}
		bytes := v.load(g.Profile, g.First+done.Frames, n)
		waits, err := v.send(fd, n)
		if err != nil {
			return done, err
		}
		done.Frames += uint64(n)
		done.Bytes += bytes
		done.Waits += waits
	}
	if g.Rate > 0 { // the last frames are paid for with the time until the next ones
		sleepUntil(begin + g.For)
	}
	done.Seconds = (monotonic() - begin).Seconds()
	return done, nil
}

func monotonic() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // cannot fail
	return time.Duration(t.Nano())
}

func sleepUntil(at time.Duration) {
	t := unix.NsecToTimespec(int64(at))
	_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &t, nil) // interrupted: a little early
}

// message is struct mmsghdr: a message and how many bytes the system call moved.
type message struct {
	header unix.Msghdr
	length uint32
}

func sendmmsg(fd int, m []message) (int, unix.Errno) {
	n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&m[0])), uintptr(len(m)), 0, 0, 0)
	return int(n), errno
}
