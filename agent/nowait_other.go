//go:build !unix

package agent

const (
	openNoWait   = 0
	openNoFollow = 0
)
