package sensor

import (
	"bytes"
	"sync"
	"testing"

	"rpcapd/test/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// syncBuffer is a bytes.Buffer for a writer and a reader that run at once.
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
