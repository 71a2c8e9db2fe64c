package udpstr

import "encoding/binary"

const (
	// ProbeType is the type of a probe, which a receiver sends back to test the path. No frame is in it, and it has no place
	// in the numbers of a stream: a receiver that knows no probes refuses it by its type.
	ProbeType = 111
	// EchoType is that of a probe on its way back: a reply has bit 7 set, as in RPCAP.
	EchoType = ProbeType | 0x80
	// ProbeHeaderLen is the least length of a probe.
	ProbeHeaderLen = 16
	// MaxProbe is the greatest: a datagram of a path that takes 9,000 bytes, and some more.
	MaxProbe = 9216
)

// Probe is the header of a probe or of its echo.
type Probe struct {
	Echo   bool
	Size   int    // bytes of the datagram
	Number uint32 // chosen by the sender
	Token  uint64 // given out on the control connection
}

// Append appends a probe of p.Size bytes, at least ProbeHeaderLen and at most MaxProbe; what follows the header is zero.
func (p Probe) Append(dst []byte) []byte {
	size := min(max(p.Size, ProbeHeaderLen), MaxProbe)
	typ := byte(ProbeType)
	if p.Echo {
		typ = EchoType
	}
	dst = append(dst, 0, typ)
	dst = binary.BigEndian.AppendUint16(dst, uint16(size))
	dst = binary.BigEndian.AppendUint32(dst, p.Number)
	dst = binary.BigEndian.AppendUint64(dst, p.Token)
	return append(dst, make([]byte, size-ProbeHeaderLen)...)
}

// ParseProbe reads a probe or an echo. It is well-formed if it says its own size, so that one that was cut is none.
func ParseProbe(b []byte) (p Probe, ok bool) {
	if len(b) < ProbeHeaderLen || len(b) > MaxProbe || b[0] != 0 || b[1]&^0x80 != ProbeType || int(binary.BigEndian.Uint16(b[2:])) != len(b) {
		return Probe{}, false
	}
	return Probe{
		Echo: b[1] == EchoType, Size: len(b), Number: binary.BigEndian.Uint32(b[4:]), Token: binary.BigEndian.Uint64(b[8:]),
	}, true
}

// IsProbe reports whether a datagram may be a probe, by its type alone.
func IsProbe(b []byte) bool { return len(b) >= ProbeHeaderLen && b[1] == ProbeType }

// MakeEcho turns a probe into its echo.
func MakeEcho(b []byte) { b[1] = EchoType }
