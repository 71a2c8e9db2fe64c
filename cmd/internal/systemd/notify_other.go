//go:build !linux

package systemd

// Notify has nobody to tell here.
func Notify(string) error { return nil }

// Reloading is empty: there is no systemd here.
func Reloading() string { return "" }
