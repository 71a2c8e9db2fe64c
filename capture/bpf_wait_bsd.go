//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package capture

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// bpfKernel is the bpfSystem of this system. Its reader waits in poll(2) for a device and for a pipe that others write to: to
// close a device does not end a wait for it. The poller of the Go runtime does not serve, because it asks for
// writing too, which the event queues of most of these devices refuse.
type bpfKernel struct {
	mu   sync.Mutex // guards the pipe against being closed under wake
	pipe [2]int     // read, write; -1 when closed
}

func newBPFKernel() (*bpfKernel, error) {
	var fds [2]int
	if err := unix.Pipe(fds[:]); err != nil {
		return nil, fmt.Errorf("make wake-up pipe: %w", os.NewSyscallError("pipe", err))
	}
	k := &bpfKernel{pipe: fds}
	for _, fd := range fds {
		unix.CloseOnExec(fd)
		if err := unix.SetNonblock(fd, true); err != nil {
			_ = k.close() // the first error counts
			return nil, fmt.Errorf("make wake-up pipe: %w", os.NewSyscallError("fcntl", err))
		}
	}
	return k, nil
}

func (k *bpfKernel) open(ifname string, bufferBytes int, promiscuous bool) (bpfDevice, error) {
	return openDevice(ifname, bufferBytes, promiscuous)
}

func (k *bpfKernel) up(ifname string) (bool, error) { return interfaceUp(ifname) }

// interfaceUp is bare ErrNoInterface if there is none.
func interfaceUp(ifname string) (bool, error) {
	list, err := net.Interfaces()
	if err != nil {
		return false, fmt.Errorf("list interfaces: %w", err)
	}
	for _, i := range list {
		if i.Name == ifname {
			return i.Flags&net.FlagUp != 0, nil
		}
	}
	return false, ErrNoInterface
}

func (k *bpfKernel) wait(d bpfDevice, timeout time.Duration) (ready bool, err error) {
	fds := []unix.PollFd{{Fd: int32(k.pipe[0]), Events: unix.POLLIN}, {Fd: -1}}
	if d != nil {
		fds[1] = unix.PollFd{Fd: int32(d.(*bpfHandle).fd), Events: unix.POLLIN}
	}
	_, err = unix.Poll(fds, int((timeout+time.Millisecond-1)/time.Millisecond))
	if errors.Is(err, unix.EINTR) {
		return false, nil
	}
	if err != nil {
		return false, os.NewSyscallError("poll", err)
	}
	if fds[0].Revents != 0 {
		var b [16]byte
		for n := len(b); n == len(b); {
			n, _ = unix.Read(k.pipe[0], b[:]) // EAGAIN: empty
		}
	}
	return fds[1].Revents != 0, nil
}

// grain: macOS and FreeBSD have timers finer than their tick; the others count ticks of 10 ms, rounded up, and one more.
func (k *bpfKernel) grain() time.Duration {
	switch runtime.GOOS {
	case "darwin", "freebsd":
		return time.Millisecond
	}
	return 20 * time.Millisecond
}

func (k *bpfKernel) wake() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pipe[1] >= 0 {
		_, _ = unix.Write(k.pipe[1], []byte{0}) // a full pipe wakes as well
	}
}

// close is called when nobody waits.
func (k *bpfKernel) close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var err error
	for n, fd := range k.pipe {
		if fd >= 0 {
			err = errors.Join(err, os.NewSyscallError("close", unix.Close(fd)))
			k.pipe[n] = -1
		}
	}
	return err
}

// Open captures on an interface through /dev/bpf. It needs the right to read that device, and the interface has to exist
// and be up. Options.BlockBytes has no meaning, and Options.Fanout is refused: a device cannot share an interface's frames with another.
func Open(o Options) (Source, error) {
	if o.Fanout != nil {
		return nil, opError("open", o.Interface, fmt.Errorf("fanout: only Linux has it: %w", errors.ErrUnsupported))
	}
	if err := checkUp(o.Interface); err != nil {
		return nil, opError("open", o.Interface, err)
	}
	k, err := newBPFKernel()
	if err != nil {
		return nil, opError("open", o.Interface, err)
	}
	s, err := newBPFSource(k, systemLayout, o)
	if err != nil { // a nil *deviceSource is no nil Source
		return nil, err
	}
	return s, nil
}

// LinkType checks that an interface can be captured now (it exists, is up, and this process may) and tells its link type.
func LinkType(ifname string) (uint32, error) {
	if err := checkUp(ifname); err != nil {
		return 0, opError("open", ifname, err)
	}
	d, err := openDevice(ifname, minBPFBuffer, false)
	if err != nil {
		return 0, opError("open", ifname, err)
	}
	return d.link().linkType, d.close()
}

func checkUp(ifname string) error {
	if strings.ContainsRune(ifname, 0) { // cut by the kernel, it would name another one
		return ErrNoInterface
	}
	up, err := interfaceUp(ifname)
	if err == nil && !up {
		err = fmt.Errorf("interface is down: %w", os.NewSyscallError("ioctl BIOCSETIF", unix.ENETDOWN))
	}
	return err
}
