package capture

import (
	"errors"
	"fmt"
	"time"
)

var errFanout = fmt.Errorf("fanout: the driver cannot share the frames of an interface between captures: write the line without fanout: %w", errors.ErrUnsupported)

// Open captures on an interface through the capture driver: Npcap, or WinPcap. The interface is named by its device name,
// \Device\NPF_{GUID}. Without a driver the error is a *NoDriverError. RingBytes is the size of the driver's buffer;
// With Fanout it fails.
func Open(o Options) (Source, error) {
	s, err := openPcap(o)
	if err != nil {
		return nil, opError("open", o.Interface, err)
	}
	return s, nil
}

func openPcap(o Options) (*deviceSource, error) {
	if o.Fanout != nil {
		return nil, errFanout
	}
	if o.Retire <= 0 {
		o.Retire = defaultRetire
	}
	if o.RingBytes <= 0 {
		o.RingBytes = defaultRingBytes
	}
	lib, err := loadDriver()
	if err != nil {
		return nil, err
	}
	p, err := newPause()
	if err != nil {
		return nil, err
	}
	return newDeviceSource(o, lib.traits(o.Retire), p, func() (device, error) { return lib.open(o) })
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
	h, err := lib.open(Options{Interface: ifname, RingBytes: minBlockBytes, Retire: time.Millisecond})
	if err != nil {
		return 0, err
	}
	defer h.close()
	return h.linkType(), nil
}

// Driver tells which driver Open uses and where its library is. The error is a *NoDriverError.
func Driver() (string, error) {
	lib, err := loadDriver()
	if err != nil {
		return "", err
	}
	return lib.version.text + " (" + lib.path + ")", nil
}
