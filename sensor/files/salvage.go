package files

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"

	"rpcapd/savefile"
)

// maxBlock is more than any block of this package's files has.
const maxBlock = savefile.MaxFrame + 64<<10

// copyWhole copies the blocks or records that are whole and stops at the first that is not. n is their length, ended
// says that nothing stands behind them. The error is that of w.
func copyWhole(w io.Writer, r *bufio.Reader, format savefile.Format) (n int64, found tally, ended bool, err error) {
	next := nextBlock
	if format == savefile.Pcap {
		next = nextRecord
	}
	buf := make([]byte, 0, 64<<10)
	for {
		b, frame, readErr := next(r, buf[:0], n == 0)
		if readErr != nil {
			return n, found, readErr == io.EOF, nil
		}
		if _, err := w.Write(b); err != nil {
			return n, found, false, err
		}
		n += int64(len(b))
		if frame {
			found.add(tally{1, caplenOf(b, format)})
		}
		buf = b
	}
}

// caplenOf is the length of the frame in a packet block or record.
func caplenOf(b []byte, format savefile.Format) uint64 {
	switch {
	case format == savefile.Pcap:
		return uint64(len(b) - savefile.PcapRecordSize(0))
	case len(b) < savefile.PacketSize(0):
		return 0
	}
	return uint64(savefile.Block(b).Caplen())
}

// nextBlock reads one block of a pcapng file. io.EOF: there is none; any other error: it is not whole.
func nextBlock(r *bufio.Reader, b []byte, _ bool) (block []byte, frame bool, err error) {
	if b, err = readMore(r, b, savefile.BlockHeader); err != nil {
		return b, false, err
	}
	n := int(binary.LittleEndian.Uint32(b[4:]))
	if n < 12 || n > maxBlock || n&3 != 0 {
		return b, false, io.ErrUnexpectedEOF
	}
	if b, err = readMore(r, b, n-savefile.BlockHeader); err != nil || int(binary.LittleEndian.Uint32(b[n-4:])) != n {
		return b, false, io.ErrUnexpectedEOF
	}
	return b, savefile.Block(b).IsPacket(), nil
}

// nextRecord reads the header or one record of a classic file.
func nextRecord(r *bufio.Reader, b []byte, first bool) (record []byte, frame bool, err error) {
	if first {
		b, err = readMore(r, b, savefile.PcapHeaderSize)
		return b, false, err
	}
	header := savefile.PcapRecordSize(0)
	if b, err = readMore(r, b, header); err != nil {
		return b, false, err
	}
	n := int(binary.LittleEndian.Uint32(b[8:]))
	if n > savefile.MaxFrame || bytes.Equal(b, make([]byte, header)) { // zeros: what a power cut leaves
		return b, false, io.ErrUnexpectedEOF
	}
	if b, err = readMore(r, b, n); err != nil {
		err = io.ErrUnexpectedEOF
	}
	return b, true, err
}

// readMore appends n bytes.
func readMore(r *bufio.Reader, b []byte, n int) ([]byte, error) {
	at := len(b)
	for cap(b) < at+n {
		b = append(b[:cap(b)], 0)
	}
	b = b[:at+n]
	_, err := io.ReadFull(r, b[at:])
	return b, err
}

// readerUntil fails when ctx ends.
type readerUntil struct {
	ctx context.Context
	r   io.Reader
}

func (r readerUntil) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}
