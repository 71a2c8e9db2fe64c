//go:build !unix

package agent

import "os"

// lockFile takes nothing where flock does not exist.
func lockFile(*os.File) error { return nil }

// lockedByOther cannot tell and takes the status file's word.
func lockedByOther(*os.File) bool { return true }
