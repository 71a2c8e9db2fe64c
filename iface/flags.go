package iface

import "strings"

// Flags is the state of an interface in the bits of the capture library, which
// are also those of the RPCAP interface list (docs/RPCAP.md).
type Flags uint32

// State of an interface.
const (
	Loopback Flags = 1 << iota // the interface leads back to this host
	Up                         // switched on by the administrator
	Running                    // the driver has resources and, as a rule, a link
	Wireless

	// StatusMask covers the connection status, one of the four values below.
	StatusMask    Flags = 0x30
	StatusUnknown Flags = 0x00
	Connected     Flags = 0x10 // the link is up; wireless: associated
	Disconnected  Flags = 0x20
	NotApplicable Flags = 0x30 // loopback, and drivers that cannot tell
)

// Has tells whether all of the bits are set; for the connection status compare
// [Flags.Status] instead.
func (f Flags) Has(bits Flags) bool { return f&bits == bits }

// Status returns the connection status alone.
func (f Flags) Status() Flags { return f & StatusMask }

// String returns the words for an operator: "up, running, connected".
func (f Flags) String() string {
	var words []string
	add := func(set bool, word string) {
		if set {
			words = append(words, word)
		}
	}
	add(f.Has(Up), "up")
	add(!f.Has(Up), "down")
	add(f.Has(Running), "running")
	add(f.Has(Loopback), "loopback")
	add(f.Has(Wireless), "wireless")
	add(f.Status() == Connected, "connected")
	add(f.Status() == Disconnected, "disconnected")
	return strings.Join(words, ", ")
}
