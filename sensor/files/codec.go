package files

import (
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// zstdWindow bounds the memory of an encoder, and of everybody who reads its files.
const zstdWindow = 256 << 10

// encoder compresses into a file. After Flush a reader gets all that was written; Close ends the member (gzip) or frame
// (zstd), behind which another one may follow.
type encoder interface {
	io.WriteCloser
	Flush() error
	Reset(w io.Writer)
}

// encoders keeps those that are not in use. One goroutine has it.
type encoders struct {
	kind Compression
	free []encoder
}

func (e *encoders) get(w io.Writer) (encoder, error) {
	if k := len(e.free); k > 0 {
		enc := e.free[k-1]
		e.free = e.free[:k-1]
		enc.Reset(w)
		return enc, nil
	}
	switch e.kind {
	case Gzip:
		return gzip.NewWriterLevel(w, gzip.BestSpeed)
	case Zstd:
		return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
			zstd.WithWindowSize(zstdWindow), zstd.WithLowerEncoderMem(true))
	}
	return nil, errors.ErrUnsupported
}

func (e *encoders) put(enc encoder) {
	enc.Reset(io.Discard)
	e.free = append(e.free, enc)
}

// decoder reads what an encoder has written. closer must be called.
func decoder(kind Compression, r io.Reader) (plain io.Reader, closer func(), err error) {
	switch kind {
	case Gzip:
		g, err := gzip.NewReader(r)
		if err != nil {
			return nil, nil, fmt.Errorf("read gzip: %w", err)
		}
		return g, func() {}, nil
	case Zstd:
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return nil, nil, fmt.Errorf("read zstd: %w", err)
		}
		return z, z.Close, nil
	}
	return r, func() {}, nil
}
