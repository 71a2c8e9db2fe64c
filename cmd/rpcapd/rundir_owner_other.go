//go:build !unix && !windows

package main

// prepareRunDir has nothing to do where the agent does not change its user.
func prepareRunDir(string, string) error { return nil }

// fallbackRunDir: there is none.
func fallbackRunDir(int) string { return "" }

func ownRunDir(string, int) bool { return true }
