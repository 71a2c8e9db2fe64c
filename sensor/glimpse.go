package sensor

import (
	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

// maxFramesPerDatagram is how many frames of no data fit into the largest datagram, rounded up.
const maxFramesPerDatagram = 3300

// glimpse is what a datagram says of the stream that it belongs to, before anybody believes it.
type glimpse struct {
	format   streamFormat
	seq      uint32 // udpstr: seqno; plain: number of the frame
	opens    bool   // it is the first of its capture in every respect
	credible bool   // a stream could have it; else nothing can be read in it
	numbered bool   // a frame begins in it
	number   uint32 // of the first frame that begins in it
	last     uint32 // of the last one
}

// look reads the headers in a datagram; a caplen above maxCaplen is not credible.
func look(b []byte, maxCaplen uint32) (g glimpse) {
	g.format, g.seq = classify(b)
	switch g.format {
	case formatPlain:
		g.numbered, g.number, g.last = true, g.seq, g.seq
		caplen := be32(b[16:])
		g.credible = g.seq != 0 && caplen <= maxCaplen && int64(caplen) <= int64(len(b)-rpcap.PacketHeaderLen)
		g.opens = g.credible && g.seq == 1
	case formatUDPStr:
		g.records(b, maxCaplen)
	}
	return g
}

// noHeader is the offset of a udpstr datagram in which no frame begins.
const noHeader = 0xffff

// records walks the frames that begin in a udpstr datagram.
func (g *glimpse) records(b []byte, maxCaplen uint32) {
	at := int(b[2])<<8 | int(b[3])
	if at == noHeader {
		g.credible = g.seq != 0 // a capture begins with a frame
		return
	}
	if at < udpstr.HeaderLen || at+udpstr.PacketHeaderLen > len(b) {
		return
	}
	atStart := at == udpstr.HeaderLen
	for at+udpstr.PacketHeaderLen <= len(b) {
		caplen, number := be32(b[at+8:]), be32(b[at+16:])
		if caplen > maxCaplen || g.numbered && int32(number-g.last) <= 0 {
			break // the rest is for the reassembler to judge
		}
		if !g.numbered {
			g.numbered, g.number = true, number
		}
		g.last = number
		at += udpstr.PacketHeaderLen + int(caplen)
	}
	g.credible = g.numbered
	g.opens = g.numbered && atStart && g.seq == 0 && g.number == 1
}

// begun reports whether the datagram is the first of its capture by its number alone.
func (g *glimpse) begun() bool { return first(g.format, g.seq) }

// follows reports whether the datagram can come after a stream's position, with up to slack datagrams between.
func (g *glimpse) follows(format streamFormat, next, newest uint32, slack int) bool {
	ahead := g.seq - next
	if g.format != format || !g.credible || ahead >= continuationWindow {
		return false
	}
	if !g.numbered {
		return true
	}
	frames := g.number - newest
	return int32(frames) > 0 && int64(frames) <= (int64(ahead)+int64(slack)+1)*maxFramesPerDatagram
}
