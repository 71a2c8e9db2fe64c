package savefile

import (
	"encoding/binary"
	"runtime"
	"slices"
	"time"

	"rpcapd/udpstr"
)

// packetOverhead is the length of an enhanced packet block without its padded data.
const packetOverhead = 32

// Interface is what an interface block says. Empty texts are left out.
type Interface struct {
	Name        string // "host/eth0"
	Description string
	Filter      string // tcpdump syntax
	Comment     string
	LinkType    uint32 // LINKTYPE number, at most MaxLinkType
}

// Statistics is what the block at the end of a file says of one interface.
type Statistics struct {
	Start, End time.Time // of the frames of this interface in this file

	Known            bool   // the next three are: they come from the agent
	Received         uint64 // frames that the agent's filter accepted, dropped ones included
	InterfaceDropped uint64 // by the agent's network card
	KernelDropped    uint64 // because the agent's ring was full

	Delivered uint64 // frames in this file
}

// AppendSectionHeader begins a pcapng file. It names the application and the system it runs on.
func AppendSectionHeader(dst []byte, application string) []byte {
	start := len(dst)
	dst = beginBlock(dst, blockSectionHeader)
	dst = binary.LittleEndian.AppendUint32(dst, byteOrderMagic)
	dst = binary.LittleEndian.AppendUint16(dst, 1)
	dst = binary.LittleEndian.AppendUint16(dst, 0)
	dst = binary.LittleEndian.AppendUint64(dst, ^uint64(0)) // section length: not given
	dst = appendText(dst, optShbHardware, runtime.GOARCH)
	dst = appendText(dst, optShbOS, runtime.GOOS)
	dst = appendText(dst, optShbApplication, application)
	return endBlock(dst, start)
}

// AppendInterface describes an interface. Its number is that of the interface blocks before it in the file.
func AppendInterface(dst []byte, i Interface) []byte {
	start := len(dst)
	dst = beginBlock(dst, blockInterface)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(i.LinkType))
	dst = append(dst, 0, 0)
	dst = binary.LittleEndian.AppendUint32(dst, Snaplen)
	dst = appendText(dst, optIfName, i.Name)
	dst = appendText(dst, optIfDescription, i.Description)
	dst = appendText(dst, optComment, i.Comment)
	dst = append(optionHeader(dst, optIfTsresol, 1), tsresolMicro, 0, 0, 0)
	dst = appendFilter(dst, i.Filter)
	return endBlock(dst, start)
}

// PacketSize is the length of what AppendPacket writes for a frame with so many data bytes.
func PacketSize(caplen int) int { return packetOverhead + (min(caplen, MaxFrame)+3)&^3 }

// AppendPacket appends one frame of the interface with that number.
func AppendPacket(dst []byte, iface uint32, p *udpstr.Packet) []byte {
	data, wire := clip(p)
	at, n := len(dst), PacketSize(len(data))
	dst = slices.Grow(dst, n)[:at+n]
	b := dst[at:]
	tail := b[n-2*4:]
	binary.LittleEndian.PutUint32(tail, 0) // the padding; the data or the header come over it
	binary.LittleEndian.PutUint32(tail[4:], uint32(n))
	us := uint64(p.Sec)*1e6 + uint64(p.Usec)
	h := b[:atData]
	binary.LittleEndian.PutUint64(h, uint64(n)<<32|TypePacket)
	binary.LittleEndian.PutUint32(h[atInterface:], iface)
	binary.LittleEndian.PutUint64(h[atTime:], us<<32|us>>32) // high half first
	binary.LittleEndian.PutUint64(h[atCaplen:], uint64(wire)<<32|uint64(len(data)))
	copy(b[atData:], data)
	return dst
}

// StatisticsSize is the most that AppendStatistics writes.
const StatisticsSize = 20 + 7*12 + 4 + 4

// AppendStatistics appends the numbers of the interface with that number; they belong at the end of a file.
func AppendStatistics(dst []byte, iface uint32, s Statistics) []byte {
	start := len(dst)
	dst = beginBlock(dst, blockStatistics)
	dst = binary.LittleEndian.AppendUint32(dst, iface)
	dst = appendMicros(dst, micros(s.End))
	dst = appendTime(dst, optIsbStart, s.Start)
	dst = appendTime(dst, optIsbEnd, s.End)
	if s.Known {
		dst = appendNumber(dst, optIsbIfRecv, s.Received)
		dst = appendNumber(dst, optIsbIfDrop, s.InterfaceDropped)
		dst = appendNumber(dst, optIsbFilterAccept, s.Received)
		dst = appendNumber(dst, optIsbOSDrop, s.KernelDropped)
	}
	dst = appendNumber(dst, optIsbDelivered, s.Delivered)
	return endBlock(dst, start)
}
