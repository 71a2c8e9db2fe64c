//go:build !unix

package openflag

// Elsewhere there is nothing to be refused.
const (
	NoWait   = 0
	NoFollow = 0
)
