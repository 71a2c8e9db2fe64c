//go:build unix && !linux

package agent

// networkNamespace: there is one.
func networkNamespace() string { return "" }
