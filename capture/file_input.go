package capture

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"rpcapd/udpstr"
)

const (
	fileBufferBytes = 64 << 10
	// maxZstdWindow is what zstd --long=27 needs, its own decoder's limit.
	maxZstdWindow = 128 << 20
)

// otherFormats are recognized by their first bytes, and not read.
var otherFormats = []struct {
	magic []byte
	name  string
	cure  string
}{
	{[]byte("\xfd7zXZ\x00"), "compressed with xz", "unpack it: xz -dc FILE | rpcapd -r -"},
	{[]byte("BZh"), "compressed with bzip2", "unpack it: bzip2 -dc FILE | rpcapd -r -"},
	{[]byte("\x04\x22\x4d\x18"), "compressed with lz4", "unpack it: lz4 -dc FILE | rpcapd -r -"},
	{[]byte("\x1f\x9d"), "compressed with compress", "unpack it: gzip -dc FILE | rpcapd -r -"},
	{[]byte("PK\x03\x04"), "a ZIP archive", "unpack it"},
	{[]byte("7z\xbc\xaf\x27\x1c"), "a 7-Zip archive", "unpack it"},
	{[]byte("snoop\x00\x00\x00"), "a snoop file", "convert it: editcap -F pcapng IN OUT"},
	{[]byte("GMBU"), "a Network Monitor file", "convert it: editcap -F pcapng IN OUT"},
	{[]byte("RTSS"), "a Network Monitor file", "convert it: editcap -F pcapng IN OUT"},
	{[]byte("\x34\xcd\xb2\xa1"), "a modified pcap file", "convert it: editcap -F pcapng IN OUT"},
	{[]byte("\xa1\xb2\xcd\x34"), "a modified pcap file", "convert it: editcap -F pcapng IN OUT"},
}

// FileError is how a capture file ends that does not end well. What came before it has been delivered.
type FileError struct {
	Path string
	Err  error
}

func (e *FileError) Error() string { return "read capture file " + e.Path + ": " + e.Err.Error() }
func (e *FileError) Unwrap() error { return e.Err }

// unpacked is a capture file without its compression.
type unpacked struct {
	*bufio.Reader
	close func() // of the decoder; nil if there is none
}

// unpack recognizes gzip and zstd by their magic; files of several members are read through.
func unpack(r io.Reader) (unpacked, error) {
	b := bufio.NewReaderSize(r, fileBufferBytes)
	magic, err := b.Peek(8)
	if len(magic) == 0 {
		if err == io.EOF {
			err = errors.New("it is empty")
		}
		return unpacked{}, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(b)
		if err != nil {
			return unpacked{}, fmt.Errorf("unpack gzip: %w", cutShort(err))
		}
		return unpacked{bufio.NewReaderSize(z, fileBufferBytes), nil}, nil
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}),
		len(magic) > 3 && magic[0]&0xf0 == 0x50 && bytes.Equal(magic[1:4], []byte{0x2a, 0x4d, 0x18}): // a frame to be skipped
		// One decoder at a time: it needs no goroutine.
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return unpacked{}, fmt.Errorf("unpack zstd: %w", err)
		}
		return unpacked{bufio.NewReaderSize(z, fileBufferBytes), z.Close}, nil
	}
	for _, f := range otherFormats {
		if bytes.HasPrefix(magic, f.magic) {
			return unpacked{}, fmt.Errorf("it is %s, which is not supported; %s", f.name, f.cure)
		}
	}
	return unpacked{b, nil}, nil
}

// records reads one format of capture file.
type records interface {
	linkType() uint32 // known from the start
	// next reads one frame into buf, which holds MaxSnaplen bytes.
	next(buf []byte) (udpstr.Frame, error)
	// ready tells whether next would not have to read: what it needs is buffered.
	ready() bool
	odd() Odd
}

// Odd counts what is not forwarded of a capture file as it stands there.
type Odd struct {
	Cut       uint64 // frames longer than MaxSnaplen, cut to it
	OtherLink uint64 // frames of another link type than that of the first, left out
}

// cutShort turns the end of the file inside something into an error.
func cutShort(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
