package capture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"rpcapd/udpstr"
)

// The file formats are read here and not with gopacket's pcapgo, which allocates
// what a damaged file asks for and panics on some.

const (
	magicMicroseconds = 0xa1b2c3d4
	magicNanoseconds  = 0xa1b23c4d
	magicSection      = 0x0a0d0d0a // the same in both byte orders

	pcapFileHeaderLen   = 24
	pcapRecordHeaderLen = 16
	maxRecord           = 128 << 20 // bytes; longer ones are no frames, whatever a file says
	linkTypeRawFile     = 101       // LINKTYPE_RAW, as files write LinkTypeRaw
)

var (
	errFormat = errors.New("neither a pcap nor a pcapng file")
	errTooBig = fmt.Errorf("damaged: a frame of more than %d bytes", maxRecord)
)

// pcap is the classic format: a file header, then records of
//
//	0  seconds, 4 micro- or nanoseconds, 8 captured length, 12 length on the wire
type pcap struct {
	r     *bufio.Reader
	order binary.ByteOrder
	scale uint32 // divides to microseconds
	link  uint32
	cut   uint64
	head  [pcapRecordHeaderLen]byte
}

func newPcap(r *bufio.Reader, order binary.ByteOrder, scale uint32) (*pcap, error) {
	var h [pcapFileHeaderLen]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, fmt.Errorf("read file header: %w", err)
	}
	// The upper bits of the link type tell about checksums at the end of frames.
	return &pcap{r: r, order: order, scale: scale, link: linkTypeOfFile(order.Uint32(h[20:]) & 0xffff)}, nil
}

func linkTypeOfFile(n uint32) uint32 {
	if n == linkTypeRawFile {
		return LinkTypeRaw
	}
	return n
}

func (p *pcap) linkType() uint32 { return p.link }

func (p *pcap) next(buf []byte) (udpstr.Frame, error) {
	if _, err := io.ReadFull(p.r, p.head[:]); err != nil {
		return udpstr.Frame{}, err // io.EOF between records
	}
	f := udpstr.Frame{
		Sec:  p.order.Uint32(p.head[0:]),
		Usec: p.order.Uint32(p.head[4:]) / p.scale,
		Len:  p.order.Uint32(p.head[12:]),
	}
	caplen := p.order.Uint32(p.head[8:])
	var err error
	if f.Data, err = readFrame(p.r, buf, caplen); err != nil {
		return f, err
	}
	f.Len = max(f.Len, caplen)
	if rest := caplen - uint32(len(f.Data)); rest > 0 {
		p.cut++
		err = discard(p.r, rest)
	}
	return f, err
}

func (p *pcap) ready() bool {
	n := p.r.Buffered()
	if n < pcapRecordHeaderLen {
		return false
	}
	h, err := p.r.Peek(pcapRecordHeaderLen)
	return err == nil && uint64(p.order.Uint32(h[8:])) <= uint64(n-pcapRecordHeaderLen)
}

func (p *pcap) odd() Odd { return Odd{Cut: p.cut} }

// readFrame reads the bytes of a frame, MaxSnaplen at most. The end of the file is never expected.
func readFrame(r io.Reader, buf []byte, caplen uint32) ([]byte, error) {
	if caplen > maxRecord {
		return nil, errTooBig
	}
	caplen = min(caplen, MaxSnaplen)
	if int(caplen) > len(buf) {
		return nil, io.ErrShortBuffer
	}
	if _, err := io.ReadFull(r, buf[:caplen]); err != nil {
		return nil, cutShort(err)
	}
	return buf[:caplen], nil
}

// discard passes over bytes that have to be there.
func discard(r *bufio.Reader, n uint32) error {
	for n > 0 { // in steps that fit an int of 32 bits
		step := min(n, 1<<30)
		if _, err := r.Discard(int(step)); err != nil {
			return cutShort(err)
		}
		n -= step
	}
	return nil
}
