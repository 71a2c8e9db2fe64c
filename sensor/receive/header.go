package receive

import (
	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

// continuationWindow is how far ahead of a stream a datagram from an unknown port may be to count as its
// continuation. A stream that has just begun and lost as many datagrams is taken for a new one.
const continuationWindow = 1024

// streamFormat is what the first datagram of a stream shows; nothing announces it.
type streamFormat uint8

const (
	formatUnknown streamFormat = iota
	formatUDPStr
	formatPlain
)

func (f streamFormat) String() string {
	switch f {
	case formatUDPStr:
		return "udpstr"
	case formatPlain:
		return "packet"
	}
	return ""
}

// maxFramesPerDatagram is how many frames of no data fit into the largest datagram, rounded up.
const maxFramesPerDatagram = 3300

// header is what the headers in a datagram say of the stream that it belongs to.
type header struct {
	format   streamFormat
	seq      uint32 // udpstr: seqno; plain: number of the frame
	opens    bool   // it is the first of its capture in every respect
	credible bool   // a stream could have it; else nothing can be read in it
	numbered bool   // a frame begins in it
	number   uint32 // of the first frame that begins in it
	last     uint32 // of the last one
}

// readHeader reads the headers in a datagram; a caplen above maxCaplen is not credible.
func readHeader(b []byte, maxCaplen uint32) (h header) {
	h.format, h.seq = classify(b)
	switch h.format {
	case formatPlain:
		h.numbered, h.number, h.last = true, h.seq, h.seq
		caplen := be32(b[16:])
		h.credible = h.seq != 0 && caplen <= maxCaplen && int64(caplen) <= int64(len(b)-rpcap.PacketHeaderLen)
		h.opens = h.credible && h.seq == 1
	case formatUDPStr:
		h.records(b, maxCaplen)
	}
	return h
}

// noHeader is the offset of a udpstr datagram in which no frame begins.
const noHeader = 0xffff

// records walks the frames that begin in a udpstr datagram.
func (h *header) records(b []byte, maxCaplen uint32) {
	at := int(b[2])<<8 | int(b[3])
	if at == noHeader {
		h.credible = h.seq != 0 // a capture begins with a frame
		return
	}
	if at < udpstr.HeaderLen || at+udpstr.PacketHeaderLen > len(b) {
		return
	}
	atStart := at == udpstr.HeaderLen
	for at+udpstr.PacketHeaderLen <= len(b) {
		caplen, number := be32(b[at+8:]), be32(b[at+16:])
		if caplen > maxCaplen || h.numbered && int32(number-h.last) <= 0 {
			break // the rest is for the reassembler to judge
		}
		if !h.numbered {
			h.numbered, h.number = true, number
		}
		h.last = number
		at += udpstr.PacketHeaderLen + int(caplen)
	}
	h.credible = h.numbered
	h.opens = h.numbered && atStart && h.seq == 0 && h.number == 1
}

// begun reports whether the datagram is the first of its capture by its number alone.
func (h *header) begun() bool { return first(h.format, h.seq) }

// follows reports whether the datagram can come after a stream's position, with up to slack datagrams between.
func (h *header) follows(format streamFormat, next, newest uint32, slack int) bool {
	ahead := h.seq - next
	if h.format != format || !h.credible || ahead >= continuationWindow {
		return false
	}
	if !h.numbered {
		return true
	}
	frames := h.number - newest
	return int32(frames) > 0 && int64(frames) <= (int64(ahead)+int64(slack)+1)*maxFramesPerDatagram
}

// classify tells a datagram's format and its sequence number (udpstr) or frame number (plain); formatUnknown is
// neither.
func classify(b []byte) (streamFormat, uint32) {
	switch {
	case len(b) > udpstr.HeaderLen && b[0] == 0 && b[1] == udpstr.Type:
		return formatUDPStr, be32(b[4:])
	case len(b) >= rpcap.PacketHeaderLen && b[0] == 0 && b[1] == byte(rpcap.TypePacket):
		return formatPlain, be32(b[24:])
	}
	return formatUnknown, 0
}

// first reports whether a datagram is the first one of its capture.
func first(f streamFormat, seq uint32) bool {
	return f == formatUDPStr && seq == 0 || f == formatPlain && seq == 1
}

func be32(b []byte) uint32 {
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}
