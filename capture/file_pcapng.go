package capture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"rpcapd/udpstr"
)

// Block types of pcapng (draft-ietf-opsawg-pcapng).
const (
	blockInterface = 1
	blockPacket    = 2 // obsolete, still found
	blockSimple    = 3
	blockEnhanced  = 6

	byteOrderMagic = 0x1a2b3c4d

	optionEnd        = 0
	optionResolution = 9
	optionOffset     = 14

	maxFileInterfaces = 1 << 16   // in one section
	maxInterfaceBlock = 256 << 10 // bytes; names, filters and comments
)

var errBlock = errors.New("damaged pcapng block")

// pcapng reads blocks of
//
//	0  type, 4 length of all, 8 body, at the end the length again
//
// in the byte order of their section.
type pcapng struct {
	r          *bufio.Reader
	order      binary.ByteOrder
	link       uint32
	interfaces []fileInterface // of the current section
	head       [28]byte
	first      packet // already begun
	end        error  // that came before any frame
	cut        uint64
	otherLink  uint64
}

type fileInterface struct {
	link      uint32
	snaplen   uint32 // 0: no limit
	perSecond uint64 // units of its time stamps
	offset    uint64 // seconds to add
}

// newPcapng reads to the first frame, whose link type is that of the file; without any frame it is that of the first
// interface.
func newPcapng(r *bufio.Reader) (*pcapng, error) {
	p := &pcapng{r: r}
	known := false
	for {
		first, err := p.packetBlock()
		if !known && len(p.interfaces) > 0 {
			p.link, known = p.interfaces[0].link, true
		}
		switch {
		case err == nil && len(p.interfaces) == 0:
			return nil, fmt.Errorf("frame before any interface: %w", errBlock)
		case err == nil:
			p.first = first
			if i := p.indexOf(first.kind); i < uint32(len(p.interfaces)) {
				p.link = p.interfaces[i].link
			}
			return p, nil
		case err == errNoFrame:
			continue
		case known: // there are no frames, and next says why
			p.end = err
			return p, nil
		case err == io.EOF:
			return nil, errors.New("no interface in the file")
		}
		return nil, err
	}
}

// errNoFrame: the block was another one.
var errNoFrame = errors.New("no frame")

// packet is a block with a frame whose fixed part has been read.
type packet struct{ kind, rest uint32 }

// packetBlock reads one block; the fixed part of one with a frame is in p.head.
func (p *pcapng) packetBlock() (packet, error) {
	kind, body, err := p.block()
	if err != nil {
		return packet{}, err
	}
	var fixed uint32
	switch kind {
	case blockEnhanced, blockPacket:
		fixed = 20
	case blockSimple:
		fixed = 4
	default:
		if err := p.other(kind, body); err != nil {
			return packet{}, err
		}
		return packet{}, errNoFrame
	}
	if body < fixed {
		return packet{}, fmt.Errorf("frame: %w", errBlock)
	}
	if _, err := io.ReadFull(p.r, p.head[:fixed]); err != nil {
		return packet{}, cutShort(err)
	}
	return packet{kind, body - fixed}, nil
}

// indexOf is the interface of the frame whose fixed part is in p.head.
func (p *pcapng) indexOf(kind uint32) uint32 {
	switch kind {
	case blockEnhanced:
		return p.order.Uint32(p.head[:])
	case blockPacket:
		return uint32(p.order.Uint16(p.head[:]))
	}
	return 0
}

func (p *pcapng) linkType() uint32 { return p.link }

// block reads the head of a block and returns how long its body is.
func (p *pcapng) block() (kind, body uint32, err error) {
	h := p.head[:8]
	if _, err := io.ReadFull(p.r, h); err != nil {
		return 0, 0, err
	}
	if binary.BigEndian.Uint32(h) == magicSection {
		if err := p.section(); err != nil {
			return 0, 0, err
		}
	} else if p.order == nil {
		return 0, 0, errFormat
	}
	total := p.order.Uint32(h[4:])
	if total < 12 || total%4 != 0 {
		return 0, 0, fmt.Errorf("length %d: %w", total, errBlock)
	}
	return p.order.Uint32(h), total - 12, nil
}

// section finds the byte order of the section that begins.
func (p *pcapng) section() error {
	magic, err := p.r.Peek(4)
	if err != nil {
		return cutShort(err)
	}
	switch uint32(byteOrderMagic) {
	case binary.LittleEndian.Uint32(magic):
		p.order = binary.LittleEndian
	case binary.BigEndian.Uint32(magic):
		p.order = binary.BigEndian
	default:
		return fmt.Errorf("byte order: %w", errBlock)
	}
	p.interfaces = p.interfaces[:0]
	return nil
}

