package udpsock

import "fmt"

// Mode says whether a kernel feature is used.
type Mode uint8

// The modes.
const (
	Auto Mode = iota // if the kernel has it
	On               // required: making the socket fails without it. Falling back later, when the kernel refuses, is not a failure
	Off              // never
)

// ParseMode reads auto, on or off.
func ParseMode(s string) (Mode, error) {
	for m := Auto; m <= Off; m++ {
		if s == m.String() {
			return m, nil
		}
	}
	return Auto, fmt.Errorf("parse mode %q: not auto, on or off", s)
}

// String returns auto, on or off.
func (m Mode) String() string {
	switch m {
	case Auto:
		return "auto"
	case On:
		return "on"
	case Off:
		return "off"
	}
	return fmt.Sprintf("Mode(%d)", uint8(m))
}
