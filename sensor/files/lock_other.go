//go:build !unix

package files

import "os"

// lock does nothing here: an open file cannot be renamed by another process anyway.
func lock(*os.File) error { return nil }
