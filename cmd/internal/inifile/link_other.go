//go:build !unix

package inifile

import "path/filepath"

// realPath is the file that is written when a path is a link. Who may make links is the system's affair.
func realPath(path string) (string, error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real, nil
	}
	return path, nil
}
