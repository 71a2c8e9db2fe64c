//go:build !linux

package capture

// fanoutGroups: only Linux has them, and Open refuses a Fanout elsewhere.
type fanoutGroups struct{}
