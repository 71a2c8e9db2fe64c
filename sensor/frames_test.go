package sensor

import (
	"bytes"
	"encoding/binary"

	"rpcapd/test/frames"
	"rpcapd/udpstr"
)

// What an agent sends.
var (
	testFrames   = frames.Make
	packed       = frames.Packed
	plainMessage = frames.Plain
)

// lastFrame is the number of the last frame that begins in a datagram.
func lastFrame(b []byte) (number uint32) {
	for at := int(binary.BigEndian.Uint16(b[2:])); at+udpstr.PacketHeaderLen <= len(b); at += udpstr.PacketHeaderLen + int(binary.BigEndian.Uint32(b[at+8:])) {
		number = binary.BigEndian.Uint32(b[at+16:])
	}
	return number
}

// renumbered is a copy of a stream's datagrams whose first ones have the numbers given.
func renumbered(d [][]byte, seq, npkt uint32) (out [][]byte) {
	for _, b := range d {
		b = bytes.Clone(b)
		binary.BigEndian.PutUint32(b[4:], binary.BigEndian.Uint32(b[4:])+seq)
		for at := int(binary.BigEndian.Uint16(b[2:])); at != 0xffff && at+20 <= len(b); {
			binary.BigEndian.PutUint32(b[at+16:], binary.BigEndian.Uint32(b[at+16:])+npkt-1)
			at += 20 + int(binary.BigEndian.Uint32(b[at+8:]))
		}
		out = append(out, b)
	}
	return out
}
