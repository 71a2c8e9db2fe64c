package savefile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
)

const (
	maxInterfaces     = 1 << 16   // in one section
	maxInterfaceBlock = 256 << 10 // bytes; names, filters and comments
)

// ErrBlock says that a pcapng file breaks the rules of its format.
var ErrBlock = errors.New("damaged pcapng block")

// Reader reads the frames of any pcapng file: sections of either byte order, the three block types that hold frames, and
// time stamps of any resolution. Other blocks are passed over by their length. It has no buffer of its own but for a
// header, and allocates for nothing but interfaces, at most 65,536 in a section and 256 KiB for the block of one. A file
// that ends inside a block is io.ErrUnexpectedEOF.
type Reader struct {
	r          *bufio.Reader
	order      binary.ByteOrder // nil before the first section
	interfaces []described      // of the current section
	head       [20]byte
	rest       uint32 // bytes of the current block that were not read: data, padding, options, length
}

// described is what an interface block says about its frames.
type described struct {
	link      uint32
	snaplen   uint32 // 0: no limit
	perSecond uint64 // units of its time stamps
	offset    uint64 // seconds to add
}

// Header is a frame without its data.
type Header struct {
	LinkType  uint32 // as in the file
	Sec, Usec uint32 // 0 in a simple packet block
	Caplen    uint32 // data bytes in the file
	Len       uint32 // on the wire, at least Caplen
}

// NewReader reads a file from its first byte on.
func NewReader(r *bufio.Reader) *Reader { return &Reader{r: r} }

// LinkType is that of the first interface of the section; false if none was described so far.
func (r *Reader) LinkType() (uint32, bool) {
	if len(r.interfaces) == 0 {
		return 0, false
	}
	return r.interfaces[0].link, true
}

// Next reads to the data of the next frame; what was not read of the one before is passed over. io.EOF is the end between
// two blocks.
func (r *Reader) Next() (Header, error) {
	if err := r.pass(); err != nil {
		return Header{}, err
	}
	for {
		kind, body, err := r.block()
		if err != nil {
			return Header{}, err
		}
		switch kind {
		case TypePacket, blockObsolete, blockSimple:
			return r.packet(kind, body)
		case blockInterface:
			err = r.iface(body)
		default:
			err = r.skip(body + 4)
		}
		if err != nil {
			return Header{}, err
		}
	}
}

// Data reads the first bytes of the frame that Next has told of, as many as buf has and no more than Caplen, and passes
// over the rest of its block. A frame whose block is not whole is an error.
func (r *Reader) Data(buf []byte) error {
	if _, err := io.ReadFull(r.r, buf); err != nil {
		return cutShort(err)
	}
	r.rest -= uint32(len(buf))
	return r.pass()
}

// pass passes over what is left of the block of a frame.
func (r *Reader) pass() error {
	n := r.rest
	r.rest = 0
	return r.skip(n)
}

// Buffered reports whether the next block is in the buffer, so that to read it does not wait.
func (r *Reader) Buffered() bool {
	n := uint64(r.r.Buffered())
	if r.order == nil || n < uint64(r.rest)+BlockHeader {
		return false
	}
	h, err := r.r.Peek(int(r.rest) + BlockHeader)
	return err == nil && uint64(r.rest)+uint64(r.order.Uint32(h[r.rest+4:])) <= n
}

// block reads the head of a block and returns how long its body is.
func (r *Reader) block() (kind, body uint32, err error) {
	h := r.head[:BlockHeader]
	if _, err := io.ReadFull(r.r, h); err != nil {
		return 0, 0, err
	}
	if binary.BigEndian.Uint32(h) == blockSectionHeader { // the same in both byte orders
		if err := r.section(); err != nil {
			return 0, 0, err
		}
	} else if r.order == nil {
		return 0, 0, fmt.Errorf("no section header: %w", ErrBlock)
	}
	total := r.order.Uint32(h[4:])
	if total < blockLeast || total%4 != 0 {
		return 0, 0, fmt.Errorf("length %d: %w", total, ErrBlock)
	}
	return r.order.Uint32(h), total - blockLeast, nil
}

