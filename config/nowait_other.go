//go:build !unix

package config

// openNoWait: elsewhere a path leads to no pipe.
const openNoWait = 0
