//go:build !unix

package main

// prepareRunDir has nothing to do where the agent does not change its user.
func prepareRunDir(string, string) error { return nil }
