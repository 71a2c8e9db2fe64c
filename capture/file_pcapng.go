package capture

import (
	"bufio"
	"errors"
	"io"

	"rpcapd/savefile"
	"rpcapd/udpstr"
)

// pcapng picks the frames of one link type out of a pcapng file.
type pcapng struct {
	r         *savefile.Reader
	link      uint32 // as in the file
	first     savefile.Header
	begun     bool  // first was read, and not yet given out
	end       error // that came before any frame
	cut       uint64
	otherLink uint64
}

// newPcapng reads to the first frame, whose link type is that of the file; without any frame it is that of the first
// interface.
func newPcapng(r *bufio.Reader) (*pcapng, error) {
	p := &pcapng{r: savefile.NewReader(r)}
	var err error
	if p.first, err = p.r.Next(); err == nil {
		p.link, p.begun = p.first.LinkType, true
		return p, nil
	}
	known := false
	if p.link, known = p.r.LinkType(); known { // there are no frames, and next says why
		p.end = err
		return p, nil
	}
	if err == io.EOF {
		err = errors.New("no interface in the file")
	}
	return nil, err
}

func (p *pcapng) linkType() uint32 { return linkTypeOfFile(p.link) }

func (p *pcapng) next(buf []byte) (udpstr.Frame, error) {
	if p.end != nil {
		return udpstr.Frame{}, p.end
	}
	h, err := p.header()
	for ; err == nil && linkTypeOfFile(h.LinkType) != p.linkType(); h, err = p.header() {
		p.otherLink++
	}
	if err != nil {
		return udpstr.Frame{}, err
	}
	f := udpstr.Frame{Sec: h.Sec, Usec: h.Usec, Len: h.Len}
	switch caplen := min(h.Caplen, MaxSnaplen); {
	case h.Caplen > maxRecord:
		return f, errTooBig
	case int(caplen) > len(buf):
		return f, io.ErrShortBuffer
	default:
		f.Data = buf[:caplen]
	}
	if h.Caplen > MaxSnaplen {
		p.cut++
	}
	return f, p.r.Data(f.Data)
}

// header reads to the data of the next frame.
func (p *pcapng) header() (savefile.Header, error) {
	if p.begun {
		p.begun = false
		return p.first, nil
	}
	return p.r.Next()
}

func (p *pcapng) ready() bool { return p.end == nil && !p.begun && p.r.Buffered() }

func (p *pcapng) odd() Odd { return Odd{Cut: p.cut, OtherLink: p.otherLink} }
