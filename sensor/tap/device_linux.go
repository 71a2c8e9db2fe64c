package tap

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// tunDevice is a TAP interface of the kernel.
type tunDevice struct {
	file      *os.File
	name      string
	size      int    // MTU in bytes
	unguarded error  // why it is not guarded
	scratch   []byte // of drain
}

// openDevice opens the interface, makes it if there is none, and sets it up.
func openDevice(o *Options) (device, error) {
	_, lookErr := net.InterfaceByName(o.Interface)
	made := lookErr != nil
	file, err := attach(o.Interface)
	if err != nil {
		return nil, explain(o.Interface, made, lookAtMachine(), err)
	}
	d := &tunDevice{file: file, name: o.Interface, scratch: make([]byte, 1<<16)}
	if err := d.prepare(o, made); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	o.Log.Info("TAP interface is open", zap.String("interface", d.name), zap.Bool("made", made), zap.Int("mtu", d.size), zap.Bool("guard", d.unguarded == nil))
	return d, nil
}

// attach opens the interface through the clone device.
func attach(name string) (*os.File, error) {
	fd, err := unix.Open(cloneDevice, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, &fs.PathError{Op: opOpen, Path: cloneDevice, Err: err}
	}
	// The flags must be those the interface was made with; ip tuntap makes it with several queues only if asked.
	for _, flags := range []uint16{0, unix.IFF_MULTI_QUEUE} {
		var request *unix.Ifreq
		if request, err = unix.NewIfreq(name); err != nil {
			break
		}
		request.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI | flags)
		if err = os.NewSyscallError("TUNSETIFF", unix.IoctlIfreq(fd, unix.TUNSETIFF, request)); !errors.Is(err, unix.EINVAL) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(err, os.NewSyscallError("close", unix.Close(fd)))
	}
	return os.NewFile(uintptr(fd), cloneDevice), nil // the poller takes it only now that it has an interface
}

// prepare makes the interface a dead end, and sets it up.
func (d *tunDevice) prepare(o *Options, made bool) error {
	c, err := newControl(d.name)
	if err != nil {
		return err
	}
	d.size = c.mtu()
	if d.unguarded = errNoGuard; !o.NoGuard {
		if made {
			c.silence(o.Log)
		}
		if d.unguarded = explainGuard(c.guard()); d.unguarded != nil {
			o.Log.Warn("the frames on the TAP interface also reach this machine's own network stack", zap.String("interface", d.name), zap.Error(d.unguarded))
		}
	}
	least := o.MTU
	if least == 0 && made {
		least = MaxMTU
	}
	if least > d.size {
		if err := d.raise(least); err != nil {
			return err
		}
	}
	if made && o.Persist {
		if err := d.control(func(fd int) error {
			return os.NewSyscallError("TUNSETPERSIST", unix.IoctlSetInt(fd, unix.TUNSETPERSIST, 1))
		}); err != nil {
			return fmt.Errorf("keep TAP interface %s: %w", d.name, err)
		}
	}
	return c.up()
}

// control runs an ioctl on the file.
func (d *tunDevice) control(f func(fd int) error) error {
	raw, err := d.file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}

// write implements device. It does not block: the kernel gives the frame to the readers or drops it there and then.
func (d *tunDevice) write(frame []byte) error {
	_, err := d.file.Write(frame)
	if err == nil {
		return nil
	}
	return d.translate(err)
}

// translate tells an interface that is gone or down from a frame that is not taken.
func (d *tunDevice) translate(err error) error {
	switch {
	case errors.Is(err, unix.EBADFD), errors.Is(err, unix.EBADF), errors.Is(err, os.ErrClosed):
		return fmt.Errorf("write to TAP interface %s: %w", d.name, errGone)
	case errors.Is(err, unix.EIO):
		return errDown
	}
	var errno unix.Errno
	if errors.As(err, &errno) {
		return os.NewSyscallError("write", errno)
	}
	// A device that was deleted before its first use has no errno: the poller did not take it.
	if _, lookErr := net.InterfaceByName(d.name); lookErr != nil {
		return fmt.Errorf("use TAP interface %s: %w", d.name, errGone)
	}
	return err
}

// raise implements device.
func (d *tunDevice) raise(mtu int) error {
	c, err := newControl(d.name)
	if err != nil {
		return err
	}
	now := c.mtu() // somebody else may have raised it
	if now < mtu {
		if err := c.setMTU(mtu); err != nil {
			return err
		}
		now = mtu
	}
	d.size = now
	return nil
}

func (d *tunDevice) mtu() int       { return d.size }
func (d *tunDevice) guarded() error { return d.unguarded }
func (d *tunDevice) close() error {
	if err := d.file.Close(); err != nil {
		return fmt.Errorf("close TAP interface %s: %w", d.name, err)
	}
	return nil
}

// drain implements device. With the guard the kernel sends nothing, and this only waits for the end.
func (d *tunDevice) drain() error {
	for {
		if _, err := d.file.Read(d.scratch); err != nil {
			return d.translate(err)
		}
	}
}