// section finds the byte order of the section that begins.
func (r *Reader) section() error {
	magic, err := r.r.Peek(4)
	if err != nil {
		return cutShort(err)
	}
	switch uint32(byteOrderMagic) {
	case binary.LittleEndian.Uint32(magic):
		r.order = binary.LittleEndian
	case binary.BigEndian.Uint32(magic):
		r.order = binary.BigEndian
	default:
		return fmt.Errorf("byte order: %w", ErrBlock)
	}
	r.interfaces = r.interfaces[:0]
	return nil
}

// iface reads the description of an interface.
func (r *Reader) iface(body uint32) error {
	if body < 8 || body > maxInterfaceBlock || len(r.interfaces) == maxInterfaces {
		return fmt.Errorf("interface description: %w", ErrBlock)
	}
	b := make([]byte, body)
	if _, err := io.ReadFull(r.r, b); err != nil {
		return cutShort(err)
	}
	i := described{link: uint32(r.order.Uint16(b)), snaplen: r.order.Uint32(b[4:]), perSecond: 1e6}
	if err := r.options(&i, b[8:]); err != nil {
		return err
	}
	r.interfaces = append(r.interfaces, i)
	return r.skip(4)
}

// options reads those of an interface that say what its time stamps mean.
func (r *Reader) options(i *described, b []byte) error {
	for len(b) >= 4 {
		code, n := r.order.Uint16(b), int(r.order.Uint16(b[2:]))
		padded := (n + 3) &^ 3
		b = b[4:]
		if code == optEnd {
			return nil
		}
		if padded > len(b) {
			return fmt.Errorf("interface options: %w", ErrBlock)
		}
		switch {
		case code == optIfTsresol && n >= 1:
			if i.perSecond = unitsPerSecond(b[0]); i.perSecond == 0 {
				return fmt.Errorf("time stamp resolution %#x: %w", b[0], ErrBlock)
			}
		case code == optIfTsoffset && n >= 8:
			i.offset = r.order.Uint64(b)
		}
		b = b[padded:]
	}
	return nil
}

// unitsPerSecond reads if_tsresol: a negative power of 10, or of 2 if the top bit is set. 0 if it does not fit.
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

// packet reads the fixed part of a block that holds a frame.
func (r *Reader) packet(kind, body uint32) (Header, error) {
	h := r.head[:20]
	if kind == blockSimple {
		h = h[:4]
	}
	if body < uint32(len(h)) {
		return Header{}, fmt.Errorf("frame: %w", ErrBlock)
	}
	if _, err := io.ReadFull(r.r, h); err != nil {
		return Header{}, cutShort(err)
	}
	room := body - uint32(len(h))
	var index uint32
	switch kind {
	case TypePacket:
		index = r.order.Uint32(h)
	case blockObsolete:
		index = uint32(r.order.Uint16(h))
	}
	if uint64(index) >= uint64(len(r.interfaces)) {
		return Header{}, fmt.Errorf("frame of interface %d of %d: %w", index, len(r.interfaces), ErrBlock)
	}
	i := &r.interfaces[index]
	f := Header{LinkType: i.link}
	if kind == blockSimple {
		f.Len = r.order.Uint32(h)
		f.Caplen = min(f.Len, room)
		if i.snaplen != 0 {
			f.Caplen = min(f.Caplen, i.snaplen)
		}
	} else {
		f.Caplen, f.Len = r.order.Uint32(h[12:]), r.order.Uint32(h[16:])
		ts := uint64(r.order.Uint32(h[4:]))<<32 | uint64(r.order.Uint32(h[8:]))
		f.Sec = uint32(ts/i.perSecond + i.offset)
		hi, lo := bits.Mul64(ts%i.perSecond, 1e6)
		us, _ := bits.Div64(hi, lo, i.perSecond) // the remainder times 10^6 is below 10^6 × perSecond
		f.Usec = uint32(us)
	}
	if f.Caplen > room {
		return Header{}, fmt.Errorf("frame: %w", ErrBlock)
	}
	f.Len = max(f.Len, f.Caplen)
	r.rest = room + 4
	return f, nil
}

// skip passes over bytes that have to be there.
func (r *Reader) skip(n uint32) error {
	for n > 0 { // in steps that fit an int of 32 bits
		step := min(n, 1<<30)
		if _, err := r.r.Discard(int(step)); err != nil {
			return cutShort(err)
		}
		n -= step
	}
	return nil
}

// cutShort turns the end of the file inside something into an error.
func cutShort(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
