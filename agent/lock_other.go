//go:build !unix

package agent

import "os"

// lockFile takes nothing where POSIX locks do not exist.
func lockFile(*os.File) error { return nil }

// fileHolder cannot tell: the status file's word is taken.
func fileHolder(*os.File) (pid int, held bool, err error) { return 0, true, nil }