// other takes a block that holds no frame.
func (p *pcapng) other(kind, body uint32) error {
	if kind != blockInterface {
		return p.skip(body + 4)
	}
	if body < 8 || body > maxInterfaceBlock || len(p.interfaces) == maxFileInterfaces {
		return fmt.Errorf("interface description: %w", errBlock)
	}
	b := make([]byte, body)
	if _, err := io.ReadFull(p.r, b); err != nil {
		return cutShort(err)
	}
	i := fileInterface{
		link:      linkTypeOfFile(uint32(p.order.Uint16(b))),
		snaplen:   p.order.Uint32(b[4:]),
		perSecond: 1e6,
	}
	if err := p.options(&i, b[8:]); err != nil {
		return err
	}
	p.interfaces = append(p.interfaces, i)
	return p.skip(4)
}

// options reads those of an interface that say what its time stamps mean.
func (p *pcapng) options(i *fileInterface, b []byte) error {
	for len(b) >= 4 {
		code, n := p.order.Uint16(b), int(p.order.Uint16(b[2:]))
		padded := (n + 3) &^ 3
		b = b[4:]
		if code == optionEnd {
			return nil
		}
		if padded > len(b) {
			return fmt.Errorf("interface options: %w", errBlock)
		}
		switch {
		case code == optionResolution && n >= 1:
			if i.perSecond = unitsPerSecond(b[0]); i.perSecond == 0 {
				return fmt.Errorf("time stamp resolution %#x: %w", b[0], errBlock)
			}
		case code == optionOffset && n >= 8:
			i.offset = p.order.Uint64(b)
		}
		b = b[padded:]
	}
	return nil
}

// unitsPerSecond reads if_tsresol: a negative power of 10, or of 2 if the top bit is
// set. 0 if it does not fit.
func unitsPerSecond(v byte) uint64 {
	if v&0x80 != 0 {
		return 1 << (v & 0x7f) // 0 from 64 on
	}
	if v > 19 {
		return 0
	}
	n := uint64(1)
	for range v {
		n *= 10
	}
	return n
}

func (p *pcapng) skip(n uint32) error { return discard(p.r, n) }

func (p *pcapng) next(buf []byte) (udpstr.Frame, error) {
	for {
		if p.end != nil {
			return udpstr.Frame{}, p.end
		}
		at := p.first
		if p.first = (packet{}); at == (packet{}) {
			var err error
			if at, err = p.packetBlock(); err == errNoFrame {
				continue
			} else if err != nil {
				return udpstr.Frame{}, err
			}
		}
		f, err := p.frame(at.kind, at.rest, buf)
		if err != errOtherLink {
			return f, err
		}
		p.otherLink++
		if err := p.skip(at.rest + 4); err != nil {
			return udpstr.Frame{}, err
		}
	}
}

func (p *pcapng) ready() bool {
	n := p.r.Buffered()
	if n < 8 || p.end != nil || p.first != (packet{}) {
		return false
	}
	h, err := p.r.Peek(8)
	return err == nil && uint64(p.order.Uint32(h[4:])) <= uint64(n)
}

func (p *pcapng) odd() Odd { return Odd{Cut: p.cut, OtherLink: p.otherLink} }

// errOtherLink: the frame is not of the file's link type.
var errOtherLink = errors.New("another link type")

// frame reads what follows the fixed part of a block, which is in p.head.
func (p *pcapng) frame(kind, rest uint32, buf []byte) (udpstr.Frame, error) {
	h := p.head[:20]
	var caplen, length uint32
	index := p.indexOf(kind)
	switch kind {
	case blockEnhanced, blockPacket:
		caplen, length = p.order.Uint32(h[12:]), p.order.Uint32(h[16:])
	default:
		length = p.order.Uint32(h)
		caplen = min(length, rest)
	}
	if uint64(index) >= uint64(len(p.interfaces)) || caplen > rest {
		return udpstr.Frame{}, fmt.Errorf("frame: %w", errBlock)
	}
	i := &p.interfaces[index]
	if i.link != p.link {
		return udpstr.Frame{}, errOtherLink
	}
	f := udpstr.Frame{}
	if kind == blockSimple {
		if i.snaplen != 0 {
			caplen = min(caplen, i.snaplen)
		}
	} else {
		ts := uint64(p.order.Uint32(h[4:]))<<32 | uint64(p.order.Uint32(h[8:]))
		f.Sec = uint32(ts/i.perSecond + i.offset)
		hi, lo := bits.Mul64(ts%i.perSecond, 1e6)
		us, _ := bits.Div64(hi, lo, i.perSecond) // the remainder times 10^6 is below 10^6 × perSecond
		f.Usec = uint32(us)
	}
	var err error
	if f.Data, err = readFrame(p.r, buf, caplen); err != nil {
		return f, err
	}
	f.Len = max(length, caplen)
	if caplen > MaxSnaplen {
		p.cut++
	}
	return f, p.skip(rest - uint32(len(f.Data)) + 4)
}
