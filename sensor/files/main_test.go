package files

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/google/gopacket/pcapgo"

	"rpcapd/udpstr"
)

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) Bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.b.Bytes())
}

// testFrames are frames of at least size bytes, a second apart.
func testFrames(n, size int) []udpstr.Frame {
	frames := make([]udpstr.Frame, n)
	for i := range frames {
		data := make([]byte, size+i%7)
		for k := range data {
			data[k] = byte(i + k)
		}
		frames[i] = udpstr.Frame{Data: data, Len: uint32(len(data)), Sec: uint32(1_700_000_000 + i), Usec: uint32(i)}
	}
	return frames
}

// fileFrame is a frame read back from a capture file.
type fileFrame struct {
	name     string
	linkType int
	time     time.Time
	length   int
	data     []byte
}

// readPcapng reads a file with a reader that is not ours.
func readPcapng(t *testing.T, b []byte) (out []fileFrame) {
	t.Helper()
	r, err := pcapgo.NewNgReader(bytes.NewReader(b), pcapgo.NgReaderOptions{WantMixedLinkType: true})
	if err != nil {
		t.Fatal(err)
	}
	for {
		data, ci, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		i, err := r.Interface(ci.InterfaceIndex)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fileFrame{i.Name, int(i.LinkType), ci.Timestamp, ci.Length, data})
	}
}

func await(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(40 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not in time")
		}
	}
}
