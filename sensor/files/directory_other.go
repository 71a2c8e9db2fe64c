//go:build !unix

package files

import "os"

// syncDirectory does nothing: names are durable with the file.
func syncDirectory(*os.Root, string) error { return nil }
