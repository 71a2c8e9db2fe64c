package capture

import (
	"fmt"
	"slices"
	"strings"
)

// NoDriverError says that this Windows has no capture driver that can be used. The cause may go away while the agent runs:
// the next Open looks again.
type NoDriverError struct {
	Tried []DriverFault // in the order in which they were tried
}

// DriverFault is why one library of a driver cannot be used.
type DriverFault struct {
	Path string
	Err  error
}

// Error says what was found and what to install.
func (e *NoDriverError) Error() string {
	tried := make([]string, len(e.Tried))
	for i, f := range e.Tried {
		tried[i] = f.Path + ": " + f.Err.Error()
	}
	return "no capture driver: install Npcap (https://npcap.com); the agent finds it without a restart. " +
		"To forward IP packets without a driver, set Driver = raw in the ini. Tried " + strings.Join(tried, "; ")
}

// Unwrap returns why the libraries cannot be used.
func (e *NoDriverError) Unwrap() []error {
	list := make([]error, len(e.Tried))
	for i, f := range e.Tried {
		list[i] = f.Err
	}
	return list
}

// driverKind is which implementation a wpcap.dll is.
type driverKind uint8

const (
	driverOther   driverKind = iota // also the libpcap of Linux below wine
	driverNpcap                     // https://npcap.com
	driverWinPcap                   // its predecessor, until 2013
)

// driverVersion is what pcap_lib_version says, for instance "Npcap version 1.79, based on libpcap version 1.10.4".
type driverVersion struct {
	kind driverKind
	text string // the name and its version, without what it is based on
}

func parseDriverVersion(s string) driverVersion {
	s = strings.TrimSpace(s)
	first, _, _ := strings.Cut(s, ",")
	first, _, _ = strings.Cut(first, " (")
	v := driverVersion{text: strings.TrimSpace(strings.Replace(first, " version ", " ", 1))}
	switch name, _, _ := strings.Cut(first, " "); strings.ToLower(name) {
	case "npcap":
		v.kind = driverNpcap
	case "winpcap":
		v.kind = driverWinPcap
	}
	if v.text == "" {
		v.text = "driver of unknown version"
	}
	return v
}

// hasEvents says whether pcap_getevent and pcap_setmintocopy do what they are for. Elsewhere they may be exported all the
// same, and fail the program when called.
func (v driverVersion) hasEvents() bool { return v.kind != driverOther }

const (
	devicePrefix   = `\Device\NPF_`
	deviceLoopback = devicePrefix + "Loopback" // what Npcap calls the loopback interface
)

// chooseDevice finds the device of the driver for a name, which is the device name of an interface, in letters of any
// case. Npcap has another name for the loopback interface.
func chooseDevice(name string, loopback bool, devices []string) (string, error) {
	same := func(want string) func(string) bool {
		return func(d string) bool { return strings.EqualFold(d, want) }
	}
	if i := slices.IndexFunc(devices, same(name)); i >= 0 {
		return devices[i], nil
	}
	if i := slices.IndexFunc(devices, same(deviceLoopback)); i >= 0 && loopback {
		return devices[i], nil
	}
	if len(devices) == 0 {
		return "", fmt.Errorf("%w: the capture driver shows no interface at all; it may be stopped (sc query npcap), or admit administrators only", ErrNoInterface)
	}
	return "", fmt.Errorf("%w that the capture driver shows; it shows %s", ErrNoInterface, strings.Join(devices, ", "))
}

// lacking says that a library has not all functions that are needed.
func lacking(functions []string) error {
	slices.Sort(functions)
	return fmt.Errorf("it lacks %s: it is too old, or not the library of a capture driver", strings.Join(functions, ", "))
}
