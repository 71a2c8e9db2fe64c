//go:build !unix

package agent

import "os"

// lockFile opens the file without a lock where flock does not exist.
func lockFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
}
