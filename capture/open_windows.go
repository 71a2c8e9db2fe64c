package capture

import (
	"errors"
	"fmt"
	"time"
)

var errFanout = fmt.Errorf("fanout: the driver cannot share the frames of an interface between captures: write the line without fanout: %w", errors.ErrUnsupported)

// Open captures on an interface through the capture driver: Npcap, or WinPcap. The interface is named by its device name,
// \Device\NPF_{GUID}. Without a driver the error is a *NoDriverError. RingBytes is the size of the driver's buffer.
// With Fanout it fails.
func Open(o Options) (Source, error) {
	lib, err := loadDriver()
	if err != nil {
		return nil, opError("open", o.Interface, err)
	}
	o = o.withDefaults()
	t := deviceTraits{frames: 1, settle: lib.settle(), retry: windowsRetry}
	return openWindows(o, t, lib.pace(o.Retire), func() (device, error) { return lib.open(o) })
}

// windowsRetry is how often a device that was lost is tried: a driver lists all interfaces each time.
const windowsRetry = time.Second

// windowsSystem is the deviceSystem of one source.
type windowsSystem struct {
	*systemPause
	pace   time.Duration // the longest that frames wait to be read
	opener func() (device, error)
}

// openWindows makes a source of the devices that opener opens.
func openWindows(o Options, t deviceTraits, pace time.Duration, opener func() (device, error)) (Source, error) {
	if o.Fanout != nil {
		return nil, opError("open", o.Interface, errFanout)
	}
	p, err := newPause()
	if err != nil {
		return nil, opError("open", o.Interface, err)
	}
	s, err := newDeviceSource(o, t, &windowsSystem{p, pace, opener})
	if err != nil { // a nil *deviceSource is no nil Source
		return nil, err
	}
	return s, nil
}

func (w *windowsSystem) open() (device, error) { return w.opener() }

// up: a device of Windows stays when its interface is set down, and reads nothing.
func (w *windowsSystem) up() (bool, error) { return true, nil }

func (w *windowsSystem) wait(d device, limit time.Duration) error {
	var event uintptr
	if d != nil {
		limit = min(limit, w.pace)
	}
	if h, ok := d.(*pcapHandle); ok {
		event = h.ready
	}
	return w.systemPause.wait(event, limit)
}

func (w *windowsSystem) close() error {
	w.systemPause.close()
	return nil
}

// LinkType checks that an interface can be captured now (there is a driver that shows it, and this process may) and
// tells its link type.
func LinkType(ifname string) (uint32, error) {
	t, err := linkTypeNow(ifname)
	if err != nil {
		return 0, opError("open", ifname, err)
	}
	return t, nil
}

func linkTypeNow(ifname string) (uint32, error) {
	lib, err := loadDriver()
	if err != nil {
		return 0, err
	}
	h, err := lib.open(Options{Interface: ifname, RingBytes: minBlockBytes})
	if err != nil {
		return 0, err
	}
	return h.linkType(), h.close()
}

// Driver tells which driver Open uses and where its library is. The error is a *NoDriverError.
func Driver() (string, error) {
	lib, err := loadDriver()
	if err != nil {
		return "", err
	}
	return lib.version.text + " (" + lib.path + ")", nil
}
