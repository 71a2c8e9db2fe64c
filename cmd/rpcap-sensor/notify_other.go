//go:build !linux

package main

// There is no systemd here.

func tellSystemd(string) error { return nil }

func reloading() string { return "" }
