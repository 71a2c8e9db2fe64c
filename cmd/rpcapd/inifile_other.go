//go:build !linux

package main

import "os"

// changesUser: elsewhere the agent does not, so the path serves. On Windows nobody can replace a file that is open.
const changesUser = false

// unlinked is for a file that was opened before.
func unlinked(*os.File) bool { return true }
