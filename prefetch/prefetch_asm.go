//go:build amd64 || arm64

package prefetch

// Bytes requests each cache line (64 bytes) of b, for reading.
//
//go:noescape
func Bytes(b []byte)
