package prefetch

import (
	"testing"
)

// TestBytes asks for slices of all lengths and alignments, also of none: whatever the
// processor makes of it, nothing may change or fault.
func TestBytes(t *testing.T) {
	b := make([]byte, 1<<16)
	for i := range b {
		b[i] = byte(i)
	}
	for from := range 130 {
		for n := range 200 {
			Bytes(b[from : from+n])
			Bytes(b[len(b)-from-n : len(b)-from])
		}
	}
	Bytes(b)
	Bytes(nil)
	for i := range b {
		if b[i] != byte(i) {
			t.Fatalf("byte %d changed", i)
		}
	}
}

// BenchmarkBytes costs no memory access of its own: it asks for lines that are there.
func BenchmarkBytes(b *testing.B) {
	lines := make([]byte, 1024)
	b.SetBytes(int64(len(lines)))
	for b.Loop() {
		Bytes(lines)
	}
}
